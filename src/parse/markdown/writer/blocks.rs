//! The start and end of block elements.

use std::ops::Range;

use pulldown_cmark::{BlockQuoteKind, CowStr, Event, HeadingLevel, Tag, TagEnd};

use super::{Before, Events, FrameKind, HeadingStart, Writer};
use crate::parse::body::HoleKind;
use crate::parse::markdown::alert::{self, AlertProblem};
use crate::parse::markdown::content::Flavor;
use crate::parse::markdown::title::same_title;
use crate::parse::outline::Heading;
use crate::parse::remark::Remark;
use crate::parse::table::{Part, Table, caption, cell_count};

impl<'a> Writer<'a, '_> {
    pub(super) fn start(&mut self, tag: Tag<'a>, range: Range<usize>, events: &mut Events<'a>) {
        match tag {
            Tag::Paragraph => {
                if self.is_top_level() && self.before == Before::Nothing {
                    self.before = Before::LeadsOn;
                }
                self.fresh_line();
                self.push("<p>");
            }
            Tag::Heading { level, id, classes, attrs } => {
                self.start_heading(level, id, &classes, &attrs, range);
            }
            Tag::BlockQuote(kind) => self.start_quote(kind, &range),
            Tag::CodeBlock(kind) => self.code_block(&kind, range, events),
            Tag::HtmlBlock => self.html_block(events),
            Tag::List(start) => self.start_list(start),
            Tag::Item => self.open("<li>"),
            Tag::FootnoteDefinition(name) => self.start_footnote(name.into_string()),
            Tag::DefinitionList => self.open("<dl>\n"),
            Tag::DefinitionListTitle => self.open("<dt>"),
            Tag::DefinitionListDefinition => self.open("<dd>"),
            Tag::Table(alignments) => {
                self.containers += 1;
                self.open_frame(FrameKind::Table(Table {
                    alignments,
                    part: Part::Head,
                    column: 0,
                    caption: None,
                }));
            }
            Tag::TableHead => self.push("<thead>\n<tr>"),
            Tag::TableRow => self.open_frame(FrameKind::Row),
            Tag::TableCell => self.start_cell(),
            Tag::Emphasis => self.push("<em>"),
            Tag::Strong => self.push("<strong>"),
            Tag::Strikethrough => self.push("<del>"),
            Tag::Superscript => self.push("<sup>"),
            Tag::Subscript => self.push("<sub>"),
            Tag::Link { link_type, dest_url, title, .. } => {
                self.start_link(link_type, &dest_url, &title, range);
            }
            Tag::Image { dest_url, title, .. } => self.image(&dest_url, &title, range, events),
            Tag::MetadataBlock(_) => {}
        }
    }

    pub(super) fn end(&mut self, tag: TagEnd, range: Range<usize>, events: &mut Events<'a>) {
        match tag {
            TagEnd::Paragraph => self.end_paragraph(),
            TagEnd::Heading(level) => self.end_heading(level),
            TagEnd::BlockQuote(kind) => {
                self.leave_container();
                self.push(if kind.is_some() && self.cx.flavor == Flavor::Folio {
                    "</div>\n"
                } else {
                    "</blockquote>\n"
                });
                self.block_ends(Before::Block);
            }
            TagEnd::List(ordered) => self.close(if ordered { "</ol>\n" } else { "</ul>\n" }),
            TagEnd::Item => self.close("</li>\n"),
            TagEnd::FootnoteDefinition => self.end_footnote(),
            TagEnd::DefinitionList => self.close("</dl>\n"),
            TagEnd::DefinitionListTitle => self.close("</dt>\n"),
            TagEnd::DefinitionListDefinition => self.close("</dd>\n"),
            TagEnd::Table => self.end_table(events),
            TagEnd::TableHead => self.end_table_head(),
            TagEnd::TableRow => self.end_row(range),
            TagEnd::TableCell => self.end_cell(),
            TagEnd::Emphasis => self.push("</em>"),
            TagEnd::Strong => self.push("</strong>"),
            TagEnd::Strikethrough => self.push("</del>"),
            TagEnd::Superscript => self.push("</sup>"),
            TagEnd::Subscript => self.push("</sub>"),
            TagEnd::Link => self.push("</a>"),
            TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::Image | TagEnd::MetadataBlock(_) => {}
        }
    }

    /// Opens a container block.
    fn open(&mut self, html: &str) {
        if self.before == Before::Nothing {
            self.before = Before::LeadsOn;
        }
        self.end_run();
        self.fresh_line();
        self.push(html);
        self.containers += 1;
    }

    fn close(&mut self, html: &str) {
        self.end_run();
        self.leave_container();
        self.push(html);
        self.block_ends(Before::Block);
    }

    fn start_list(&mut self, start: Option<u64>) {
        match start {
            None => self.open("<ul>\n"),
            Some(1) => self.open("<ol>\n"),
            Some(n) => self.open(&format!("<ol start=\"{n}\">\n")),
        }
    }

    fn start_quote(&mut self, kind: Option<BlockQuoteKind>, range: &Range<usize>) {
        if kind.is_none() && self.cx.flavor == Flavor::Folio {
            self.check_alert(range);
        }
        let class = match kind {
            None => return self.open("<blockquote>\n"),
            Some(BlockQuoteKind::Note) => "note",
            Some(BlockQuoteKind::Tip) => "tip",
            Some(BlockQuoteKind::Important) => "important",
            Some(BlockQuoteKind::Warning) => "warning",
            Some(BlockQuoteKind::Caution) => "caution",
        };
        self.open(&format!(
            "<div class=\"alert alert-{class}\" role=\"note\">\n<p class=\"alert-title\">"
        ));
        let settings = self.cx.settings;
        self.escape_text(settings.texts.text(class));
        self.push("</p>\n");
    }

    /// Reports a block quote that starts like an alert and is none.
    fn check_alert(&mut self, range: &Range<usize>) {
        match alert::problem(&self.cx.text[range.clone()], range.start) {
            Some(AlertProblem::UnknownKind(error)) => self.error(error),
            Some(AlertProblem::Title(remark)) => self.remark(remark),
            None => {}
        }
    }

    fn end_paragraph(&mut self) {
        self.push("</p>\n");
        let leads_on = self.run.trim_end().ends_with([':', '：']);
        if self.content.lead.is_empty() && self.is_top_level() {
            self.content.lead = lead(&self.run);
        }
        self.block_ends(if leads_on { Before::LeadsOn } else { Before::Block });
    }

    fn start_heading(
        &mut self,
        level: HeadingLevel,
        id: Option<CowStr<'a>>,
        classes: &[CowStr<'a>],
        attrs: &[(CowStr<'a>, Option<CowStr<'a>>)],
        range: Range<usize>,
    ) {
        let opens_text =
            level == HeadingLevel::H1 && self.is_top_level() && self.before == Before::Nothing;
        self.end_run();
        let attributes = heading_attributes(classes, attrs);
        self.open_frame(FrameKind::Heading(HeadingStart {
            id: id.map(CowStr::into_string),
            attributes,
            range,
            opens_text,
        }));
    }

    fn end_heading(&mut self, level: HeadingLevel) {
        let frame = self.close_frame();
        let FrameKind::Heading(start) = frame.kind else { return };
        let text = self.run.split_whitespace().collect::<Vec<_>>().join(" ");
        if start.opens_text && self.cx.flavor == Flavor::Folio {
            self.content.opening_title = Some(text.clone());
            if self.cx.title.is_none_or(|t| same_title(t, &text)) {
                self.run.clear();
                self.before = Before::LeadsOn;
                return;
            }
        }
        let level = (level as u8 + self.cx.shift).min(6);
        self.fresh_line();
        if self.cx.flavor == Flavor::CommonMark {
            self.push(&format!("<h{level}>"));
            self.body().append(frame.body);
            self.push(&format!("</h{level}>\n"));
            return self.end_run();
        }
        if let Some(id) = start.id.as_deref().filter(|id| self.ids.is_taken(id)) {
            self.remark(
                Remark::new(format!("this page has two headings with the id `{id}`"), start.range)
                    .hint("the second one gets a number; give it another id"),
            );
        }
        let id = self.ids.give(start.id.as_deref(), &text);
        self.push(&format!("<h{level} id=\""));
        self.escape_attribute(&id);
        self.push(&format!("\"{}>", start.attributes));
        self.body().append(frame.body);
        if self.cx.settings.markdown.heading_anchors && !text.is_empty() {
            let values = [("title", super::without_nul(&text).into_owned())];
            let label = self.cx.settings.texts.translate("link_to_section", None, &values);
            let label = label.unwrap_or_default().into();
            self.body().hole(HoleKind::HeadingLink { id: id.as_str().into(), label });
        }
        self.push(&format!("</h{level}>\n"));
        self.content.outline.push(Heading { level, id: id.into(), title: text.into() });
        self.block_ends(Before::LeadsOn);
    }

    fn start_cell(&mut self) {
        let table = self.frames.iter_mut().rev().find_map(|f| match &mut f.kind {
            FrameKind::Table(table) => Some(table),
            _ => None,
        });
        let html = table.map_or(String::new(), Table::cell);
        self.push(&html);
    }

    fn end_cell(&mut self) {
        self.end_run();
        let part = self.frames.iter().rev().find_map(|f| match &f.kind {
            FrameKind::Table(table) => Some(table.part),
            _ => None,
        });
        if part != Some(Part::Head) {
            return self.push("</td>");
        }
        // A cell without text is not a header.
        let html = &mut self.body().html;
        let empty = html
            .rfind("<th scope=\"col\"")
            .filter(|at| html[*at..].find('>') == Some(html.len() - at - 1));
        match empty {
            Some(at) => {
                let attributes = html[at..].trim_start_matches("<th scope=\"col\"").to_owned();
                html.truncate(at);
                html.push_str("<td");
                html.push_str(&attributes);
                html.push_str("</td>");
            }
            None => html.push_str("</th>"),
        }
    }

    fn end_table_head(&mut self) {
        self.push("</tr>\n</thead>\n<tbody>\n");
        if let Some(FrameKind::Table(table)) = self.frames.last_mut().map(|f| &mut f.kind) {
            table.part = Part::Body;
            table.column = 0;
        }
    }

    fn end_row(&mut self, range: Range<usize>) {
        let row = self.close_frame().body;
        let found = caption(&self.cx.text[range.clone()]);
        if found.is_none() && self.cx.flavor == Flavor::Folio {
            self.check_cells(range);
        }
        if let Some(FrameKind::Table(table)) = self.frames.last_mut().map(|f| &mut f.kind) {
            table.column = 0;
            if found.is_some() {
                table.caption = found;
                return;
            }
        }
        self.push("<tr>");
        self.body().append(row);
        self.push("</tr>\n");
    }

    /// Reports cells that are left out, because the table's head has fewer columns (GFM, "Tables").
    fn check_cells(&mut self, range: Range<usize>) {
        let Some(FrameKind::Table(table)) = self.frames.last().map(|f| &f.kind) else { return };
        let columns = table.alignments.len();
        let cells = cell_count(&self.cx.text[range.clone()]);
        if cells > columns {
            self.remark(
                Remark::new(
                    format!(
                        "this row has {cells} cells, and its table {columns} columns: the rest is \
                         left out"
                    ),
                    range,
                )
                .hint("add columns to the head of the table, or write a pipe in a cell as `\\|`"),
            );
        }
    }

    fn end_table(&mut self, events: &mut Events<'a>) {
        let frame = self.close_frame();
        self.containers = self.containers.saturating_sub(1);
        let FrameKind::Table(mut table) = frame.kind else { return };
        if let Some(text) = self.caption_paragraph(events) {
            table.caption = Some(text);
        }
        self.tables += 1;
        self.fresh_line();
        let id = self.ids.give(Some(&format!("table-{}", self.tables)), "");
        let framed = table.frame(frame.body, &id, &self.cx.settings.texts);
        self.body().append(framed);
        self.block_ends(Before::Block);
    }

    /// Reads a paragraph `{caption="…"}` after a table.
    fn caption_paragraph(&mut self, events: &mut Events<'a>) -> Option<String> {
        let Some((Event::Start(Tag::Paragraph), range)) = events.peek() else { return None };
        let found =
            caption(&self.cx.text[range.start + self.cx.offset..range.end + self.cx.offset])?;
        for (event, _) in events.by_ref() {
            if matches!(event, Event::End(TagEnd::Paragraph)) {
                break;
            }
        }
        Some(found)
    }
}

/// Classes, and those other attributes that cannot run code.
fn heading_attributes(
    classes: &[CowStr<'_>],
    attrs: &[(CowStr<'_>, Option<CowStr<'_>>)],
) -> String {
    let mut out = String::new();
    let mut add = |name: &str, value: &str| {
        out.push_str(&format!(" {name}=\""));
        let _ = pulldown_cmark_escape::escape_html(&mut out, value);
        out.push('"');
    };
    if !classes.is_empty() {
        add("class", &classes.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(" "));
    }
    for (name, value) in attrs {
        let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if plain && (name.starts_with("data-") || matches!(&**name, "lang" | "dir" | "title")) {
            add(name, value.as_deref().unwrap_or_default());
        }
    }
    out
}

/// A paragraph as a description: one line, shortened after a word near 200 characters.
fn lead(run: &str) -> String {
    let text = run.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= 200 {
        return text;
    }
    let cut: String = text.chars().take(200).collect();
    let end = cut.rfind(' ').unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', ';', ':', '.']))
}
