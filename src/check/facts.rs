//! What a finished page holds, found in one pass over its HTML. Pure, and any bytes will do.

use std::collections::BTreeMap;

use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use html5gum::{HtmlString, Spanned, Tokenizer};

/// What rules look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `lang` of the root element.
    pub language: Option<String>,
    /// The text of `<title>`, white space folded.
    pub title: Option<String>,
    pub description: Option<String>,
    pub indexing: Indexing,
    /// Every `id`, and every `name` of an `a`: what a fragment can lead to.
    pub ids: Vec<String>,
    pub references: Vec<Reference>,
    pub images: Vec<Image>,
    pub headings: Vec<Heading>,
    /// The texts of `application/ld+json` scripts.
    pub json_ld: Vec<String>,
}

/// Whether search engines are asked in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Indexing {
    #[default]
    Allowed,
    /// By `<meta name="robots" content="noindex">`.
    Refused,
}

/// An address in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// As it is written, character references decoded.
    pub url: String,
    pub role: Role,
}

/// What an address is to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A reader can follow it, or a machine: `a`, `area`, `link rel="canonical"`.
    Link,
    /// The page shows it: `img`, `script`, a style sheet.
    Shown,
    /// The page may load it: one of several pictures, an icon, a video, a frame.
    Loaded,
    /// Others may load it: `og:image`.
    Named,
}

/// An `img`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub src: String,
    pub alt: Option<String>,
    pub size: Size,
    pub purpose: Purpose,
}

/// Whether a page keeps room for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Known,
    Unknown,
}

/// Whether an image is hidden from who cannot see it (`role="presentation"`, `aria-hidden`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Content,
    Decoration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    pub level: u8,
    pub text: String,
}

/// What the text that is being read belongs to.
enum Reading {
    Nothing,
    Title,
    Heading(u8),
    JsonLd,
}

/// Reads a page.
#[must_use]
pub fn facts(html: &[u8]) -> Facts {
    let mut reader = Reader { facts: Facts::default(), reading: Reading::Nothing, text: String::new(), svg: 0 };
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Ok(Token::StartTag(tag)) => reader.open(&tag),
            Ok(Token::EndTag(tag)) => reader.close(&tag.name),
            Ok(Token::String(text)) if !matches!(reader.reading, Reading::Nothing) => reader.text.push_str(&String::from_utf8_lossy(&text)),
            Ok(_) => {}
            // Bytes in memory can always be read.
            Err(never) => match never {},
        }
    }
    reader.facts
}

type Attributes = BTreeMap<HtmlString, Spanned<HtmlString, ()>>;

fn attribute(attributes: &Attributes, name: &str) -> Option<String> {
    attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

struct Reader {
    facts: Facts,
    reading: Reading,
    text: String,
    /// How many `svg` are open: their titles are not the page's.
    svg: usize,
}

impl Reader {
    fn open(&mut self, tag: &StartTag<()>) {
        let name = String::from_utf8_lossy(&tag.name).into_owned();
        let get = |attribute_name: &str| attribute(&tag.attributes, attribute_name);
        self.facts.ids.extend(get("id").filter(|id| !id.is_empty()));
        match name.as_str() {
            "html" => self.facts.language = get("lang").filter(|l| !l.trim().is_empty()),
            "svg" if !tag.self_closing => self.svg += 1,
            "title" if self.svg == 0 && self.facts.title.is_none() => self.start(Reading::Title),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.start(Reading::Heading(name.as_bytes()[1] - b'0')),
            "meta" => self.meta(&tag.attributes),
            "link" => self.link(&tag.attributes),
            "script" if get("type").is_some_and(|t| t.trim().eq_ignore_ascii_case("application/ld+json")) => self.start(Reading::JsonLd),
            "script" => self.refer(get("src"), Role::Shown),
            "img" => self.image(&tag.attributes),
            "a" | "area" => {
                self.facts.ids.extend(get("name").filter(|id| !id.is_empty()));
                self.refer(get("href"), Role::Link);
            }
            "source" | "video" | "audio" | "track" | "iframe" | "embed" | "input" => {
                self.refer(get("src"), Role::Loaded);
                self.refer(get("poster"), Role::Loaded);
                self.candidates(get("srcset"));
            }
            "object" => self.refer(get("data"), Role::Loaded),
            _ => {}
        }
    }

    fn start(&mut self, reading: Reading) {
        self.reading = reading;
        self.text.clear();
    }

    fn close(&mut self, name: &[u8]) {
        let text = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match (&self.reading, name) {
            (_, b"svg") => self.svg = self.svg.saturating_sub(1),
            (Reading::Title, b"title") => self.facts.title = Some(text(&self.text)),
            (Reading::JsonLd, b"script") => self.facts.json_ld.push(std::mem::take(&mut self.text)),
            (Reading::Heading(level), [b'h', b'1'..=b'6']) => {
                // Folio's own link beside a heading shows as a sign that is none of its words.
                let text = text(&self.text).trim_end_matches(" #").to_owned();
                self.facts.headings.push(Heading { level: *level, text });
            }
            _ => return,
        }
        if name != b"svg" {
            self.reading = Reading::Nothing;
        }
    }

    fn meta(&mut self, attributes: &Attributes) {
        let get = |name: &str| attribute(attributes, name);
        let Some(content) = get("content") else { return };
        let name = get("name").or_else(|| get("property")).unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "description" => self.facts.description = Some(content.split_whitespace().collect::<Vec<_>>().join(" ")),
            "robots" if content.to_ascii_lowercase().contains("noindex") => self.facts.indexing = Indexing::Refused,
            "og:image" | "twitter:image" => self.refer(Some(content), Role::Named),
            _ => {}
        }
    }

    fn link(&mut self, attributes: &Attributes) {
        let rel = attribute(attributes, "rel").unwrap_or_default().to_ascii_lowercase();
        let is = |name: &str| rel.split_whitespace().any(|r| r == name);
        let role = match () {
            // These name a host, not a page.
            () if is("preconnect") || is("dns-prefetch") => return,
            () if is("stylesheet") && !is("alternate") => Role::Shown,
            () if is("icon") || is("apple-touch-icon") || is("manifest") || is("preload") || is("modulepreload") || is("stylesheet") => Role::Loaded,
            () => Role::Link,
        };
        self.refer(attribute(attributes, "href"), role);
    }

    fn image(&mut self, attributes: &Attributes) {
        let get = |name: &str| attribute(attributes, name);
        let has = |name: &str| get(name).is_some_and(|v| !v.trim().is_empty());
        let hidden =
            get("role").is_some_and(|r| matches!(r.trim(), "presentation" | "none")) || get("aria-hidden").is_some_and(|h| h.trim() == "true");
        let known = (has("width") && has("height")) || get("style").is_some_and(|s| s.contains("aspect-ratio"));
        self.facts.images.push(Image {
            src: get("src").unwrap_or_default().trim().to_owned(),
            alt: get("alt"),
            size: if known { Size::Known } else { Size::Unknown },
            purpose: if hidden { Purpose::Decoration } else { Purpose::Content },
        });
        self.refer(get("src"), Role::Shown);
        self.candidates(get("srcset"));
    }

    /// The addresses of a `srcset` (HTML Living Standard §4.8.4.3.10, for addresses without commas).
    fn candidates(&mut self, srcset: Option<String>) {
        let Some(srcset) = srcset.filter(|s| !s.contains("data:")) else { return };
        for candidate in srcset.split(',') {
            self.refer(candidate.split_whitespace().next().map(str::to_owned), Role::Loaded);
        }
    }

    fn refer(&mut self, url: Option<String>, role: Role) {
        if let Some(url) = url {
            let url = url.trim().to_owned();
            if !url.is_empty() || role == Role::Link {
                self.facts.references.push(Reference { url, role });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_in_one_pass() {
        let html = "<!doctype html><html lang=en><title> A\n &amp; B</title><meta name=description content='x  y'><meta name=robots content=noindex>\
             <link rel=preconnect href=https://cdn.example><link rel=stylesheet href=/s.css><svg><title>no</title></svg>\
             <h2 id=a>Part <em>one</em></h2><a name=b href='/x?a=1&amp;b=2'>x</a><img src=p.png alt='' width=1 height=2 srcset='q.png 2x, r.png 3x'>\
             <script>if (a < b) '<img src=no.png>'</script><script type=application/ld+json>{\"a\": \"<b>\"}</script>";
        let f = facts(html.as_bytes());
        assert_eq!((f.language.as_deref(), f.title.as_deref(), f.description.as_deref()), (Some("en"), Some("A & B"), Some("x y")));
        assert_eq!(f.indexing, Indexing::Refused);
        assert_eq!(f.ids, ["a", "b"]);
        let urls: Vec<_> = f.references.iter().map(|r| (r.url.as_str(), r.role)).collect();
        let expected =
            [("/s.css", Role::Shown), ("/x?a=1&b=2", Role::Link), ("p.png", Role::Shown), ("q.png", Role::Loaded), ("r.png", Role::Loaded)];
        assert_eq!(urls, expected);
        assert_eq!(f.headings, [Heading { level: 2, text: "Part one".into() }]);
        assert_eq!(f.json_ld, ["{\"a\": \"<b>\"}"]);
        assert_eq!((f.images[0].size, f.images[0].alt.as_deref()), (Size::Known, Some("")));
    }
}
