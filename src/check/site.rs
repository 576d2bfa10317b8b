//! The whole site as its rules see it, once every file has been looked at.

use super::context::Context;
use super::finding::Finding;
use super::page::{Kept, Kind, Page};
use super::rules::{feeds, sitemaps};
use crate::config::checks::Level;
use crate::paths::OutPath;
use crate::pipeline::Made;
use crate::plan::{Job, JobKind};

/// Every file of the output, looked at.
pub struct Site<'a> {
    pub context: &'a Context<'a>,
    /// By number; none where a file could not be rendered.
    pub files: Vec<Option<File>>,
}

/// What is known of a file of the output.
pub struct File {
    pub size: u64,
    pub content: Content,
}

/// What a file holds.
pub enum Content {
    Page(Box<Kept>),
    /// With what is wrong with it.
    Feed(Option<String>),
    Sitemap(Result<Vec<String>, String>),
    Other,
}

/// A rule's name and level with what it has found.
pub type Found = (&'static str, Level, Finding);

impl<'a> Site<'a> {
    /// The pages, by number.
    pub fn pages(&self) -> impl Iterator<Item = (usize, &Kept)> {
        self.files.iter().enumerate().filter_map(|(number, file)| match &file.as_ref()?.content {
            Content::Page(kept) => Some((number, &**kept)),
            _ => None,
        })
    }

    #[must_use]
    pub fn page(&self, number: usize) -> Option<&Kept> {
        match &self.files.get(number)?.as_ref()?.content {
            Content::Page(kept) => Some(kept),
            _ => None,
        }
    }

    /// The address of a file below the site's own.
    #[must_use]
    pub fn route(&self, number: usize) -> &str {
        self.context.jobs.get(number).map_or("/", |(_, job)| job.route.as_str())
    }

    /// A page again, without its HTML: for finding the place of something on it.
    #[must_use]
    pub fn bare(&self, number: usize) -> Option<Page<'a>> {
        let (out, job) = *self.context.jobs.get(number)?;
        let kind = Kind::of(out, job).unwrap_or(Kind::Copied);
        Some(Page::read(self.context, job, kind, b""))
    }
}

/// Looks at one file: what is kept of it, and what the rules about pages find.
pub fn look(context: &Context<'_>, out: &OutPath, job: &Job, made: Made) -> (File, Vec<Found>) {
    let kind = Kind::of(out, job);
    let (size, bytes) = match made {
        Made::Rendered(bytes) => (bytes.len() as u64, Some(bytes)),
        Made::Copied(size) => {
            let wanted = kind.is_some() || feeds::is_feed(out, job) || sitemaps::is_sitemap(out);
            let bytes = match &job.kind {
                JobKind::Copy(from) if wanted => context.survey.copied(from),
                _ => None,
            };
            (size, bytes)
        }
    };
    let Some(bytes) = bytes else { return (File { size, content: Content::Other }, Vec::new()) };
    let (content, found) = match kind {
        Some(kind) => {
            let page = Page::read(context, job, kind, &bytes);
            let found = super::rules::on_page(&page);
            (Content::Page(Box::new(page.keep())), found)
        }
        None if feeds::is_feed(out, job) => (Content::Feed(feeds::problem(out, &bytes)), Vec::new()),
        None if sitemaps::is_sitemap(out) => (Content::Sitemap(sitemaps::addresses(&bytes)), Vec::new()),
        None => (Content::Other, Vec::new()),
    };
    (File { size, content }, found)
}
