//! What is known of a site's files: the mark of each one's content, and what parsing made of it.
//!
//! The stamp of a file is believed where it stands for what was read before; anything else is read. The mark
//! of the content decides.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::load::{Disk, Sources, Stamp};
use crate::memo::{self, Handle, Loaded, Mark, Pack};
use crate::parse::Postponed;
use crate::paths::SourcePath;

/// What the last build knew, as it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Known {
    /// The name of the pack that handles point into.
    pack: String,
    /// When that build looked at the files, in nanoseconds since the epoch.
    looked: u64,
    /// The mark of the settings that articles were parsed with.
    settings: Mark,
    files: BTreeMap<SourcePath, Entry>,
}

/// What is known of a file.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub stamp: Stamp,
    pub mark: Mark,
    pub parsed: Option<Handles>,
}

/// Where the two halves of a parsed article lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Handles {
    pub doc: Handle,
    pub body: Handle,
    /// What is stored is whole.
    #[serde(skip)]
    pub postponed: Postponed,
}

/// The store of a build: what is known, and the pack that it grows.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    stamp: String,
    known: Known,
    pub pack: Arc<Pack>,
    looked: u64,
}

/// What the names of packs start with.
const PACK: &str = "pack-";

/// Dead bytes that a pack may hold besides as many again as are alive.
const SLACK: u64 = 16 << 20;

/// What a file is to the build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Article,
    Other,
}

/// Whether what earlier builds left is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    Use,
    Ignore,
}

impl Store {
    /// Opens the store under the state folder. The second value is a warning about one that cannot be used.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub(super) fn open(folder: &Path, stamp: &str, cache: Cache, now: u64) -> Result<(Self, Option<Diagnostic>), Diagnostic> {
        let failed = |e: std::io::Error| Diagnostic::error(format!("the store of earlier builds cannot be opened: {}", crate::load::reason(&e)));
        let (known, warning) = match cache {
            Cache::Ignore => (None, None),
            Cache::Use => match memo::load::<Known>(&folder.join("files"), stamp) {
                Loaded::Whole(known) => (Some(known), None),
                Loaded::Absent | Loaded::Foreign => (None, None),
                Loaded::Damaged => (None, Some(damaged())),
            },
        };
        let before = known.and_then(|known| Some((Pack::open(&folder.join(&known.pack)).ok()?, known)));
        let (pack, known) = match before {
            Some(before) => before,
            None => {
                let (name, pack) = Pack::create(folder, PACK).map_err(failed)?;
                (pack, Known { pack: name, ..Known::default() })
            }
        };
        Ok((Self { folder: folder.to_owned(), stamp: stamp.to_owned(), known, pack: Arc::new(pack), looked: now }, warning))
    }

    /// Marks every file of the site, reading those whose stamps do not speak for them. A file that cannot be
    /// read has no entry; whoever needs it will say so.
    pub(super) fn mark_files(&self, disk: &Disk, sources: &Sources) -> BTreeMap<SourcePath, Entry> {
        let articles = sources.articles.iter().map(|path| (path.clone(), Kind::Article));
        let files: Vec<_> = articles.chain(sources.files().map(|path| (path, Kind::Other))).collect();
        files.into_par_iter().filter_map(|(path, kind)| Some((path.clone(), self.mark_file(disk, &path, kind)?))).collect()
    }

    /// Marks a file that no scan lists.
    pub(super) fn mark_one(&self, disk: &Disk, path: &SourcePath) -> Option<Entry> {
        self.mark_file(disk, path, Kind::Other)
    }

    fn mark_file(&self, disk: &Disk, path: &SourcePath, kind: Kind) -> Option<Entry> {
        let stamp = disk.stamp(path)?;
        let old = self.known.files.get(path);
        if let Some(old) = old.filter(|old| old.stamp == stamp && stamp.is_settled(self.known.looked)) {
            return Some(*old);
        }
        if old.is_none() && kind == Kind::Article {
            // It will be read for parsing, and marked then.
            return Some(Entry { stamp, mark: Mark::default(), parsed: None });
        }
        let mark = Mark::of(&disk.bytes(path).ok()?);
        let parsed = old.filter(|old| old.mark == mark).and_then(|old| old.parsed);
        Some(Entry { stamp, mark, parsed })
    }

    /// Where an article was parsed before from this content with these settings.
    pub(super) fn parsed(&self, entry: &Entry, settings: Mark) -> Option<Handles> {
        entry.parsed.filter(|_| self.known.settings == settings)
    }

    /// What the last build parsed of a file, whatever is in it now.
    pub(super) fn before(&self, path: &SourcePath) -> Option<Handles> {
        self.known.files.get(path)?.parsed
    }

    /// A store that goes on in a branch of its pack, so that others may append to that.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub(super) fn branch(self) -> Result<Self, std::io::Error> {
        Ok(Self { pack: Arc::new(self.pack.branch(&self.folder)?), ..self })
    }

    /// Stores what is known now, for the next build.
    ///
    /// # Errors
    /// When the state folder cannot be written to.
    pub(super) fn save(self, files: BTreeMap<SourcePath, Entry>, settings: Mark) -> Result<(), std::io::Error> {
        let live: u64 = files.values().filter_map(|e| e.parsed).map(|h| h.doc.size() + h.body.size()).sum();
        let mut known = Known { pack: self.known.pack.clone(), looked: self.looked, settings, files };
        if self.pack.size() > 2 * live + SLACK {
            let (name, pack) = Pack::create(&self.folder, PACK)?;
            known.pack = name;
            for handles in known.files.values_mut().filter_map(|e| e.parsed.as_mut()) {
                *handles = handles.copy(&self.pack, &pack)?;
            }
        }
        memo::save(&self.folder.join("files"), &self.stamp, &known)?;
        memo::keep_only(&self.folder, PACK, &known.pack);
        Ok(())
    }

    /// Stores what is known of these files, whose parsed articles lie in `from`: a branch of the pack called `name`.
    ///
    /// # Errors
    /// When a blob cannot be read, or the store cannot be written to.
    pub(super) fn adopt(self, mut files: BTreeMap<SourcePath, Entry>, from: &Pack, name: &str, settings: Mark) -> Result<(), std::io::Error> {
        for (path, entry) in &mut files {
            let Some(handles) = entry.parsed else { continue };
            // Others may have written since, and what they have need not be written again.
            let known = self.known.files.get(path).filter(|known| known.mark == entry.mark).and_then(|known| self.parsed(known, settings));
            entry.parsed = Some(match known {
                _ if self.known.pack == name && !from.is_own(handles.doc) => handles,
                Some(known) => known,
                None => handles.copy(from, &self.pack)?,
            });
        }
        self.save(files, settings)
    }

    /// The name of the pack.
    pub(super) fn pack_name(&self) -> &str {
        &self.known.pack
    }
}

impl Handles {
    fn copy(self, from: &Pack, to: &Pack) -> Result<Self, std::io::Error> {
        Ok(Self { doc: to.put(&from.get(self.doc)?)?, body: to.put(&from.get(self.body)?)?, ..self })
    }
}

/// The warning about a store that is not what was written.
pub(super) fn damaged() -> Diagnostic {
    Diagnostic::warning("what earlier builds left under .folio/ is damaged, so everything was built anew")
}
