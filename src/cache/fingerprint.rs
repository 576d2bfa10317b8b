//! Content hashes that tell whether something has changed.

use std::fmt;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

/// A 64-bit content hash: the first eight bytes of BLAKE3, read in little-endian order.
///
/// Different content that people write does not collide by chance. The default value is the
/// fingerprint of nothing known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The fingerprint of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_hash(&blake3::hash(bytes))
    }

    /// The fingerprint of everything that a reader returns, which is read in pieces.
    ///
    /// # Errors
    /// When reading fails.
    pub fn of_reader(reader: impl Read) -> io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(reader)?;
        Ok(Self::from_hash(&hasher.finalize()))
    }

    /// The fingerprint of a value's JSON, which is hashed as it is written and never held.
    #[must_use]
    pub fn of_json(value: &impl Serialize) -> Self {
        let mut hasher = FingerprintHasher::default();
        hasher.json(value);
        hasher.finish()
    }

    fn from_hash(hash: &blake3::Hash) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        Self(u64::from_le_bytes(first))
    }
}

/// Writes all sixteen hexadecimal digits.
impl fmt::LowerHex for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Combines several values into one fingerprint.
#[derive(Clone, Debug, Default)]
pub struct FingerprintHasher(blake3::Hasher);

impl FingerprintHasher {
    /// Adds a text, preceded by its length so that adjacent texts cannot run together.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.number(text.len() as u64);
        self.0.update(text.as_bytes());
        self
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// Adds another fingerprint.
    pub fn fingerprint(&mut self, fingerprint: Fingerprint) -> &mut Self {
        self.number(fingerprint.0)
    }

    /// Adds a value as its JSON.
    pub fn json(&mut self, value: &impl Serialize) -> &mut Self {
        let mut buffered = std::io::BufWriter::with_capacity(1024, &mut self.0);
        // Writing to a hasher cannot fail. A value that has no JSON form is distinguished by the
        // part of it that was written before the error.
        let _ = serde_json::to_writer(&mut buffered, value);
        let _ = buffered.flush();
        drop(buffered);
        self
    }

    /// The fingerprint of everything added so far.
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        Fingerprint::from_hash(&self.0.finalize())
    }
}
