//! The search for places that look like markup, by the text alone.
//!
//! It must be fast for articles that have none: each byte is looked up in a table, and only those
//! that can start something are examined.

use std::ops::Range;

use super::found::{Found, Search, What};
use super::kind::{Kind, is_diagram};
use crate::config::ForeignSyntax;

/// The bytes that can start something within a line.
const INTERESTING: [bool; 256] = {
    let mut table = [false; 256];
    let bytes = b"{<[]:%=";
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] = true;
        i += 1;
    }
    table
};

/// Every place that may be literal markup, in the order of the text.
pub(super) fn find(search: &Search<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut start = search.body_start;
    for line in search.text[search.body_start..].split_inclusive('\n') {
        let scanner = Scanner { search, line: line.trim_end(), start };
        scanner.line(&mut found);
        start += line.len();
    }
    if search.foreign_syntax == ForeignSyntax::Ignore {
        found.retain(|found| !matches!(found.what, What::Foreign(_)));
    }
    found
}

/// One line of the text.
struct Scanner<'a> {
    search: &'a Search<'a>,
    line: &'a str,
    /// The offset of the line in the text.
    start: usize,
}

impl Scanner<'_> {
    fn line(&self, found: &mut Vec<Found>) {
        if let Some((kind, range)) = self.at_line_start() {
            found.push(self.found(What::Foreign(kind), range));
            return;
        }
        let bytes = self.line.as_bytes();
        let mut at = 0;
        while let Some(next) = bytes[at..].iter().position(|b| INTERESTING[*b as usize]) {
            at += next;
            match self.within_line(at) {
                Some((what, range)) => {
                    at = range.end.max(at + 1);
                    found.push(self.found(what, range));
                }
                None => at += 1,
            }
        }
    }

    fn found(&self, what: What, range: Range<usize>) -> Found {
        Found { what, range: self.start + range.start..self.start + range.end }
    }

    /// What the whole line is.
    fn at_line_start(&self) -> Option<(Kind, Range<usize>)> {
        let text = self.line.trim_start();
        let lead = self.line.len() - text.len();
        let whole = lead..self.line.len();
        let kind = match *text.as_bytes().first()? {
            b'!' | b'?' if is_admonition(text) => Kind::Admonition,
            b':' if is_container(text) => Kind::Container,
            b':' if is_leaf_directive(text) => Kind::Directive,
            b'.' if is_rst_directive(text) => Kind::Directive,
            b'%' if text.starts_with("%[") && text.ends_with(']') => Kind::UrlEmbed,
            b'[' | b'{' | b'$' if is_toc(text) => Kind::TableOfContents,
            b'i' | b'e' if is_mdx_module(text) => Kind::MdxModule,
            b'`' | b'~' if is_diagram_fence(text) => Kind::Diagram,
            b'$' if text.starts_with("$$") && !self.search.math => Kind::Formula,
            b'{' if is_attribute_list(text) && text.ends_with('}') => Kind::AttributeList,
            _ => return None,
        };
        Some((kind, whole))
    }

    /// What starts at an offset of the line.
    fn within_line(&self, at: usize) -> Option<(What, Range<usize>)> {
        let rest = &self.line[at..];
        let before = &self.line[..at];
        let foreign = |kind: Kind, len: usize| Some((What::Foreign(kind), at..at + len));
        match rest.as_bytes()[0] {
            b'{' => {
                let (kind, len) = braces(rest, before)?;
                foreign(kind, len)
            }
            b'<' => {
                let (kind, len) = angle(rest)?;
                foreign(kind, len)
            }
            b'[' => brackets(rest, before).map(|(what, len)| {
                // The range of an embedded image includes the exclamation mark.
                let from = if what == What::Foreign(Kind::WikiEmbed) { at - 1 } else { at };
                (what, from..at + len)
            }),
            b']' => {
                let len = spaced_url(rest)?;
                let from = before.rfind('[')?;
                Some((What::Link, from..at + len))
            }
            b':' => {
                let (kind, len) = colon(rest, before)?;
                foreign(kind, len)
            }
            b'%' => foreign(Kind::Comment, between(rest, "%%", "%%")?),
            b'=' if !before.ends_with('=') => foreign(Kind::Mark, marked(rest)?),
            _ => None,
        }
    }
}

/// The length of `open…close` at the start of a line, where the inner text is not empty.
fn between(text: &str, open: &str, close: &str) -> Option<usize> {
    let inner = text.strip_prefix(open)?;
    let end = inner.find(close).filter(|end| *end > 0)?;
    Some(open.len() + end + close.len())
}

fn is_admonition(text: &str) -> bool {
    let rest = text.strip_prefix("!!!").or_else(|| text.strip_prefix("???"));
    rest.is_some_and(|rest| {
        let rest = rest.strip_prefix('+').unwrap_or(rest);
        rest.starts_with(' ') && rest.trim_start().starts_with(|c: char| c.is_ascii_alphabetic())
    })
}

/// `::: tip`, `:::warning`, `:::{.note}`, and the `:::` that closes it.
fn is_container(text: &str) -> bool {
    let rest = text.trim_start_matches(':');
    text.len() - rest.len() >= 3
        && (rest.is_empty()
            || rest.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '{'))
}

/// `::youtube{…}`, `::youtube[…]`, `::youtube`.
fn is_leaf_directive(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("::") else { return false };
    let end = rest.find(|c: char| !is_name_char(c)).unwrap_or(rest.len());
    end > 0 && (rest[end..].is_empty() || rest[end..].starts_with(['{', '[']))
}

/// `.. note::`
fn is_rst_directive(text: &str) -> bool {
    text.strip_prefix(".. ").is_some_and(|rest| {
        rest.split_once("::").is_some_and(|(name, _)| {
            !name.is_empty() && name.chars().all(|c| is_name_char(c) || c == ':')
        })
    })
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// `[TOC]`, `[[_TOC_]]`, `[[toc]]`, `{:toc}`, `${toc}`.
fn is_toc(text: &str) -> bool {
    const FORMS: [&str; 7] =
        ["[toc]", "[[toc]]", "[[_toc_]]", "{:toc}", "{{toc}}", "{{ toc }}", "${toc}"];
    FORMS.iter().any(|form| text.eq_ignore_ascii_case(form))
}

/// `import X from '…'`, `import '…'`, `export const x = …`.
fn is_mdx_module(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix("import ") {
        let names_module = rest.contains(" from '") || rest.contains(" from \"");
        return names_module || (rest.starts_with(['\'', '"']) && rest.len() > 2);
    }
    text.strip_prefix("export ").is_some_and(|rest| {
        ["const ", "let ", "var ", "default ", "function ", "async ", "{"]
            .iter()
            .any(|word| rest.starts_with(word))
            && rest.contains(['=', '{', '('])
    })
}

fn is_diagram_fence(text: &str) -> bool {
    let info = text.trim_start_matches(['`', '~']);
    let language = info.trim_start().split(|c: char| !is_name_char(c)).next().unwrap_or_default();
    text.len() - info.len() >= 3 && is_diagram(language)
}

/// `{: .class}`, `{:.class}`, `{.class}`, `{#id}`, `{width=50%}`; not a caption of a table.
fn is_attribute_list(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('{') else { return false };
    if inner.starts_with("caption") {
        return false;
    }
    let Some((inner, _)) = inner.split_once('}') else { return false };
    let first = inner.trim_start_matches(':').trim_start();
    let key = first.find(|c: char| !is_name_char(c)).unwrap_or(first.len());
    let is_class = first.starts_with('.') && first[1..].starts_with(|c: char| c.is_alphabetic());
    let is_id = first.starts_with('#') && first[1..].starts_with(|c: char| c.is_alphabetic());
    let is_pair = key > 0 && first[key..].starts_with('=') && !first[key..].starts_with("==");
    is_class || is_id || is_pair || (inner.starts_with(':') && key > 0)
}

fn braces(text: &str, before: &str) -> Option<(Kind, usize)> {
    let closed = |kind: Kind, open: &str, close: &str| Some((kind, between(text, open, close)?));
    if let Some(call) = text.strip_prefix("{{<") {
        // A component call that is not alone on its line has a warning of its own.
        let end = text.find("}}").map_or(text.len(), |end| end + 2);
        let is_call = text[..end].trim_end_matches("}}").trim_end().ends_with("/>")
            && call.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        return (!is_call).then_some((Kind::HugoShortcode, end));
    }
    if text.starts_with("{{%") {
        let end = text.find("}}").map_or(text.len(), |end| end + 2);
        return Some((Kind::HugoShortcode, end));
    }
    if text.starts_with("{{") {
        return closed(Kind::Expression, "{{", "}}");
    }
    if text.starts_with("{%") {
        let (kind, len) = closed(Kind::Statement, "{%", "%}")?;
        let inner = text[2..len - 2].trim();
        let is_component_tag = inner.starts_with('<') && inner.ends_with('>');
        return (!is_component_tag).then_some((kind, len));
    }
    if text.starts_with("{#") && text.contains("#}") {
        return closed(Kind::Statement, "{#", "#}");
    }
    // The attributes of a heading are read; those directly after another element are not.
    let is_heading = before.trim_start_matches([' ', '>']).starts_with('#');
    let follows = before.ends_with([')', ']', '`', '*', '_']) || text.starts_with("{:");
    if follows && !is_heading && is_attribute_list(text) {
        return closed(Kind::AttributeList, "{", "}");
    }
    None
}

fn angle(text: &str) -> Option<(Kind, usize)> {
    if text.starts_with("<%") {
        return Some((Kind::Erb, between(text, "<%", "%>")?));
    }
    let name = &text[1..];
    if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
        return None;
    }
    let end = name.find(|c: char| !(is_name_char(c) || c == '.')).unwrap_or(name.len());
    let (name, after) = name.split_at(end);
    let is_tag = after.starts_with(|c: char| c.is_whitespace() || "/>{".contains(c));
    let is_html = name.bytes().all(|b| !b.is_ascii_lowercase()) && is_html_name(name);
    if !is_tag || is_html {
        return None;
    }
    let len = text.find('>').map_or(text.len(), |end| end + 1);
    Some((Kind::CapitalTag, len))
}

/// Whether a name in capitals is an element of HTML (HTML Living Standard, "Index of elements").
fn is_html_name(name: &str) -> bool {
    const NAMES: &str = "A ABBR ADDRESS AREA ARTICLE ASIDE AUDIO B BDI BDO BLOCKQUOTE BR BUTTON CENTER \
                         CITE CODE COL DD DEL DETAILS DFN DIV DL DT EM EMBED FIGURE FONT FOOTER FORM H1 \
                         H2 H3 H4 H5 H6 HEADER HR I IFRAME IMG INPUT INS KBD LI MARK NAV OL P PRE Q S \
                         SMALL SPAN STRONG SUB SUMMARY SUP SVG TABLE TBODY TD TH TR TT U UL";
    NAMES.split_ascii_whitespace().any(|known| known == name)
}

fn brackets(text: &str, before: &str) -> Option<(What, usize)> {
    if let Some(inner) = text.strip_prefix("[[") {
        let end = inner.find([']', '[']).filter(|end| *end > 0)?;
        let after = inner[end..].strip_prefix("]]")?;
        let is_link = after.starts_with(['(', '[']);
        // `[[ -f x ]]` is a test of a shell.
        let spaced = inner.starts_with(' ');
        let kind = if before.ends_with('!') { Kind::WikiEmbed } else { Kind::WikiLink };
        return (!is_link && !spaced).then_some((What::Foreign(kind), end + 4));
    }
    if let Some(inner) = text.strip_prefix("[^") {
        let end = inner.find(']').filter(|end| *end > 0)?;
        let name = &inner[..end];
        let is_name = !name.contains(|c: char| c.is_whitespace() || "[^`".contains(c));
        let is_definition = before.trim_start_matches([' ', '>', '\t']).is_empty()
            && inner[end..].starts_with("]:");
        // `[^abc](url)` is a link.
        let is_link = inner[end..].starts_with("](");
        return (is_name && !is_definition && !is_link).then_some((What::Footnote, end + 3));
    }
    let inner = text.strip_prefix('[')?;
    let (inner, is_closing) = inner.strip_prefix('/').map_or((inner, false), |rest| (rest, true));
    let end = inner.find(|c: char| !is_name_char(c) || c.is_ascii_uppercase())?;
    let after = &inner[end..];
    let is_shortcode = end > 1
        && if is_closing {
            after.starts_with(']')
        } else {
            after.starts_with(' ') && has_quoted_attribute(after.split(']').next()?)
        };
    let len = text.find(']')? + 1;
    let is_link = text[len..].starts_with(['(', '[', ':']);
    (is_shortcode && !is_link).then_some((What::Foreign(Kind::WordPress), len))
}

/// Whether a text starts with `name="`.
fn has_quoted_attribute(text: &str) -> bool {
    text.trim_start().split_once('=').is_some_and(|(name, value)| {
        !name.is_empty() && name.chars().all(is_name_char) && value.starts_with(['"', '\''])
    })
}

/// The length of `](a b.png)`; `None` when the URL has no spaces or what follows it is a title.
fn spaced_url(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("](")?;
    let end = inner.find(')')?;
    let url = inner[..end].trim();
    let (first, rest) = url.split_once(char::is_whitespace)?;
    // A template expression in the URL is reported as such.
    if url.contains("{{") || url.contains("{%") {
        return None;
    }
    let is_title = rest.trim_start().starts_with(['"', '\'', '(']);
    (!first.starts_with('<') && !is_title).then_some(end + 3)
}

fn colon(text: &str, before: &str) -> Option<(Kind, usize)> {
    let after_word = before.ends_with(|c: char| c.is_alphanumeric() || "_:/.-".contains(c));
    let inner = text.strip_prefix(':')?;
    if after_word || !inner.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '+' || c == '-')
    {
        return None;
    }
    let end = inner.find(|c: char| !(is_name_char(c) || c == '+'))?;
    let name = &inner[..end];
    match inner.as_bytes()[end] {
        b':' => {
            let after = &inner[end + 1..];
            let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == ':' || c == '/');
            // The alignment of a column, `:---:`, has no letters.
            let is_word =
                matches!(name, "+1" | "-1") || name.bytes().any(|b| b.is_ascii_lowercase());
            let is_emoji = !name.bytes().any(|b| b.is_ascii_uppercase());
            (ends && is_word && is_emoji).then_some((Kind::Emoji, end + 2))
        }
        open @ (b'[' | b'{') if name.bytes().any(|b| b.is_ascii_lowercase()) => {
            let close = if open == b'[' { ']' } else { '}' };
            let len = inner[end..].find(close)? + end + 2;
            Some((Kind::Directive, len))
        }
        _ => None,
    }
}

/// The length of `==text==`.
fn marked(text: &str) -> Option<usize> {
    let inner = text.strip_prefix("==")?;
    if inner.starts_with(|c: char| c.is_whitespace() || c == '=') {
        return None;
    }
    let end = inner.find("==").filter(|end| *end > 0)?;
    let fits = !inner[..end].ends_with(char::is_whitespace) && !inner[end + 2..].starts_with('=');
    fits.then_some(end + 4)
}
