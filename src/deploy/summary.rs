//! The summary of a deploy, in words and as JSON.

use indicatif::DecimalBytes;
use serde_json::{Value, json};

use super::difference::{Difference, UploadReason};
use crate::paths::OutPath;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: this is what would be done.
    Planned,
    Deployed,
    RolledBack,
}

/// The summary of a deploy.
#[derive(Clone, Debug)]
pub struct Summary {
    pub outcome: Outcome,
    pub target: String,
    /// Where the site goes, as the host names it.
    pub place: String,
    /// The URL of the site.
    pub url: String,
    pub uploads: Vec<(OutPath, UploadReason)>,
    pub deletes: Vec<String>,
    pub unchanged: usize,
    /// The number of old files that are retained for now.
    pub retained: usize,
    /// The bytes to send.
    pub bytes: u64,
    /// How many files were verified.
    pub verified: usize,
    /// How many URLs search engines were notified of.
    pub announced: usize,
    /// What a rollback restored.
    pub restored: Option<String>,
}

/// How many paths of a kind are listed.
const MAX_LISTED: usize = 20;

impl Summary {
    #[must_use]
    pub fn of(
        difference: &Difference,
        target: &str,
        place: &str,
        url: &str,
        outcome: Outcome,
    ) -> Self {
        Self {
            outcome,
            target: target.to_owned(),
            place: place.to_owned(),
            url: url.to_owned(),
            uploads: difference.uploads.iter().map(|u| (u.file.path.clone(), u.reason)).collect(),
            deletes: difference.deletes.clone(),
            unchanged: difference.unchanged,
            retained: difference.retained.len(),
            bytes: difference.bytes,
            verified: 0,
            announced: 0,
            restored: None,
        }
    }

    /// The files whose content has changed, and the deleted ones.
    #[must_use]
    pub fn changed_paths(&self) -> Vec<OutPath> {
        let deleted = self.deletes.iter().filter_map(|path| OutPath::new(path).ok());
        self.uploads
            .iter()
            .filter(|(_, why)| matches!(why, UploadReason::New | UploadReason::Content))
            .map(|(path, _)| path.clone())
            .chain(deleted)
            .collect()
    }

    fn count(&self, why: UploadReason) -> usize {
        self.uploads.iter().filter(|(_, w)| *w == why).count()
    }

    /// The plan: the first paths of each kind, one per line, and a line with numbers.
    #[must_use]
    pub fn plan(&self) -> String {
        let mut lines = Vec::new();
        for (sign, why, word) in [
            ("+", UploadReason::New, "new"),
            ("~", UploadReason::Content, "content"),
            ("~", UploadReason::Headers, "headers"),
            ("~", UploadReason::Forced, "forced"),
        ] {
            let paths: Vec<&str> = self
                .uploads
                .iter()
                .filter(|(_, w)| *w == why)
                .map(|(path, _)| path.as_str())
                .collect();
            few(&mut lines, sign, &paths, word);
        }
        few(
            &mut lines,
            "-",
            &self.deletes.iter().map(String::as_str).collect::<Vec<_>>(),
            "deleted",
        );
        lines.push(self.numbers());
        lines.join("\n")
    }

    fn numbers(&self) -> String {
        let changed = self.uploads.len() - self.count(UploadReason::New);
        let retained = if self.retained == 0 {
            String::new()
        } else {
            format!(", {} retained for a while", self.retained)
        };
        format!(
            "{} new, {changed} changed, {} unchanged, {} deleted{retained}; {} to send",
            self.count(UploadReason::New),
            self.unchanged,
            self.deletes.len(),
            DecimalBytes(self.bytes)
        )
    }

    /// The outcome in one line.
    #[must_use]
    pub fn line(&self) -> String {
        match self.outcome {
            Outcome::Planned => format!("Would deploy to {}; nothing was changed", self.place),
            Outcome::RolledBack => format!(
                "{}: restored {}",
                self.place,
                self.restored.as_deref().unwrap_or("the deploy before")
            ),
            Outcome::Deployed if self.uploads.is_empty() && self.deletes.is_empty() => {
                format!("{} is up to date: {}", self.place, self.url)
            }
            Outcome::Deployed => {
                let announced = match self.announced {
                    0 => String::new(),
                    n => format!("; IndexNow notified of {n} URLs"),
                };
                format!(
                    "Deployed to {}: {} files sent, {} deleted{announced}: {}",
                    self.place,
                    self.uploads.len(),
                    self.deletes.len(),
                    self.url
                )
            }
        }
    }

    /// The summary as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let paths = |why: UploadReason| {
            self.uploads
                .iter()
                .filter(move |(_, w)| *w == why)
                .map(|(path, _)| path.as_str())
                .collect::<Vec<_>>()
        };
        let changed: Vec<Value> = self
            .uploads
            .iter()
            .filter(|(_, why)| *why != UploadReason::New)
            .map(|(path, why)| json!({"path": path.as_str(), "why": why}))
            .collect();
        json!({
            "target": self.target,
            "place": self.place,
            "url": self.url,
            "action": match self.outcome {
                Outcome::Planned => "dry-run",
                Outcome::Deployed => "deploy",
                Outcome::RolledBack => "rollback",
            },
            "new": paths(UploadReason::New),
            "changed": changed,
            "deleted": self.deletes,
            "unchanged": self.unchanged,
            "kept": self.retained,
            "bytes": self.bytes,
            "verified": self.verified,
            "indexnow": self.announced,
            "restored": self.restored,
        })
    }
}

fn few(lines: &mut Vec<String>, sign: &str, paths: &[&str], why: &str) {
    lines.extend(paths.iter().take(MAX_LISTED).map(|path| format!("{sign} {path} ({why})")));
    if paths.len() > MAX_LISTED {
        lines.push(format!("{sign} … and {} more ({why})", paths.len() - MAX_LISTED));
    }
}
