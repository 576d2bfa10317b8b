//! Inline elements: links, images, code, formulas and raw HTML.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, TagEnd};
use pulldown_cmark_escape::escape_href;
use pulldown_latex::config::DisplayMode;

use super::{Before, Events, Writer};
use crate::config::UnsafeHtml;
use crate::diag::Diagnostic;
use crate::parse::body::HoleKind;
use crate::parse::link::{Link, LinkKind, Target, classify, suspicious_scheme};
use crate::parse::markdown::content::Flavor;
use crate::parse::markdown::title::is_comment;
use crate::parse::math;
use crate::parse::raw_html::{self, Found, Holds};
use crate::parse::remark::{Remark, narrow};

impl<'a> Writer<'a, '_> {
    pub(super) fn code_span(&mut self, text: &str) {
        self.push("<code>");
        self.escape_text(text);
        self.push("</code>");
        self.push_plain(text);
    }

    pub(super) fn task(&mut self, done: bool) {
        let (checked, key) = if done { ("checked=\"\" ", "done") } else { ("", "to_do") };
        self.push(&format!("<input type=\"checkbox\" disabled=\"\" {checked}aria-label=\""));
        let settings = self.cx.settings;
        self.escape_attribute(settings.texts.text(key));
        self.push("\" /> ");
    }

    pub(super) fn math(&mut self, tex: &str, range: Range<usize>, display: DisplayMode) {
        match math::render(tex, display) {
            Ok(mathml) => self.push(&mathml),
            Err(reason) => {
                self.remark(
                    Remark::new(format!("this formula is invalid: {reason}"), range)
                        .hint("it is shown as it is written"),
                );
                self.code_span(tex);
            }
        }
    }

    pub(super) fn start_link(
        &mut self,
        kind: LinkType,
        url: &str,
        title: &str,
        range: Range<usize>,
    ) {
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

    /// Reads an image to its end: the text between the brackets is its text alternative.
    pub(super) fn image(
        &mut self,
        url: &str,
        title: &str,
        range: Range<usize>,
        events: &mut Events<'a>,
    ) {
        let mut alt = String::new();
        let mut depth = 1;
        for (event, _) in events.by_ref() {
            match event {
                Event::Start(pulldown_cmark::Tag::Image { .. }) => depth += 1,
                Event::End(TagEnd::Image) => depth -= 1,
                Event::Text(t)
                | Event::Code(t)
                | Event::InlineMath(t)
                | Event::DisplayMath(t)
                | Event::InlineHtml(t) => alt.push_str(&t),
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
        self.push(if self.cx.flavor == Flavor::Folio {
            " loading=\"lazy\" decoding=\"async\" />"
        } else {
            " />"
        });
    }

    /// The URL of a link: a hole, or the attribute itself in plain CommonMark.
    fn address(&mut self, kind: LinkKind, url: &str, range: Range<usize>) {
        if self.cx.flavor == Flavor::CommonMark {
            self.push(if kind == LinkKind::Image { " src=\"" } else { " href=\"" });
            let _ = escape_href(&mut self.body().html, url);
            return self.push("\"");
        }
        let target = classify(url, self.cx.source.parent(), kind);
        if let Some((problem, help)) = suspicious_scheme(&target) {
            self.remark(Remark::new(problem, range.clone()).hint(help));
        }
        if target == Target::Dead {
            self.remark(Remark::new(
                "this link would run code in the reader's browser, so its URL is removed",
                range.clone(),
            ));
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
            } else {
                self.misplaced_more(from..from + text.trim_end().len());
            }
            return;
        }
        self.fresh_line();
        self.raw_html(&text, from..from + text.len());
        if self.cx.flavor == Flavor::Folio {
            self.fresh_line();
        }
        // A comment is not a block for readers.
        if self.cx.flavor == Flavor::CommonMark || !is_comment(&text) {
            self.block_ends(Before::Block);
        }
    }

    /// Applies the site's policy for raw HTML.
    pub(super) fn raw_html(&mut self, html: &str, range: Range<usize>) {
        if self.cx.flavor == Flavor::CommonMark {
            return self.push(html);
        }
        if has_more_mark(html) {
            self.misplaced_more(range.clone());
        }
        if self.is_stray_component(&range) {
            self.escape_text(html);
            return self.push_plain(html);
        }
        match self.cx.settings.markdown.unsafe_html {
            UnsafeHtml::Allow => self.allowed_html(html, range.start),
            UnsafeHtml::Strip => {
                let text = raw_html::text(html);
                self.escape_text(&text);
                if let Some(hidden) =
                    raw_html::hides(html).filter(|_| text.is_empty() && !html.contains("</"))
                {
                    self.hidden = hidden;
                } else if raw_html::hides(html) == Some(false) {
                    self.hidden = false;
                }
            }
            UnsafeHtml::Error if is_comment(html) => {}
            UnsafeHtml::Error => self.error(
                Diagnostic::error("HTML in Markdown is not allowed on this site").at(range).hint(
                    "use Markdown or a component, or set markdown.unsafe_html = \"allow\" \
                           in site.toml",
                ),
            ),
        }
    }

    /// Reports a mark for the end of the excerpt that is not alone between blocks.
    fn misplaced_more(&mut self, range: Range<usize>) {
        self.remark(Remark::new("`<!-- more -->` has no effect here", range).hint(
            "put it on a line of its own between two paragraphs, outside of lists and quotes",
        ));
    }

    /// Whether a tag is a component call that is not alone on its line; it stays text, with a
    /// warning.
    fn is_stray_component(&mut self, range: &Range<usize>) -> bool {
        let text = self.cx.text;
        let (Some(before), Some(after)) = (text.get(..range.start), text.get(range.end..)) else {
            return false;
        };
        let line = before.rsplit('\n').next().unwrap_or_default();
        let stray = (line.ends_with("{{") && after.starts_with("}}"))
            || (line.trim_end().ends_with("{%") && after.trim_start_matches(' ').starts_with("%}"));
        if stray {
            self.remark(
                Remark::new(
                    "this component call is shown as text, because it is not alone on its line",
                    range.clone(),
                )
                .hint("put it on a line of its own, outside of block quotes"),
            );
        }
        stray
    }

    /// Keeps HTML, makes its links symbolic, and removes those that run code.
    fn allowed_html(&mut self, html: &str, offset: usize) {
        let inspected = raw_html::inspect(html);
        self.html_depth += inspected.balance;
        // A tag that does not end here would swallow what follows, so it is written as text.
        let end =
            inspected.unfinished.filter(|at| html.is_char_boundary(*at)).unwrap_or(html.len());
        let mut from = 0;
        for found in inspected.found {
            match found {
                Found::Id(id) => self.content.anchors.push(id),
                Found::Url { value, range, holds } if range.end <= end => {
                    let kind =
                        if holds == Holds::Picture { LinkKind::Image } else { LinkKind::Anchor };
                    let target = classify(&value, self.cx.source.parent(), kind);
                    if !matches!(target, Target::External(_) | Target::Scheme(_)) {
                        let kind = if holds == Holds::Picture {
                            LinkKind::ImageAttribute
                        } else {
                            LinkKind::Attribute
                        };
                        self.replace_value(html, &mut from, (range, kind), target, offset);
                    }
                }
                Found::Code { range } if range.end <= end => {
                    let place = (range, LinkKind::Attribute);
                    self.replace_value(html, &mut from, place, Target::Dead, offset);
                }
                Found::Policy { at, url } if at <= end => {
                    let target = classify(&url, self.cx.source.parent(), LinkKind::Anchor);
                    if matches!(target, Target::External(_)) && at >= from {
                        self.push(html.get(from..at).unwrap_or_default());
                        self.link(Link {
                            kind: LinkKind::Policy,
                            target,
                            span: narrow(&(offset + at..offset + at + 1)),
                        });
                        from = at;
                    }
                }
                _ => {}
            }
        }
        self.push(html.get(from..end).unwrap_or_default());
        self.escape_text(&html[end..]);
    }

    /// Writes raw HTML up to the value of an attribute, and a link instead of the value.
    fn replace_value(
        &mut self,
        html: &str,
        from: &mut usize,
        (range, kind): (Range<usize>, LinkKind),
        target: Target,
        offset: usize,
    ) {
        let (Some(before), Some(so_far)) = (html.get(*from..range.start), html.get(..range.start))
        else {
            return;
        };
        let bare = !so_far.ends_with(['"', '\'']);
        let span = offset + range.start..offset + range.end;
        self.push(before);
        self.push(if bare { "\"" } else { "" });
        if target == Target::Dead {
            self.remark(Remark::new(
                "this link would run code in the reader's browser, so its URL is removed",
                span.clone(),
            ));
        }
        self.link(Link { kind, target, span: narrow(&span) });
        self.push(if bare { "\"" } else { "" });
        *from = range.end;
    }
}

/// Whether a comment in a piece of HTML marks the end of the excerpt.
fn has_more_mark(html: &str) -> bool {
    html.match_indices("<!--").any(|(at, _)| {
        html[at..].find("-->").is_some_and(|end| is_more_mark(&html[at..at + end + 3]))
    })
}

fn is_more_mark(html: &str) -> bool {
    let inner = html.trim().strip_prefix("<!--").and_then(|t| t.strip_suffix("-->"));
    inner.is_some_and(|t| t.trim().eq_ignore_ascii_case("more"))
}
