//! What one build keeps for the next, under `.folio/`; it knows no stage.
//!
//! A [`Pack`] holds blobs, a sealed file ([`save`], [`load`]) holds one value. Both are checked when they are
//! read: a flipped byte, a half-written file or another version's is as good as nothing there, and never
//! trusted. Sealed files are replaced whole; a pack only grows, and what a killed process appended to it is
//! simply not referred to.

#![expect(clippy::disallowed_methods, reason = "one of the modules that may touch files")]

mod pack;
mod sealed;

use std::fs;
use std::io::Write;
use std::path::Path;

pub use pack::{Handle, Pack};
pub use sealed::{Loaded, Prepared, load, prepare, save};

/// Deletes the files in `folder` whose names start with `prefix`, but for one.
pub fn keep_only(folder: &Path, prefix: &str, name: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let other = entry.file_name();
        if other.to_str().is_some_and(|n| n.starts_with(prefix) && n != name) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A 64-bit mark of some content, for telling a change; taken from BLAKE3, so that no two contents that people
/// write will ever share one by chance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Mark(pub u64);

impl Mark {
    /// The mark of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(&blake3::hash(bytes))
    }

    /// The mark of a value's JSON, without the text ever being held.
    #[must_use]
    pub fn of_json(value: &impl serde::Serialize) -> Self {
        let mut marker = Marker::default();
        marker.json(value);
        marker.finish()
    }

    fn from_hash(hash: &blake3::Hash) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        Self(u64::from_le_bytes(first))
    }
}

/// Takes several things into one mark.
#[derive(Clone, Debug, Default)]
pub struct Marker(blake3::Hasher);

impl Marker {
    /// Takes a text, set off from the next.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
        self
    }

    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    pub fn mark(&mut self, mark: Mark) -> &mut Self {
        self.number(mark.0)
    }

    /// Takes a value as its JSON.
    pub fn json(&mut self, value: &impl serde::Serialize) -> &mut Self {
        let mut buffered = std::io::BufWriter::with_capacity(1024, &mut self.0);
        // A hasher takes everything; a value that is no JSON is told apart by what it wrote before.
        let _ = serde_json::to_writer(&mut buffered, value);
        let _ = buffered.flush();
        drop(buffered);
        self
    }

    #[must_use]
    pub fn finish(&self) -> Mark {
        Mark::from_hash(&self.0.finalize())
    }
}
