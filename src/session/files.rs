//! The table of a site's files: the fingerprint of each one's content, and where the parsed article
//! is stored.
//!
//! A file whose size, times and inode are as recorded is not read again. Any other file is read,
//! and the fingerprint of its content decides whether it has changed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::cache::{self, Fingerprint, Handle, LoadResult, Pack};
use crate::diag::{Diagnostic, Warned};
use crate::load::{Disk, Sources, Stamp};
use crate::parse::Highlighting;
use crate::paths::SourcePath;

/// What is known of every file of a site.
pub type FileTable = BTreeMap<SourcePath, FileEntry>;

/// What is known of one file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FileEntry {
    pub stamp: Stamp,
    pub fingerprint: Fingerprint,
    /// For an article: where it is stored as it was parsed from this content.
    pub article: Option<ArticleHandles>,
}

/// Where the two halves of a parsed article are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArticleHandles {
    pub doc: Handle,
    pub body: Handle,
    /// Whether the stored body contains highlighted code. A saved table refers only to bodies that
    /// do.
    #[serde(skip)]
    pub highlighting: Highlighting,
}

/// The file table as it is saved.
#[derive(Debug, Default, Serialize, Deserialize)]
struct SavedFiles {
    /// The file name of the pack that the handles refer to.
    pack: String,
    /// When the files were scanned, in nanoseconds since the epoch.
    scanned: u64,
    /// The fingerprint of the settings that articles were parsed with.
    settings: Fingerprint,
    files: FileTable,
}

/// The saved file table, and the pack that parsed articles are appended to.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
    /// The version of the program; what another version saved is not used.
    program: String,
    saved: SavedFiles,
    pack: Arc<Pack>,
    /// When this session scanned the files, in nanoseconds since the epoch.
    scanned: u64,
}

const PACK_PREFIX: &str = "pack-";
const TABLE: &str = "files";

/// A pack is rewritten when its dead bytes exceed its live bytes by more than this.
const DEAD_BYTES: u64 = 16 << 20;

impl Store {
    /// Opens the store in a state folder, with a warning when the saved table is damaged. With
    /// `use_cache` false nothing saved is used. `now` is the time of the scan, in nanoseconds since
    /// the epoch.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn open(
        folder: &Path,
        program: &str,
        use_cache: bool,
        now: u64,
    ) -> Result<Warned<Self>, Diagnostic> {
        let mut warning = None;
        let mut before = None;
        if use_cache {
            match cache::load::<SavedFiles>(&folder.join(TABLE), program) {
                LoadResult::Valid(saved) => {
                    before = Pack::open(&folder.join(&saved.pack)).ok().map(|pack| (pack, saved));
                }
                LoadResult::Missing | LoadResult::OtherVersion => {}
                LoadResult::Damaged => warning = Some(cache::damaged_warning()),
            }
        }
        let (pack, saved) = match before {
            Some(before) => before,
            None => {
                let (name, pack) = Pack::create(folder, PACK_PREFIX).map_err(|e| {
                    let reason = crate::load::reason(&e);
                    Diagnostic::error(format!(
                        "the cache of earlier builds cannot be opened: {reason}"
                    ))
                })?;
                (pack, SavedFiles { pack: name, ..SavedFiles::default() })
            }
        };
        let store = Self {
            folder: folder.to_owned(),
            program: program.to_owned(),
            saved,
            pack: Arc::new(pack),
            scanned: now,
        };
        Ok(Warned { value: store, warnings: warning.into_iter().collect() })
    }

    /// Fingerprints every file of the site, reading only those whose stamps have changed. A file
    /// that cannot be read has no entry; the stage that needs it reports that.
    pub fn fingerprint_files(&self, disk: &Disk, sources: &Sources) -> FileTable {
        let articles = sources.articles.iter().map(|path| (path.clone(), true));
        let files: Vec<(SourcePath, bool)> =
            articles.chain(sources.files().map(|path| (path, false))).collect();
        files
            .into_par_iter()
            .filter_map(|(path, is_article)| {
                let entry = self.fingerprint_file(disk, &path, is_article)?;
                Some((path, entry))
            })
            .collect()
    }

    /// Fingerprints a file that is not listed by a scan.
    pub fn fingerprint_unlisted(&self, disk: &Disk, path: &SourcePath) -> Option<FileEntry> {
        self.fingerprint_file(disk, path, false)
    }

    fn fingerprint_file(
        &self,
        disk: &Disk,
        path: &SourcePath,
        is_article: bool,
    ) -> Option<FileEntry> {
        let old = self.saved.files.get(path);
        if old.is_none() && is_article {
            // Parsing will read the file, and set the fingerprint then.
            let stamp = disk.stamp(path)?;
            return Some(FileEntry { stamp, fingerprint: Fingerprint::default(), article: None });
        }
        FileEntry::read(disk, path, old, self.saved.scanned)
    }

    /// The stored article of a file, if it was parsed with the same settings.
    pub fn article(&self, entry: &FileEntry, settings: Fingerprint) -> Option<ArticleHandles> {
        entry.article.filter(|_| self.saved.settings == settings)
    }

    /// The stored article of a file as the last build saw it, whatever the file contains now.
    pub fn previous_article(&self, path: &SourcePath) -> Option<ArticleHandles> {
        self.saved.files.get(path)?.article
    }

    /// The pack that parsed articles are appended to.
    #[must_use]
    pub fn pack(&self) -> &Arc<Pack> {
        &self.pack
    }

    /// The file name of the pack.
    #[must_use]
    pub fn pack_name(&self) -> &str {
        &self.saved.pack
    }

    /// A store that appends to a branch of its pack, so that other processes may append to the
    /// pack.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub fn branch(self) -> io::Result<Self> {
        Ok(Self { pack: Arc::new(self.pack.branch(&self.folder)?), ..self })
    }

    /// Saves the file table for the next build.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub fn save(self, files: FileTable, settings: Fingerprint) -> io::Result<()> {
        let live: u64 =
            files.values().filter_map(|e| e.article).map(|a| a.doc.size() + a.body.size()).sum();
        let mut saved =
            SavedFiles { pack: self.saved.pack.clone(), scanned: self.scanned, settings, files };
        if self.pack.size() > 2 * live + DEAD_BYTES {
            tracing::debug!(live, size = self.pack.size(), "rewriting the pack");
            let (name, pack) = Pack::create(&self.folder, PACK_PREFIX)?;
            saved.pack = name;
            for handles in saved.files.values_mut().filter_map(|e| e.article.as_mut()) {
                *handles = handles.copy(&self.pack, &pack)?;
            }
        }
        cache::save(&self.folder.join(TABLE), &self.program, &saved)?;
        cache::keep_only(&self.folder, PACK_PREFIX, &saved.pack);
        Ok(())
    }

    /// Saves a file table whose articles are stored in `from`, a branch of the pack called
    /// `pack_name`, by copying what only the branch has.
    ///
    /// # Errors
    /// When a blob cannot be read, or the store cannot be written to.
    pub fn save_branch(
        self,
        mut files: FileTable,
        from: &Pack,
        pack_name: &str,
        settings: Fingerprint,
    ) -> io::Result<()> {
        for (path, entry) in &mut files {
            let Some(handles) = entry.article else { continue };
            // Another process may have stored the same article since the branch was made.
            let stored = self
                .saved
                .files
                .get(path)
                .filter(|saved| saved.fingerprint == entry.fingerprint)
                .and_then(|saved| self.article(saved, settings));
            entry.article = Some(match stored {
                _ if self.saved.pack == pack_name && !from.is_own(handles.doc) => handles,
                Some(stored) => stored,
                None => handles.copy(from, &self.pack)?,
            });
        }
        self.save(files, settings)
    }
}

impl FileEntry {
    /// Reads a file's entry. `old` is the entry of a scan at `scanned` (nanoseconds since the
    /// epoch); it is reused when the stamp proves that the file has not changed since. `None` when
    /// the file cannot be read.
    pub fn read(disk: &Disk, path: &SourcePath, old: Option<&Self>, scanned: u64) -> Option<Self> {
        let stamp = disk.stamp(path)?;
        if let Some(old) = old.filter(|old| old.stamp == stamp && stamp.is_settled(scanned)) {
            return Some(*old);
        }
        let fingerprint = disk.fingerprint(path).ok()?;
        let article = old.filter(|old| old.fingerprint == fingerprint).and_then(|old| old.article);
        Some(Self { stamp, fingerprint, article })
    }
}

impl ArticleHandles {
    fn copy(self, from: &Pack, to: &Pack) -> io::Result<Self> {
        Ok(Self {
            doc: to.put(&from.get(self.doc)?)?,
            body: to.put(&from.get(self.body)?)?,
            ..self
        })
    }
}
