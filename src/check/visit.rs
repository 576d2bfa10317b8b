//! Visits a rendered file: runs the rules about pages, and keeps what rules about the site need.

use super::context::Context;
use super::page::Page;
use super::page_kind::PageKind;
use super::rules::{self, RuleFinding};
use super::site::{CheckedFile, FileContent};
use super::{feed_file, sitemap_file};
use crate::paths::OutPath;
use crate::plan::{Job, JobKind};
use crate::session::RenderedFile;

/// Visits one file, and returns what is kept of it and what the rules about pages find.
pub(super) fn visit(
    context: &Context<'_>,
    out: &OutPath,
    job: &Job,
    file: RenderedFile,
) -> (CheckedFile, Vec<RuleFinding>) {
    let kind = PageKind::of(out, job);
    let is_feed = feed_file::is_feed(out, job);
    let is_sitemap = sitemap_file::is_sitemap(out);
    let (size, bytes) = match file {
        RenderedFile::Bytes(bytes) => (bytes.len() as u64, Some(bytes)),
        RenderedFile::Copy(size) => {
            let bytes = match &job.kind {
                JobKind::Copy(from) if kind.is_some() || is_feed || is_sitemap => {
                    context.dry_run.read_copy(from)
                }
                _ => None,
            };
            (size, bytes)
        }
    };
    let mut findings = Vec::new();
    let content = match (bytes, kind) {
        (Some(bytes), Some(kind)) => {
            let page = Page::read(context, job, kind, &bytes);
            findings = rules::on_page(&page);
            FileContent::Page(Box::new(page.into_summary()))
        }
        (Some(bytes), None) if is_feed => FileContent::Feed(feed_file::problem(out, &bytes)),
        (Some(bytes), None) if is_sitemap => FileContent::Sitemap(sitemap_file::urls(&bytes)),
        _ => FileContent::Other,
    };
    (CheckedFile { size, content }, findings)
}
