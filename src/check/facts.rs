//! The facts about a rendered page that rules need, read in one pass over its HTML. Any bytes are
//! accepted.

use std::collections::BTreeMap;

use html5gum::emitters::default::{DefaultEmitter, StartTag, Token};
use html5gum::{HtmlString, Spanned, Tokenizer};

use crate::html::bounded;

/// The facts about a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The `lang` attribute of the root element.
    pub language: Option<String>,
    /// The text of `<title>`, with white space collapsed.
    pub title: Option<String>,
    pub description: Option<String>,
    /// Whether `<meta name="robots" content="noindex">` asks search engines not to list the page.
    pub noindex: bool,
    /// Every `id`, and every `name` of an `a`: the anchors that a fragment can lead to.
    pub ids: Vec<String>,
    pub references: Vec<Reference>,
    pub images: Vec<Image>,
    pub headings: Vec<Heading>,
    /// The texts of `application/ld+json` scripts.
    pub json_ld: Vec<String>,
}

/// A URL in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// As written, with character references decoded.
    pub url: String,
    pub role: Role,
}

/// What a page uses a URL for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Readers or machines can follow it: `a`, `area`, `link rel="canonical"`.
    Link,
    /// The page always loads it: `img`, `script`, a style sheet.
    Loaded,
    /// The page may load it: one of several pictures, an icon, a video, a frame.
    MayBeLoaded,
    /// Other sites may load it: `og:image`.
    Metadata,
}

/// An `img`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub src: String,
    pub alt: Option<String>,
    /// Whether the browser knows its proportions before it is loaded.
    pub has_size: bool,
    /// Whether it is hidden from assistive technology (`role="presentation"`, `aria-hidden`).
    pub is_decorative: bool,
}

/// A heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    pub level: u8,
    pub text: String,
}

/// The element that the text being read belongs to.
enum TextOf {
    Other,
    Title,
    Heading(u8),
    JsonLd,
}

/// Reads a page.
#[must_use]
pub fn facts(html: &[u8]) -> Facts {
    let mut reader =
        Reader { facts: Facts::default(), text_of: TextOf::Other, text: String::new(), svg: 0 };
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(&*bounded(html), emitter) {
        match token {
            Ok(Token::StartTag(tag)) => reader.open(&tag),
            Ok(Token::EndTag(tag)) => reader.close(&tag.name),
            Ok(Token::String(text)) if !matches!(reader.text_of, TextOf::Other) => {
                reader.text.push_str(&String::from_utf8_lossy(&text));
            }
            Ok(_) => {}
            // Reading from memory cannot fail.
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
    text_of: TextOf,
    text: String,
    /// How many `svg` elements are open: their titles are not the page's.
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
            "title" if self.svg == 0 && self.facts.title.is_none() => self.start(TextOf::Title),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.start(TextOf::Heading(name.as_bytes()[1] - b'0'));
            }
            "meta" => self.meta(&tag.attributes),
            "link" => self.link(&tag.attributes),
            "script"
                if get("type")
                    .is_some_and(|t| t.trim().eq_ignore_ascii_case("application/ld+json")) =>
            {
                self.start(TextOf::JsonLd);
            }
            "script" => self.add_reference(get("src"), Role::Loaded),
            "img" => self.image(&tag.attributes),
            "a" | "area" => {
                self.facts.ids.extend(get("name").filter(|id| !id.is_empty()));
                self.add_reference(get("href"), Role::Link);
            }
            "source" | "video" | "audio" | "track" | "iframe" | "embed" | "input" => {
                self.add_reference(get("src"), Role::MayBeLoaded);
                self.add_reference(get("poster"), Role::MayBeLoaded);
                self.candidates(get("srcset"));
            }
            "object" => self.add_reference(get("data"), Role::MayBeLoaded),
            _ => {}
        }
    }

    fn start(&mut self, text_of: TextOf) {
        self.text_of = text_of;
        self.text.clear();
    }

    fn close(&mut self, name: &[u8]) {
        let text = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match (&self.text_of, name) {
            (_, b"svg") => self.svg = self.svg.saturating_sub(1),
            (TextOf::Title, b"title") => self.facts.title = Some(text(&self.text)),
            (TextOf::JsonLd, b"script") => self.facts.json_ld.push(std::mem::take(&mut self.text)),
            (TextOf::Heading(level), [b'h', b'1'..=b'6']) => {
                // The link that Folio adds to a heading shows as `#`.
                let text = text(&self.text).trim_end_matches(" #").to_owned();
                self.facts.headings.push(Heading { level: *level, text });
            }
            _ => return,
        }
        if name != b"svg" {
            self.text_of = TextOf::Other;
        }
    }

    fn meta(&mut self, attributes: &Attributes) {
        let get = |name: &str| attribute(attributes, name);
        let Some(content) = get("content") else { return };
        let name = get("name").or_else(|| get("property")).unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            "description" => {
                self.facts.description =
                    Some(content.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            "robots" if content.to_ascii_lowercase().contains("noindex") => {
                self.facts.noindex = true;
            }
            "og:image" | "twitter:image" => self.add_reference(Some(content), Role::Metadata),
            _ => {}
        }
    }

    fn link(&mut self, attributes: &Attributes) {
        let rel = attribute(attributes, "rel").unwrap_or_default().to_ascii_lowercase();
        let is = |name: &str| rel.split_whitespace().any(|r| r == name);
        let role = match () {
            // These contain a host, not a page.
            () if is("preconnect") || is("dns-prefetch") => return,
            () if is("stylesheet") && !is("alternate") => Role::Loaded,
            () if is("icon")
                || is("apple-touch-icon")
                || is("manifest")
                || is("preload")
                || is("modulepreload")
                || is("stylesheet") =>
            {
                Role::MayBeLoaded
            }
            () => Role::Link,
        };
        self.add_reference(attribute(attributes, "href"), role);
    }

    fn image(&mut self, attributes: &Attributes) {
        let get = |name: &str| attribute(attributes, name);
        let has = |name: &str| get(name).is_some_and(|v| !v.trim().is_empty());
        let hidden = get("role").is_some_and(|r| matches!(r.trim(), "presentation" | "none"))
            || get("aria-hidden").is_some_and(|h| h.trim() == "true");
        let known = (has("width") && has("height"))
            || get("style").is_some_and(|s| s.contains("aspect-ratio"));
        self.facts.images.push(Image {
            src: get("src").unwrap_or_default().trim().to_owned(),
            alt: get("alt"),
            has_size: known,
            is_decorative: hidden,
        });
        self.add_reference(get("src"), Role::Loaded);
        self.candidates(get("srcset"));
    }

    /// The URLs of a `srcset` (HTML Living Standard §4.8.4.3.10, for URLs without commas).
    fn candidates(&mut self, srcset: Option<String>) {
        let Some(srcset) = srcset.filter(|s| !s.contains("data:")) else { return };
        for candidate in srcset.split(',') {
            self.add_reference(
                candidate.split_whitespace().next().map(str::to_owned),
                Role::MayBeLoaded,
            );
        }
    }

    fn add_reference(&mut self, url: Option<String>, role: Role) {
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
        let html = "<!doctype html><html lang=en><title> A\n &amp; B</title>\
                    <meta name=description content='x  y'><meta name=robots content=noindex>\
             <link rel=preconnect href=https://cdn.example><link rel=stylesheet href=/s.css>\
             <svg><title>no</title></svg>\
             <h2 id=a>Part <em>one</em></h2><a name=b href='/x?a=1&amp;b=2'>x</a>\
             <img src=p.png alt='' width=1 height=2 srcset='q.png 2x, r.png 3x'>\
             <script>if (a < b) '<img src=no.png>'</script>\
             <script type=application/ld+json>{\"a\": \"<b>\"}</script>";
        let f = facts(html.as_bytes());
        assert_eq!(
            (f.language.as_deref(), f.title.as_deref(), f.description.as_deref()),
            (Some("en"), Some("A & B"), Some("x y"))
        );
        assert!(f.noindex);
        assert_eq!(f.ids, ["a", "b"]);
        let urls: Vec<_> = f.references.iter().map(|r| (r.url.as_str(), r.role)).collect();
        let expected = [
            ("/s.css", Role::Loaded),
            ("/x?a=1&b=2", Role::Link),
            ("p.png", Role::Loaded),
            ("q.png", Role::MayBeLoaded),
            ("r.png", Role::MayBeLoaded),
        ];
        assert_eq!(urls, expected);
        assert_eq!(f.headings, [Heading { level: 2, text: "Part one".into() }]);
        assert_eq!(f.json_ld, ["{\"a\": \"<b>\"}"]);
        assert!(f.images[0].has_size);
        assert_eq!(f.images[0].alt.as_deref(), Some(""));
    }
}
