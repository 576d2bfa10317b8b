//! Code blocks.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, TagEnd};
use pulldown_cmark_escape::escape_html;

use super::{Before, Events, Writer};
use crate::parse::fence::Fence;
use crate::parse::highlight::{self, Grammar};
use crate::parse::literal::is_diagram;
use crate::parse::markdown::content::Flavor;
use crate::parse::remark::{Remark, narrow};

impl<'a> Writer<'a, '_> {
    /// Reads a code block to its end and writes it.
    pub(super) fn code_block(
        &mut self,
        kind: &CodeBlockKind<'a>,
        range: Range<usize>,
        events: &mut Events<'a>,
    ) {
        let mut code = String::new();
        for (event, _) in events.by_ref() {
            match event {
                Event::Text(text) => code.push_str(&text),
                Event::End(TagEnd::CodeBlock) => break,
                _ => {}
            }
        }
        self.fresh_line();
        let info = match kind {
            CodeBlockKind::Indented => "",
            CodeBlockKind::Fenced(info) => info,
        };
        if self.cx.flavor == Flavor::CommonMark {
            self.plain_block(info, &code);
            return;
        }
        let (fence, unknown) = Fence::parse(info);
        let info_range = self.info_range(&range);
        for part in unknown {
            self.remark(
                Remark::new(format!("unknown option `{part}` of a code block"), info_range.clone())
                    .hint("options are linenos, linenostart, name, hl_lines, ins and del"),
            );
        }
        let grammar = highlight::grammar(&fence.language);
        if matches!(kind, CodeBlockKind::Fenced(_)) && !is_closed(&self.cx.text[range.clone()]) {
            self.remark(
                Remark::new("this code block is not closed", range.start..info_range.end).hint(
                    "everything after it is shown as code: write its closing fence on a line of \
                     its own",
                ),
            );
        }
        // Diagrams have a warning of their own.
        if matches!(grammar, Grammar::Unknown) && !is_diagram(&fence.language) {
            self.content.unknown_languages.push((fence.language.clone(), narrow(&info_range)));
        }
        let html = write_block(
            &fence,
            &highlight::lines(&code, &grammar, self.cache),
            self.cx.settings.line_numbers,
        );
        self.push(&html);
        self.block_ends(Before::Block);
    }

    /// Writes the output of CommonMark §4.4 and §4.5.
    fn plain_block(&mut self, info: &str, code: &str) {
        let language = info.split(' ').next().unwrap_or_default();
        if language.is_empty() {
            self.push("<pre><code>");
        } else {
            self.push("<pre><code class=\"language-");
            self.escape_attribute(language);
            self.push("\">");
        }
        self.escape_text(code);
        self.push("</code></pre>\n");
    }

    /// The location of the info string: the first line of the block, after its fence.
    fn info_range(&self, range: &Range<usize>) -> Range<usize> {
        let line = self.cx.text[range.clone()].lines().next().unwrap_or_default();
        let fence = line.len() - line.trim_start_matches(['`', '~', ' ']).len();
        range.start + fence..range.start + line.len()
    }
}

/// Whether a fenced code block ends with a closing fence (CommonMark §4.5). Its lines may start
/// with the markers of the quotes and lists that contain it.
fn is_closed(block: &str) -> bool {
    let fence = block.trim_start();
    let Some(mark) = fence.chars().next() else { return true };
    let length = fence.len() - fence.trim_start_matches(mark).len();
    let mut lines = block.trim_end_matches(['\r', '\n']).lines();
    let (Some(_), Some(last)) = (lines.next(), lines.next_back()) else { return false };
    let last = last.trim_start_matches([' ', '\t', '>']).trim_end();
    last.len() >= length && last.chars().all(|c| c == mark)
}

fn write_block(fence: &Fence, lines: &[String], line_numbers: bool) -> String {
    let numbered = fence.line_numbers.unwrap_or(line_numbers);
    let marked =
        !(fence.highlighted.is_empty() && fence.inserted.is_empty() && fence.deleted.is_empty());
    let mut out = String::with_capacity(lines.iter().map(|l| l.len() + 1).sum::<usize>() + 128);
    if let Some(name) = &fence.name {
        out.push_str("<figure class=\"code-file\">\n<figcaption>");
        let _ = escape_html(&mut out, name);
        out.push_str("</figcaption>\n");
    }
    out.push_str(if numbered {
        "<pre class=\"code numbered\" tabindex=\"0\"><code"
    } else {
        "<pre class=\"code\" tabindex=\"0\"><code"
    });
    if !fence.language.is_empty() {
        out.push_str(" class=\"language-");
        let _ = escape_html(&mut out, &fence.language);
        out.push('"');
    }
    out.push('>');
    for (i, line) in lines.iter().enumerate() {
        if numbered || marked {
            out.push_str(&wrapped(fence, i, line, numbered));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out.push_str("</code></pre>\n");
    if fence.name.is_some() {
        out.push_str("</figure>\n");
    }
    out
}

/// A line with its number and highlighting. The number is an attribute, so that it is not copied.
fn wrapped(fence: &Fence, index: usize, line: &str, numbered: bool) -> String {
    let number = index + 1;
    let mut class = String::from("line");
    let (mut open, mut close) = ("span", "span");
    if fence.highlighted.contains(number) {
        class.push_str(" marked");
        (open, close) = ("mark", "mark");
    }
    if fence.inserted.contains(number) {
        class.push_str(" ins");
        (open, close) = ("ins", "ins");
    } else if fence.deleted.contains(number) {
        class.push_str(" del");
        (open, close) = ("del", "del");
    }
    let data = if numbered {
        format!(" data-line=\"{}\"", fence.first_line.saturating_add(index))
    } else {
        String::new()
    };
    format!("<{open} class=\"{class}\"{data}>{line}</{close}>")
}
