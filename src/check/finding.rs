//! What a rule finds, and where in the site's files that stands.

use std::collections::BTreeMap;
use std::ops::Range;

use super::context::Context;
use super::page::Page;
use crate::config::{self, checks::Level};
use crate::diag::{Diagnostic, Report};
use crate::load::TemplateSource;
use crate::parse::{Doc, Link, widen};
use crate::paths::SourcePath;
use crate::plan::links::From;
use crate::plan::{CopyFrom, JobKind};

/// Something that a rule has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub message: String,
    pub hint: Option<String>,
    pub place: Place,
    /// The page that it shows on.
    pub route: Option<String>,
}

/// Where what a finding is about was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// At the bytes of a file from one place to another.
    At(String, usize, usize),
    /// At the first place of a file that holds this text.
    Text(String, String),
    /// In a file as a whole.
    File(String),
    /// In no file of the site: Folio itself wrote it.
    Unknown,
}

impl Place {
    #[must_use]
    pub fn at(file: &str, span: Range<usize>) -> Self {
        Self::At(file.to_owned(), span.start, span.end)
    }
}

impl Finding {
    pub fn new(message: impl Into<String>, place: Place) -> Self {
        Self { message: message.into(), hint: None, place, route: None }
    }

    /// Says what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the page that it shows on.
    #[must_use]
    pub fn on(mut self, page: &str) -> Self {
        self.route = Some(page.to_owned());
        self
    }
}

/// Makes diagnostics of what the rules have found. The same in several pages is told once, with their number.
#[must_use]
pub fn report(findings: Vec<(&'static str, Level, Finding)>) -> Report {
    type Key = (&'static str, Place, String);
    let mut folded: BTreeMap<Key, (Level, Finding, usize)> = BTreeMap::new();
    for (rule, level, finding) in findings {
        let key = (rule, finding.place.clone(), finding.message.clone());
        let (_, first, count) = folded.entry(key).or_insert_with(|| (level, finding.clone(), 0));
        *count += 1;
        if finding.route < first.route {
            *first = finding;
        }
    }
    folded.into_iter().filter_map(|((rule, ..), (level, finding, count))| diagnostic(rule, level, finding, count)).collect()
}

fn diagnostic(rule: &'static str, level: Level, finding: Finding, count: usize) -> Option<Diagnostic> {
    let d = match level {
        Level::Error => Diagnostic::error(finding.message),
        Level::Warning => Diagnostic::warning(finding.message),
        Level::Off => return None,
    };
    let d = match &finding.place {
        Place::At(file, start, end) => d.in_file(file).at(*start..*end),
        Place::Text(file, text) => d.in_file(file).at_text(text),
        Place::File(file) => d.in_file(file),
        Place::Unknown => d,
    };
    let d = match (&finding.route, count) {
        (None, _) => d,
        (Some(route), 1) if route != "/" && d.message.contains(route.as_str()) => d,
        (Some(route), 1) => d.note(format!("in the page {route}")),
        (Some(route), 2) => d.note(format!("in the page {route} and 1 more")),
        (Some(route), n) => d.note(format!("in the page {route} and {} more", n - 1)),
    };
    let mut d = match finding.hint {
        Some(hint) => d.hint(hint),
        None => d,
    };
    d.route = finding.route;
    Some(d.rule(rule))
}

impl Page<'_> {
    /// The file that the page is made of.
    #[must_use]
    pub fn source(&self) -> Option<&SourcePath> {
        if let JobKind::Copy(CopyFrom::Site(source)) = &self.job.kind {
            return Some(source);
        }
        self.doc().map(|doc| &doc.source)
    }

    /// The start of the file that the page is made of; its template where there is none.
    #[must_use]
    pub fn place(&self) -> Place {
        self.source().map_or_else(|| self.place_of_template(), |source| Place::at(source.as_str(), 0..0))
    }

    /// The text that the page is made of.
    #[must_use]
    pub fn doc(&self) -> Option<&Doc> {
        self.context.plan.doc_of(Context::node(self.job)?)
    }

    /// The links of the text that are written as this address on the page.
    pub fn links<'p>(&'p self, address: &'p str) -> impl Iterator<Item = &'p Link> {
        let written = move |doc: &Doc, link: &Link| {
            let url = self.context.renderer.address(&link.target, From { doc, route: &self.job.route });
            url.is_some_and(|url| as_read(&url) == address)
        };
        self.doc().into_iter().flat_map(move |doc| doc.links.iter().filter(move |link| written(doc, link)))
    }

    /// Where an address on the page was written.
    #[must_use]
    pub fn place_of_address(&self, address: &str) -> Place {
        if let (Some(doc), Some(link)) = (self.doc(), self.links(address).next()) {
            return Place::at(doc.source.as_str(), widen(&link.span));
        }
        let config = self.context.config;
        let items = || config.menu.main.iter().chain(&config.menu.footer).map(|item| &item.url).chain([&config.author.url]);
        let local = |url: &str| config.base_url.local(&format!("/{}", url.trim_start_matches('/')));
        if let Some(url) = items().find(|url| !url.is_empty() && (*url == address || local(url) == address)) {
            return Place::Text(config::FILE.to_owned(), format!("\"{url}\""));
        }
        self.place_of_text(address)
    }

    /// Where a text on the page was written: in its source, else in a template.
    #[must_use]
    pub fn place_of_text(&self, text: &str) -> Place {
        let own = self.source().and_then(|source| Some((source.to_string(), self.context.survey.text(source)?)));
        match own {
            Some((file, whole)) if !text.is_empty() && whole.contains(text) => Place::Text(file, text.to_owned()),
            _ => self.place_in_templates(text),
        }
    }

    /// Where a heading was written.
    #[must_use]
    pub fn place_of_heading(&self, text: &str) -> Place {
        let whole = self.source().and_then(|source| self.context.survey.text(source)).unwrap_or_default();
        let marked = (1..=6).rev().map(|level| format!("{} {text}", "#".repeat(level)));
        let found = marked.into_iter().find(|line| whole.contains(line.as_str()));
        self.place_of_text(found.as_deref().unwrap_or(text))
    }

    /// The template that holds a text, else the one that the page is made with.
    fn place_in_templates(&self, text: &str) -> Place {
        // A short text stands in many by chance.
        const TELLING: usize = 4;
        let holds = || self.context.renderer.templates().iter().find(|t| text.len() >= TELLING && t.text.contains(text));
        match (self.template(), holds()) {
            (Some(_), Some(template)) => Place::Text(TemplateSource::file(&template.name), text.to_owned()),
            (Some(name), None) => Place::File(TemplateSource::file(name)),
            (None, _) => self.source().map_or(Place::Unknown, |source| Place::File(source.to_string())),
        }
    }

    /// The template that the page is made with.
    fn template(&self) -> Option<&str> {
        match &self.job.kind {
            JobKind::Page(id) => self.context.plan.pages.get(*id).map(|page| page.template.as_str()),
            JobKind::Section { section, .. } => self.context.plan.sections.get(*section).map(|section| section.template.as_str()),
            JobKind::Taxonomy(_) => Some("taxonomy.html"),
            JobKind::Term { .. } => Some("term.html"),
            JobKind::Archive | JobKind::Year(_) => Some("archive.html"),
            JobKind::NotFound => Some("404.html"),
            _ => None,
        }
    }

    /// The template that the page is made with, as a whole.
    #[must_use]
    pub fn place_of_template(&self) -> Place {
        self.place_in_templates("")
    }

    /// The line of the page's file that gives this key of the front matter, or its start.
    #[must_use]
    pub fn place_of_key(&self, key: &str) -> Place {
        let Some(source) = self.source() else { return self.place_of_template() };
        let text = self.context.survey.text(source).unwrap_or_default();
        let line = text.lines().take(100).find(|line| line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with([':', '='])));
        match line {
            Some(line) => Place::Text(source.to_string(), line.to_owned()),
            None => self.place(),
        }
    }
}

/// An address as a browser reads it back from the attribute that it was written to.
fn as_read(url: &str) -> String {
    let mut written = String::new();
    // Writing into a text does not fail.
    let _ = pulldown_cmark_escape::escape_href(&mut written, url);
    written.replace("&#x27;", "'").replace("&amp;", "&")
}
