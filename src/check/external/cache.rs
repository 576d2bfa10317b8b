//! What is known of addresses on other hosts, from one check to the next, in a sealed file under `.folio/`.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::asking::Verdict;
use super::seconds;
use crate::config::checks::ExternalChecks;
use crate::memo::{self, Loaded};

/// The name of the file, and the form that it is written in.
const FILE: &str = "links";
const FORM: &str = "folio links 1";

const DAY: i64 = 24 * 60 * 60;
/// How long a link that is gone for good is not asked for again: its page may be being mended just now.
const GONE: i64 = 60 * 60;

/// Answers that still count.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Known {
    /// What counts as working, which the answers depend on.
    accept: Vec<u16>,
    answers: BTreeMap<String, Answer>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    verdict: Verdict,
    /// In seconds since the epoch.
    asked: i64,
}

impl Known {
    /// Knows nothing.
    pub(super) fn empty(settings: &ExternalChecks) -> Self {
        Self { accept: settings.accept.clone(), answers: BTreeMap::new() }
    }

    /// Reads the answers that are not too old. One that cannot be read is as good as none.
    pub(super) fn load(folder: &Path, now: Timestamp, settings: &ExternalChecks) -> Self {
        let Loaded::Whole(mut known) = memo::load::<Self>(&folder.join(FILE), FORM) else { return Self::empty(settings) };
        if known.accept != settings.accept {
            return Self::empty(settings);
        }
        let good = i64::try_from(settings.cache_days).unwrap_or(i64::MAX).saturating_mul(DAY);
        known.answers.retain(|_, answer| {
            let age = seconds(now).saturating_sub(answer.asked);
            let life = if answer.verdict.problem().is_none() { good } else { GONE.min(good) };
            (0..life).contains(&age)
        });
        known
    }

    /// The answer for an address.
    pub(super) fn verdict(&self, url: &str) -> Option<Verdict> {
        self.answers.get(url).map(|answer| answer.verdict.clone())
    }

    /// Takes in an answer, if it will hold for a while: a host that is down now may be up in a minute.
    pub(super) fn put(&mut self, url: &str, verdict: &Verdict, now: Timestamp) {
        if verdict.is_lasting() {
            self.answers.insert(url.to_owned(), Answer { verdict: verdict.clone(), asked: seconds(now) });
        }
    }

    /// # Errors
    /// When the folder cannot be written to.
    pub(super) fn save(&self, folder: &Path) -> std::io::Result<()> {
        memo::save(&folder.join(FILE), FORM, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_grow_old() {
        let dir = tempfile::tempdir().unwrap();
        let settings = ExternalChecks::default();
        let at = |seconds: i64| Timestamp::from_second(1_000_000 + seconds).unwrap();
        let mut known = Known::empty(&settings);
        known.put("good", &Verdict::Good, at(0));
        known.put("gone", &Verdict::Gone("x".into()), at(0));
        known.put("down", &Verdict::Down("x".into()), at(0));
        known.save(dir.path()).unwrap();
        let names = |seconds: i64, settings: &ExternalChecks| Known::load(dir.path(), at(seconds), settings).answers.into_keys().collect::<Vec<_>>();
        assert_eq!(names(0, &settings), ["gone", "good"]);
        assert_eq!(names(GONE, &settings), ["good"]);
        assert!(names(7 * DAY, &settings).is_empty());
        // The clock may have been set back.
        assert!(names(-1, &settings).is_empty());
        assert!(names(0, &ExternalChecks { cache_days: 0, ..settings.clone() }).is_empty());
        assert!(names(0, &ExternalChecks { accept: vec![403], ..settings }).is_empty());
    }
}
