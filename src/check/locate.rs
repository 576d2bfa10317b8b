//! Finds where what a rule has found on a page was written. Called only when there is a finding.

use std::collections::HashMap;

use super::finding::FindingLocation;
use super::page::Page;
use crate::config;
use crate::load::TemplateSource;
use crate::parse::{Doc, Link, widen};
use crate::paths::SourcePath;
use crate::plan::links::From;
use crate::plan::{CopyFrom, JobKind};

impl Page<'_> {
    /// The file that the page is rendered from.
    #[must_use]
    pub fn source(&self) -> Option<&SourcePath> {
        if let JobKind::Copy(CopyFrom::Site(source)) = &self.job.kind {
            return Some(source);
        }
        self.doc().map(|doc| &doc.source)
    }

    /// The start of the page's file, or its template when there is none.
    #[must_use]
    pub fn location(&self) -> FindingLocation {
        self.source().map_or_else(
            || self.template_location(),
            |source| FindingLocation::at(source.as_str(), 0..0),
        )
    }

    /// The document that the page is rendered from.
    #[must_use]
    pub fn doc(&self) -> Option<&Doc> {
        self.context.plan.doc_of(self.context.plan.node_of(self.job)?)
    }

    /// The links of the document that are written as this URL on the page.
    pub fn links<'p>(&'p self, written_url: &str) -> impl Iterator<Item = &'p Link> {
        let doc = self.doc();
        let numbers = self.links_by_url.get_or_init(|| self.index_links()).get(written_url);
        numbers.into_iter().flatten().filter_map(move |n| doc?.links.get(*n))
    }

    fn index_links(&self) -> HashMap<String, Vec<usize>> {
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        let Some(doc) = self.doc() else { return index };
        for (number, link) in doc.links.iter().enumerate() {
            let from = From { doc, route: &self.job.route };
            if let Some(url) = self.context.renderer.link_url(&link.target, from) {
                index.entry(as_in_attribute(&url)).or_default().push(number);
            }
            // Metadata names pictures by their whole URL.
            if let Some(url) = self.context.renderer.link_permalink(&link.target, from) {
                index.entry(as_in_attribute(&url)).or_default().push(number);
            }
        }
        index
    }

    /// Where a URL of the page was written: in its document, in `site.toml` or in a template.
    #[must_use]
    pub fn url_location(&self, url: &str) -> FindingLocation {
        if let (Some(doc), Some(link)) = (self.doc(), self.links(url).next()) {
            return FindingLocation::at(doc.source.as_str(), widen(&link.span));
        }
        let config = self.context.config;
        let local =
            |item: &str| config.base_url.local(&format!("/{}", item.trim_start_matches('/')));
        if let Some(item) =
            config.urls().find(|item| !item.is_empty() && (*item == url || local(item) == url))
        {
            return FindingLocation::Text(config::FILE.to_owned(), format!("\"{item}\""));
        }
        self.text_location(url)
    }

    /// Where a text of the page was written: in its source or in a template.
    #[must_use]
    pub fn text_location(&self, text: &str) -> FindingLocation {
        let own = self
            .source()
            .and_then(|source| Some((source.to_string(), self.context.dry_run.text(source)?)));
        match own {
            Some((file, whole)) if !text.is_empty() && whole.contains(text) => {
                FindingLocation::Text(file, text.to_owned())
            }
            _ => self.location_in_templates(text),
        }
    }

    /// Where a heading was written.
    #[must_use]
    pub fn heading_location(&self, text: &str) -> FindingLocation {
        let whole =
            self.source().and_then(|source| self.context.dry_run.text(source)).unwrap_or_default();
        let markdown = (1..=6).rev().map(|level| format!("{} {text}", "#".repeat(level)));
        let found = markdown.into_iter().find(|line| whole.contains(line.as_str()));
        self.text_location(found.as_deref().unwrap_or(text))
    }

    /// The template of the site that contains a text, or the one that renders the page. When that
    /// is a template of the default theme, the site has no such file, and the page's own is named.
    fn location_in_templates(&self, text: &str) -> FindingLocation {
        // A shorter text occurs in many templates by chance.
        const MIN_LENGTH: usize = 4;
        let containing = || {
            self.context
                .renderer
                .templates()
                .iter()
                .filter(|t| text.len() >= MIN_LENGTH && t.text.contains(text))
                .find(|t| self.is_own_template(&t.name))
        };
        let template = self.template().filter(|name| self.is_own_template(name));
        if self.template().is_some()
            && let Some(template) = containing()
        {
            return FindingLocation::Text(TemplateSource::file(&template.name), text.to_owned());
        }
        match template {
            Some(name) => FindingLocation::File(TemplateSource::file(name)),
            None => self.source().map_or(FindingLocation::Generated, |source| {
                FindingLocation::File(source.to_string())
            }),
        }
    }

    fn is_own_template(&self, name: &str) -> bool {
        self.context.renderer.has_own_template(name)
    }

    /// The template that renders the page.
    fn template(&self) -> Option<&str> {
        match &self.job.kind {
            JobKind::Page(id) => {
                self.context.plan.pages.get(*id).map(|page| page.template.as_str())
            }
            JobKind::Section { section, .. } => {
                self.context.plan.sections.get(*section).map(|section| section.template.as_str())
            }
            JobKind::Taxonomy(_) => Some("taxonomy.html"),
            JobKind::Term { .. } => Some("term.html"),
            JobKind::Archive | JobKind::Year(_) => Some("archive.html"),
            JobKind::NotFound => Some("404.html"),
            _ => None,
        }
    }

    /// The template that renders the page, as a whole.
    #[must_use]
    pub fn template_location(&self) -> FindingLocation {
        self.location_in_templates("")
    }

    /// The line of the page's file that sets a key of the front matter, or the start of the file.
    #[must_use]
    pub fn key_location(&self, key: &str) -> FindingLocation {
        let Some(source) = self.source() else { return self.template_location() };
        let text = self.context.dry_run.text(source).unwrap_or_default();
        let line = text.lines().take(100).find(|line| {
            line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with([':', '=']))
        });
        match line {
            Some(line) => FindingLocation::Text(source.to_string(), line.to_owned()),
            None => self.location(),
        }
    }
}

/// A URL as a browser reads it from the attribute that it was written to.
fn as_in_attribute(url: &str) -> String {
    let mut written = String::new();
    // Writing to a string cannot fail.
    let _ = pulldown_cmark_escape::escape_href(&mut written, url);
    written.replace("&#x27;", "'").replace("&amp;", "&")
}
