//! The frame of a plain Markdown table: a scrollable region, a caption, and `scope` on its header
//! cells.

use pulldown_cmark::Alignment;
use pulldown_cmark_escape::escape_html;

use super::body::Body;
use super::snippet::inline_html;
use crate::language::Language;

/// The state of a table that is being written.
#[derive(Debug)]
pub(super) struct Table {
    pub alignments: Vec<Alignment>,
    pub part: Part,
    pub column: usize,
    pub caption: Option<String>,
}

/// The current part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Head,
    Body,
}

impl Table {
    /// The start tag of the next cell.
    pub(super) fn cell(&mut self) -> String {
        let class = match self.alignments.get(self.column) {
            Some(Alignment::Left) => " class=\"left\"",
            Some(Alignment::Center) => " class=\"center\"",
            Some(Alignment::Right) => " class=\"right\"",
            _ => "",
        };
        self.column += 1;
        match self.part {
            Part::Head => format!("<th scope=\"col\"{class}>"),
            Part::Body => format!("<td{class}>"),
        }
    }

    /// Wraps the written rows into their frame; `id` is that of the caption, unique on the page.
    pub(super) fn frame(&self, rows: Body, id: &str, texts: &Language) -> Body {
        let mut framed = Body::default();
        match &self.caption {
            Some(caption) => {
                framed.html.push_str(&format!(
                    "<div class=\"table-frame\" role=\"region\" aria-labelledby=\"{id}\" \
                     tabindex=\"0\">\n<table>\n<caption id=\"{id}\">"
                ));
                framed.html.push_str(&inline_html(caption));
                framed.html.push_str("</caption>\n");
            }
            None => {
                framed.html.push_str("<div class=\"table-frame\" role=\"group\" aria-label=\"");
                let _ = escape_html(&mut framed.html, texts.text("table"));
                framed.html.push_str("\" tabindex=\"0\">\n<table>\n");
            }
        }
        framed.append(rows);
        framed.html.push_str("</tbody>\n</table>\n</div>\n");
        framed
    }
}

/// The caption of a line `{caption="…"}`, if it is one.
pub(super) fn caption(line: &str) -> Option<String> {
    let inner = line.trim().trim_matches('|').trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let value = inner.strip_prefix("caption")?.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '“' | '”'))?;
    let value = &value[quote.len_utf8()..];
    let end = value.rfind(['"', '\'', '”'])?;
    Some(value[..end].to_owned())
}

/// How many cells a row is written with (GFM, "Tables"): the parts between pipes that are not
/// escaped.
pub(super) fn cell_count(row: &str) -> usize {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    let (mut pipes, mut escaped, mut ends_with_pipe) = (0, false, false);
    for c in row.chars() {
        ends_with_pipe = c == '|' && !escaped;
        pipes += usize::from(ends_with_pipe);
        escaped = c == '\\' && !escaped;
    }
    pipes + usize::from(!ends_with_pipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_counted_as_written() {
        for (row, cells) in [
            ("| a | b |", 2),
            ("a | b", 2),
            ("|a|b", 2),
            (r"| a \| b |", 1),
            (r"| a \\| b |", 2),
            ("| `x|y` |", 2),
            ("|  |", 1),
            ("| a || b |", 3),
        ] {
            assert_eq!(cell_count(row), cells, "{row}");
        }
    }

    #[test]
    fn captions() {
        assert_eq!(caption("{caption=\"A \\ b\"}").as_deref(), Some("A \\ b"));
        assert_eq!(caption("| {caption='x'} |").as_deref(), Some("x"));
        assert_eq!(caption("{captain=\"x\"}"), None);
        assert_eq!(caption("caption=\"x\""), None);
    }
}
