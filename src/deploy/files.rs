//! The files of the output folder, each with its hash, its headers and its group in the upload
//! order.

#![expect(clippy::disallowed_methods, reason = "one of the modules that access files")]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use rayon::prelude::*;
use walkdir::WalkDir;

use super::headers::{Group, Headers, group};
use super::manifest::{self, ManifestEntry};
use crate::config::deploy::{CacheControl, Encoding};
use crate::diag::{Diagnostic, Report};
use crate::load::reason;
use crate::media_type::is_text;
use crate::paths::OutPath;

/// A file to be published.
#[derive(Clone, Debug)]
pub struct LocalFile {
    pub path: OutPath,
    pub content: FileContent,
    pub entry: ManifestEntry,
    pub headers: Headers,
    pub group: Group,
}

/// Where a file's bytes are.
#[derive(Clone, Debug)]
pub enum FileContent {
    File(PathBuf),
    Memory(Arc<[u8]>),
}

/// The headers of files, as the host stores them.
#[derive(Clone, Copy, Debug)]
pub struct HeaderPolicy<'a> {
    pub cache: &'a CacheControl,
    /// Whether the host stores headers.
    pub keeps_headers: bool,
    pub precompress: &'a [Encoding],
}

/// Smaller files are not compressed, since they fit into one packet anyway.
const MIN_COMPRESSED: usize = 1024;

impl LocalFile {
    /// A file that is generated for the host.
    #[must_use]
    pub fn generated(
        path: OutPath,
        bytes: Vec<u8>,
        header_policy: HeaderPolicy<'_>,
        rules: &str,
    ) -> Self {
        let headers = Headers::of(path.as_str(), header_policy.cache, rules);
        let entry = ManifestEntry {
            hash: hash(&bytes),
            size: bytes.len() as u64,
            headers: header_policy.keeps_headers.then(|| headers.hash()),
        };
        let group = group(path.as_str());
        Self { path, content: FileContent::Memory(bytes.into()), entry, headers, group }
    }

    /// The file's bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bytes(&self) -> io::Result<Vec<u8>> {
        match &self.content {
            FileContent::File(path) => fs::read(path),
            FileContent::Memory(bytes) => Ok(bytes.to_vec()),
        }
    }
}

/// The hash of content in manifests.
#[must_use]
pub fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex()[..32].to_owned()
}

/// Lists an output folder, sorted by path.
///
/// # Errors
/// Every file that cannot be read, and every file that cannot be published: symbolic links, and
/// names that some systems do not allow.
pub fn list(folder: &Path, header_policy: HeaderPolicy<'_>) -> Result<Vec<LocalFile>, Report> {
    let rules = fs::read_to_string(folder.join("_headers")).unwrap_or_default();
    let (names, mut report) = list_paths(folder);
    let found: Vec<Result<Vec<LocalFile>, Diagnostic>> = names
        .par_iter()
        .map(|path| {
            read_file(folder, path, header_policy, &rules)
                .map_err(|e| unreadable(path.as_str(), &e))
        })
        .collect();
    let mut files = Vec::new();
    for result in found {
        match result {
            Ok(some) => files.extend(some),
            Err(problem) => report.push(problem),
        }
    }
    // If the site has a compressed file of its own, that one is used.
    files.sort_by(|a, b| {
        (&a.path, matches!(a.content, FileContent::Memory(_)))
            .cmp(&(&b.path, matches!(b.content, FileContent::Memory(_))))
    });
    files.dedup_by(|b, a| a.path == b.path);
    if report.has_errors() { Err(report) } else { Ok(files) }
}

fn unreadable(path: &str, e: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("`{path}` in the output folder cannot be read: {}", reason(e)))
}

/// The paths of the files, without Folio's temporary ones.
fn list_paths(folder: &Path) -> (Vec<OutPath>, Report) {
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
        if entry.file_type().is_dir() || manifest::is_reserved(&name) {
            continue;
        }
        if entry.file_type().is_symlink() {
            report.push(
                Diagnostic::error(format!(
                    "`{name}` in the output folder is a symbolic link, which cannot be published"
                ))
                .hint("replace it by the file, or remove it"),
            );
            continue;
        }
        match below.to_str().map(|_| OutPath::new(&name)) {
            Some(Ok(path)) => paths.push(path),
            Some(Err(e)) => report.push(Diagnostic::error(format!(
                "`{name}` in the output folder cannot be published: {e}"
            ))),
            None => report.push(Diagnostic::error(format!(
                "`{name}` in the output folder cannot be published: its name is not UTF-8"
            ))),
        }
    }
    (paths, report)
}

/// A file, with its compressed versions.
fn read_file(
    folder: &Path,
    path: &OutPath,
    header_policy: HeaderPolicy<'_>,
    rules: &str,
) -> io::Result<Vec<LocalFile>> {
    let file_path = folder.join(path.as_str());
    let headers = Headers::of(path.as_str(), header_policy.cache, rules);
    let compresses = !header_policy.precompress.is_empty()
        && is_text(headers.content_type.split(';').next().unwrap_or_default());
    let (hash, size, bytes) = if compresses {
        let bytes = fs::read(&file_path)?;
        (hash(&bytes), bytes.len() as u64, bytes)
    } else {
        let (hash, size) = hash_file(&file_path)?;
        (hash, size, Vec::new())
    };
    let entry =
        ManifestEntry { hash, size, headers: header_policy.keeps_headers.then(|| headers.hash()) };
    let group = group(path.as_str());
    let mut files = vec![LocalFile {
        path: path.clone(),
        content: FileContent::File(file_path),
        entry,
        headers,
        group,
    }];
    if bytes.len() >= MIN_COMPRESSED {
        for encoding in header_policy.precompress {
            files.extend(compressed(path, &bytes, *encoding, group, header_policy, rules)?);
        }
    }
    Ok(files)
}

/// The compressed version that servers look for beside a file (nginx's `gzip_static`, Caddy's
/// `precompressed`), in the group of that file; `None` if it is not smaller.
fn compressed(
    path: &OutPath,
    bytes: &[u8],
    encoding: Encoding,
    group: Group,
    header_policy: HeaderPolicy<'_>,
    rules: &str,
) -> io::Result<Option<LocalFile>> {
    let (ending, packed) = match encoding {
        Encoding::Gzip => ("gz", gzip(bytes)?),
        Encoding::Br => ("br", brotli(bytes)?),
    };
    let Ok(name) = OutPath::new(&format!("{path}.{ending}")) else { return Ok(None) };
    if packed.len() >= bytes.len() {
        return Ok(None);
    }
    Ok(Some(LocalFile { group, ..LocalFile::generated(name, packed, header_policy, rules) }))
}

/// Compresses with gzip (RFC 1952), without a time, so that equal content gives equal bytes.
fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Compresses with Brotli (RFC 7932).
fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    const QUALITY: u32 = 9;
    const WINDOW: u32 = 22;
    let mut packed = Vec::new();
    brotli::CompressorReader::new(bytes, 4096, QUALITY, WINDOW).read_to_end(&mut packed)?;
    Ok(packed)
}

/// The hash and size of a file, which is read in pieces.
///
/// # Errors
/// When it cannot be read.
pub fn hash_file(path: &Path) -> io::Result<(String, u64)> {
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
