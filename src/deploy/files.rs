//! The site as it lies in the output folder: every file with its hash, its headers and its place in the order.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use walkdir::WalkDir;

use super::headers::{Group, Headers, group};
use super::manifest::{self, Entry};
use super::remote::KeepsHeaders;
use crate::config::deploy::{Cache, Encoding};
use crate::diag::{Diagnostic, Report};
use crate::load::reason;
use crate::paths::OutPath;

/// A file to be published.
#[derive(Clone, Debug)]
pub struct LocalFile {
    pub path: OutPath,
    pub content: Content,
    pub entry: Entry,
    pub headers: Headers,
    pub group: Group,
}

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub enum Content {
    File(PathBuf),
    Made(Arc<[u8]>),
}

/// What depends on the host.
#[derive(Clone, Copy, Debug)]
pub struct Dressing<'a> {
    pub cache: &'a Cache,
    pub keeps: KeepsHeaders,
    pub precompress: &'a [Encoding],
}

/// Smaller files gain nothing by being compressed: they fit a packet as they are.
const WORTH_COMPRESSING: usize = 1024;

impl LocalFile {
    /// A file that is made for the host.
    #[must_use]
    pub fn made(path: OutPath, bytes: Vec<u8>, dressing: Dressing<'_>, rules: &str) -> Self {
        let headers = Headers::of(path.as_str(), dressing.cache, rules);
        let entry = Entry { hash: hash(&bytes), size: bytes.len() as u64, headers: mark(&headers, dressing.keeps) };
        let group = group(path.as_str());
        Self { path, content: Content::Made(bytes.into()), entry, headers, group }
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        match &self.content {
            Content::File(path) => fs::read(path),
            Content::Made(bytes) => Ok(bytes.to_vec()),
        }
    }
}

/// The hash of a content as manifests have it.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

fn mark(headers: &Headers, keeps: KeepsHeaders) -> Option<String> {
    match keeps {
        KeepsHeaders::Yes => Some(headers.mark()),
        KeepsHeaders::No => None,
    }
}

/// Lists an output folder, by path.
///
/// # Errors
/// Every file that cannot be read, and every one that cannot be published: links, and names that some system cannot have.
pub fn list(folder: &Path, dressing: Dressing<'_>) -> Result<Vec<LocalFile>, Report> {
    let rules = fs::read_to_string(folder.join("_headers")).unwrap_or_default();
    let (names, mut report) = names(folder);
    let found: Vec<Result<Vec<LocalFile>, Diagnostic>> =
        names.par_iter().map(|path| look(folder, path, dressing, &rules).map_err(|e| unreadable(path.as_str(), &e))).collect();
    let mut files = Vec::new();
    for result in found {
        match result {
            Ok(some) => files.extend(some),
            Err(problem) => report.push(problem),
        }
    }
    // Where the site brings a compressed file itself, that one counts.
    files.sort_by(|a, b| (&a.path, matches!(a.content, Content::Made(_))).cmp(&(&b.path, matches!(b.content, Content::Made(_)))));
    files.dedup_by(|b, a| a.path == b.path);
    if report.has_errors() { Err(report) } else { Ok(files) }
}

fn unreadable(path: &str, e: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("`{path}` in the output folder cannot be read: {}", reason(e)))
}

/// The files of the folder; Folio's own staging is passed over.
fn names(folder: &Path) -> (Vec<OutPath>, Report) {
    let mut paths = Vec::new();
    let mut report = Report::default();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => {
                report.push(Diagnostic::error(format!("the output folder cannot be read: {e}")));
                continue;
            }
        };
        let Ok(below) = entry.path().strip_prefix(folder) else { continue };
        let name = below.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
        if entry.file_type().is_dir() || manifest::is_own(&name) {
            continue;
        }
        if entry.file_type().is_symlink() {
            report.push(
                Diagnostic::error(format!("`{name}` in the output folder is a link, and links are not published"))
                    .hint("put the file itself there, or take the link away"),
            );
            continue;
        }
        match below.to_str().map(|_| OutPath::new(&name)) {
            Some(Ok(path)) => paths.push(path),
            Some(Err(e)) => report.push(Diagnostic::error(format!("`{name}` in the output folder cannot be published: {e}"))),
            None => report.push(Diagnostic::error(format!("`{name}` in the output folder cannot be published: its name is not UTF-8"))),
        }
    }
    (paths, report)
}

/// A file, and its compressed ones.
fn look(folder: &Path, path: &OutPath, dressing: Dressing<'_>, rules: &str) -> io::Result<Vec<LocalFile>> {
    let place = folder.join(path.as_str());
    let headers = Headers::of(path.as_str(), dressing.cache, rules);
    let compresses = !dressing.precompress.is_empty() && is_text(&headers.content_type);
    let (hash, size, bytes) = if compresses {
        let bytes = fs::read(&place)?;
        (hash(&bytes), bytes.len() as u64, bytes)
    } else {
        let (hash, size) = hash_file(&place)?;
        (hash, size, Vec::new())
    };
    let entry = Entry { hash, size, headers: mark(&headers, dressing.keeps) };
    let group = group(path.as_str());
    let mut files = vec![LocalFile { path: path.clone(), content: Content::File(place), entry, headers, group }];
    if bytes.len() >= WORTH_COMPRESSING {
        for encoding in dressing.precompress {
            files.extend(sibling(path, &bytes, *encoding, group, dressing, rules)?);
        }
    }
    Ok(files)
}

fn is_text(content_type: &str) -> bool {
    content_type.contains("charset=") || content_type == "image/svg+xml"
}

/// The compressed file that servers look for beside a plain one (nginx's `gzip_static`, Caddy's `precompressed`), in the
/// plain one's group; none where it would be no smaller.
fn sibling(path: &OutPath, bytes: &[u8], encoding: Encoding, group: Group, dressing: Dressing<'_>, rules: &str) -> io::Result<Option<LocalFile>> {
    let (ending, packed) = match encoding {
        Encoding::Gzip => ("gz", gzip(bytes)?),
        Encoding::Br => ("br", brotli(bytes)?),
    };
    let Ok(name) = OutPath::new(&format!("{path}.{ending}")) else { return Ok(None) };
    if packed.len() >= bytes.len() {
        return Ok(None);
    }
    Ok(Some(LocalFile { group, ..LocalFile::made(name, packed, dressing, rules) }))
}

/// RFC 1952, with no time in it, so that the same content gives the same bytes.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// RFC 7932.
fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    const QUALITY: u32 = 9;
    const WINDOW: u32 = 22;
    let mut packed = Vec::new();
    brotli::CompressorReader::new(bytes, 4096, QUALITY, WINDOW).read_to_end(&mut packed)?;
    Ok(packed)
}

/// Hash and size of a file, read piece by piece.
fn hash_file(path: &Path) -> io::Result<(String, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((hasher.finalize().to_hex()[..32].to_owned(), size));
        }
        hasher.update(&buffer[..n]);
        size += n as u64;
    }
}
