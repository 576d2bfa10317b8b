//! The whole site as the rules see it, once every file has been visited.

use super::context::Context;
use super::page::{Page, PageSummary};
use super::page_kind::PageKind;

/// Every file of the output, after it was visited.
pub struct CheckedSite<'a> {
    pub context: &'a Context<'a>,
    /// By index; `None` for a file that could not be rendered.
    pub files: Vec<Option<CheckedFile>>,
}

/// What is known of a file of the output.
pub struct CheckedFile {
    /// In bytes.
    pub size: u64,
    pub content: FileContent,
}

/// What a file contains.
pub enum FileContent {
    Page(Box<PageSummary>),
    /// A feed, with its problem if it has one.
    Feed(Option<String>),
    /// The URLs of a sitemap, or why it cannot be read.
    Sitemap(Result<Vec<String>, String>),
    Other,
}

impl<'a> CheckedSite<'a> {
    /// The pages, with their indices.
    pub fn pages(&self) -> impl Iterator<Item = (usize, &PageSummary)> {
        self.files.iter().enumerate().filter_map(|(index, file)| match &file.as_ref()?.content {
            FileContent::Page(page) => Some((index, &**page)),
            _ => None,
        })
    }

    /// The page with this index.
    #[must_use]
    pub fn page(&self, index: usize) -> Option<&PageSummary> {
        match &self.files.get(index)?.as_ref()?.content {
            FileContent::Page(page) => Some(page),
            _ => None,
        }
    }

    /// The route of a file.
    #[must_use]
    pub fn route(&self, index: usize) -> &str {
        self.context.jobs.get(index).map_or("/", |(_, job)| job.route.as_str())
    }

    /// A page without its HTML, for finding where something on it was written.
    #[must_use]
    pub fn page_without_html(&self, index: usize) -> Option<Page<'a>> {
        let (out, job) = *self.context.jobs.get(index)?;
        let kind = PageKind::of(out, job).unwrap_or(PageKind::Copy);
        Some(Page::read(self.context, job, kind, b""))
    }
}
