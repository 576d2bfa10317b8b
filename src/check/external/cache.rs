//! The verdicts about links to other hosts, kept from one check to the next in a sealed file under
//! `.folio/`.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::client::Verdict;
use crate::cache::{self, LoadResult};
use crate::config::checks::ExternalChecks;

/// The name of the file, and the version of its format.
const FILE: &str = "links";
const FORMAT: &str = "folio links 1";

const DAY: i64 = 24 * 60 * 60;
/// How long a broken link is not checked again, in seconds: its page may be corrected soon.
const BROKEN: i64 = 60 * 60;

/// Verdicts that are still valid.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LinkCache {
    /// The statuses that count as working, which the verdicts depend on.
    accept: Vec<u16>,
    verdicts: BTreeMap<String, CachedVerdict>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CachedVerdict {
    verdict: Verdict,
    /// Seconds since the epoch.
    checked_at: i64,
}

impl LinkCache {
    /// An empty cache.
    pub(super) fn empty(settings: &ExternalChecks) -> Self {
        Self { accept: settings.accept.clone(), verdicts: BTreeMap::new() }
    }

    /// Reads the verdicts that are not too old. A damaged file counts as missing.
    pub(super) fn load(folder: &Path, now: Timestamp, settings: &ExternalChecks) -> Self {
        let LoadResult::Valid(mut cached) = cache::load::<Self>(&folder.join(FILE), FORMAT) else {
            return Self::empty(settings);
        };
        if cached.accept != settings.accept {
            return Self::empty(settings);
        }
        let good = i64::try_from(settings.cache_days).unwrap_or(i64::MAX).saturating_mul(DAY);
        cached.verdicts.retain(|_, entry| {
            let age = now.as_second().saturating_sub(entry.checked_at);
            let life = if entry.verdict.problem().is_none() { good } else { BROKEN.min(good) };
            (0..life).contains(&age)
        });
        cached
    }

    /// The cached verdict about a URL.
    pub(super) fn verdict(&self, url: &str) -> Option<Verdict> {
        self.verdicts.get(url).map(|entry| entry.verdict.clone())
    }

    /// Stores a verdict if it will hold for a while: a host that is unavailable now may be
    /// available in a minute.
    pub(super) fn insert(&mut self, url: &str, verdict: &Verdict, now: Timestamp) {
        if verdict.is_lasting() {
            self.verdicts.insert(
                url.to_owned(),
                CachedVerdict { verdict: verdict.clone(), checked_at: now.as_second() },
            );
        }
    }

    /// Saves the verdicts.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub(super) fn save(&self, folder: &Path) -> std::io::Result<()> {
        cache::save(&folder.join(FILE), FORMAT, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_expire() {
        let dir = tempfile::tempdir().unwrap();
        let settings = ExternalChecks::default();
        let at = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).unwrap();
        let mut cached = LinkCache::empty(&settings);
        cached.insert("good", &Verdict::Works, at(0));
        cached.insert("gone", &Verdict::Broken("x".into()), at(0));
        cached.insert("down", &Verdict::Unavailable("x".into()), at(0));
        cached.save(dir.path()).unwrap();
        let names = |seconds: i64, settings: &ExternalChecks| {
            LinkCache::load(dir.path(), at(seconds), settings)
                .verdicts
                .into_keys()
                .collect::<Vec<_>>()
        };
        assert_eq!(names(0, &settings), ["gone", "good"]);
        assert_eq!(names(BROKEN, &settings), ["good"]);
        assert!(names(7 * DAY, &settings).is_empty());
        // The clock may have been set back.
        assert!(names(-1, &settings).is_empty());
        assert!(names(0, &ExternalChecks { cache_days: 0, ..settings.clone() }).is_empty());
        assert!(names(0, &ExternalChecks { accept: vec![403], ..settings }).is_empty());
    }
}
