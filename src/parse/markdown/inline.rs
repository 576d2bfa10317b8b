//! What stands in a line: links, images, code, formulas and raw HTML.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, TagEnd};
use pulldown_cmark_escape::escape_href;
use pulldown_latex::config::DisplayMode;

use super::Flavor;
use super::writer::{Before, Events, Writer};
use crate::config::UnsafeHtml;
use crate::diag::Diagnostic;
use crate::parse::link::classify;
use crate::parse::raw_html::{self, Found};
use crate::parse::{HoleKind, Link, LinkKind, Remark, Target, math, narrow};

impl<'a> Writer<'a, '_> {
    pub(super) fn code_span(&mut self, text: &str) {
        self.push("<code>");
        self.escape_text(text);
        self.push("</code>");
        self.run.push_str(text);
    }

    pub(super) fn task(&mut self, done: bool) {
        self.push(if done {
            "<input type=\"checkbox\" disabled=\"\" checked=\"\" aria-label=\"Done\" /> "
        } else {
            "<input type=\"checkbox\" disabled=\"\" aria-label=\"To do\" /> "
        });
    }

    pub(super) fn math(&mut self, tex: &str, range: Range<usize>, display: DisplayMode) {
        match math::render(tex, display) {
            Ok(mathml) => self.push(&mathml),
            Err(reason) => {
                self.remark(Remark::new(format!("this formula cannot be read: {reason}"), range).hint("it is shown as written"));
                self.code_span(tex);
            }
        }
    }

    pub(super) fn start_link(&mut self, kind: LinkType, url: &str, title: &str, range: Range<usize>) {
        let url = if kind == LinkType::Email { format!("mailto:{url}") } else { url.to_owned() };
        self.push("<a");
        self.address(LinkKind::Anchor, &url, range);
        if !title.is_empty() {
            self.push(" title=\"");
            self.escape_attribute(title);
            self.push("\"");
        }
        self.push(">");
    }

    /// Reads an image to its end: what is between the brackets is its text alternative.
    pub(super) fn image(&mut self, url: &str, title: &str, range: Range<usize>, events: &mut Events<'a>) {
        let mut alt = String::new();
        let mut depth = 1;
        for (event, _) in events.by_ref() {
            match event {
                Event::Start(pulldown_cmark::Tag::Image { .. }) => depth += 1,
                Event::End(TagEnd::Image) => depth -= 1,
                Event::Text(t) | Event::Code(t) | Event::InlineMath(t) | Event::DisplayMath(t) | Event::InlineHtml(t) => alt.push_str(&t),
                Event::SoftBreak | Event::HardBreak => alt.push('\n'),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        self.push("<img");
        self.address(LinkKind::Image, url, range);
        self.push(" alt=\"");
        self.escape_attribute(&alt);
        self.push("\"");
        if !title.is_empty() {
            self.push(" title=\"");
            self.escape_attribute(title);
            self.push("\"");
        }
        self.push(if self.cx.flavor == Flavor::Folio { " loading=\"lazy\" decoding=\"async\" />" } else { " />" });
    }

    /// A link's address: a hole, or in plain CommonMark the attribute itself.
    fn address(&mut self, kind: LinkKind, url: &str, range: Range<usize>) {
        if self.cx.flavor == Flavor::CommonMark {
            self.push(if kind == LinkKind::Image { " src=\"" } else { " href=\"" });
            let _ = escape_href(&mut self.body().html, url);
            return self.push("\"");
        }
        let target = classify(url, self.cx.source.parent(), kind);
        if target == Target::Dead {
            self.remark(Remark::new("this link would run code in the reader's browser, so it leads nowhere", range.clone()));
        }
        self.link(Link { kind, target, span: narrow(&range) });
    }

    fn link(&mut self, link: Link) {
        let number = u32::try_from(self.content.links.len()).unwrap_or(u32::MAX);
        self.content.links.push(link);
        self.body().hole(HoleKind::Link(number));
    }

    /// Reads an HTML block to its end; component lines inside it are components.
    pub(super) fn html_block(&mut self, events: &mut Events<'a>) {
        self.end_run();
        let mut html = String::new();
        let mut start = None;
        for (event, range) in events.by_ref() {
            let range = range.start + self.cx.offset..range.end + self.cx.offset;
            match event {
                Event::End(TagEnd::HtmlBlock) => break,
                Event::Html(text) | Event::Text(text) => {
                    let at = range.start + text.len() - text.trim_start().len();
                    if self.markers.contains_key(&at) {
                        self.flush_html(&mut html, &mut start);
                        self.component_at(at, range);
                    } else {
                        start.get_or_insert(range.start);
                        html.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        self.flush_html(&mut html, &mut start);
    }

    fn flush_html(&mut self, html: &mut String, start: &mut Option<usize>) {
        let Some(from) = start.take() else { return };
        let text = std::mem::take(html);
        if self.cx.flavor == Flavor::Folio && is_more_mark(&text) {
            if self.is_top_level() {
                let end = u32::try_from(self.body().html.len()).unwrap_or(u32::MAX);
                self.body().excerpt_end.get_or_insert(end);
            }
            return;
        }
        self.fresh_line();
        self.raw_html(&text, from..from + text.len());
        if self.cx.flavor == Flavor::Folio {
            self.fresh_line();
        }
        self.block_ends(Before::Block);
    }

    /// Raw HTML under the site's policy.
    pub(super) fn raw_html(&mut self, html: &str, range: Range<usize>) {
        if self.cx.flavor == Flavor::CommonMark {
            return self.push(html);
        }
        let comment = html.trim_start().starts_with("<!--");
        match self.cx.settings.markdown.unsafe_html {
            UnsafeHtml::Allow => self.allowed_html(html, range.start),
            UnsafeHtml::Strip => {
                let text = raw_html::text(html);
                self.escape_text(&text);
            }
            UnsafeHtml::Error if comment => {}
            UnsafeHtml::Error => self.error(
                Diagnostic::error("HTML in Markdown is not allowed on this site")
                    .at(range)
                    .hint("use Markdown or a component, or set markdown.unsafe_html = \"allow\" in site.toml"),
            ),
        }
    }

    /// Lets HTML through, with the links in it made symbolic and those that run code made harmless.
    fn allowed_html(&mut self, html: &str, offset: usize) {
        self.html_depth += tag_balance(html);
        let mut from = 0;
        for found in raw_html::inspect(html) {
            match found {
                Found::Id(id) => self.content.anchors.push(id),
                Found::Url { value, range } => {
                    let target = classify(&value, self.cx.source.parent(), LinkKind::Attribute);
                    if !matches!(target, Target::Article { .. } | Target::Local { .. } | Target::Dead) {
                        continue;
                    }
                    let (Some(before), Some(quoted)) = (html.get(from..range.start), html.get(..range.start)) else { continue };
                    let bare = !quoted.ends_with(['"', '\'']);
                    self.push(before);
                    if bare {
                        self.push("\"");
                    }
                    if target == Target::Dead {
                        self.remark(Remark::new(
                            "this link would run code in the reader's browser, so it leads nowhere",
                            offset + range.start..offset + range.end,
                        ));
                    }
                    self.link(Link { kind: LinkKind::Attribute, target, span: narrow(&(offset + range.start..offset + range.end)) });
                    if bare {
                        self.push("\"");
                    }
                    from = range.end;
                }
            }
        }
        self.push(html.get(from..).unwrap_or_default());
    }
}

fn is_more_mark(html: &str) -> bool {
    let inner = html.trim().strip_prefix("<!--").and_then(|t| t.strip_suffix("-->"));
    inner.is_some_and(|t| t.trim().eq_ignore_ascii_case("more"))
}

/// Elements opened less elements closed, void elements aside.
fn tag_balance(html: &str) -> i64 {
    const VOID: [&str; 14] = ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
    let mut balance = 0;
    for (i, _) in html.match_indices('<') {
        let rest = &html[i + 1..];
        if rest.starts_with('/') {
            balance -= 1;
        } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let name = rest[..rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len())].to_ascii_lowercase();
            let closed = rest.find('>').is_some_and(|end| rest[..end].ends_with('/'));
            balance += i64::from(!VOID.contains(&name.as_str()) && !closed);
        }
    }
    balance
}
