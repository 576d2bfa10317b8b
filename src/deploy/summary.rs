//! What a deploy comes to, in words and as JSON.

use serde_json::{Value, json};

use super::difference::{Difference, Why};
use crate::paths::OutPath;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// Nothing: this is what would be.
    Planned,
    Deployed,
    RolledBack,
}

/// What a deploy comes to.
#[derive(Clone, Debug)]
pub struct Summary {
    pub done: Done,
    pub target: String,
    /// Where the host is, as it calls itself.
    pub place: String,
    /// Where the site is read.
    pub url: String,
    pub uploads: Vec<(OutPath, Why)>,
    pub deletes: Vec<String>,
    pub unchanged: usize,
    /// Old files that stay for now.
    pub kept: usize,
    /// Bytes that are sent.
    pub bytes: u64,
    /// Files that were read back and compared.
    pub verified: usize,
    /// Addresses that search engines were told of.
    pub told: usize,
    /// What a rollback went back to.
    pub restored: Option<String>,
}

/// So many lines of a kind are shown to a person.
const SHOWN: usize = 20;

impl Summary {
    #[must_use]
    pub fn of(difference: &Difference, target: &str, place: &str, url: &str, done: Done) -> Self {
        Self {
            done,
            target: target.to_owned(),
            place: place.to_owned(),
            url: url.to_owned(),
            uploads: difference.uploads.iter().map(|u| (u.file.path.clone(), u.why)).collect(),
            deletes: difference.deletes.clone(),
            unchanged: difference.unchanged,
            kept: difference.kept.len(),
            bytes: difference.bytes,
            verified: 0,
            told: 0,
            restored: None,
        }
    }

    /// The files that readers see changed.
    #[must_use]
    pub fn changed_paths(&self) -> Vec<OutPath> {
        let gone = self.deletes.iter().filter_map(|path| OutPath::new(path).ok());
        self.uploads.iter().filter(|(_, why)| matches!(why, Why::New | Why::Content)).map(|(path, _)| path.clone()).chain(gone).collect()
    }

    fn count(&self, why: Why) -> usize {
        self.uploads.iter().filter(|(_, w)| *w == why).count()
    }

    /// The plan: a line a file (of each kind the first few), and a last one with numbers.
    #[must_use]
    pub fn plan(&self) -> String {
        let mut lines = Vec::new();
        for (sign, why, word) in
            [("+", Why::New, "new"), ("~", Why::Content, "content"), ("~", Why::Headers, "headers"), ("~", Why::Forced, "forced")]
        {
            let paths: Vec<&str> = self.uploads.iter().filter(|(_, w)| *w == why).map(|(path, _)| path.as_str()).collect();
            few(&mut lines, sign, &paths, word);
        }
        few(&mut lines, "-", &self.deletes.iter().map(String::as_str).collect::<Vec<_>>(), "gone");
        lines.push(self.numbers());
        lines.join("\n")
    }

    fn numbers(&self) -> String {
        let changed = self.uploads.len() - self.count(Why::New);
        let kept = if self.kept == 0 { String::new() } else { format!(", {} kept for a while", self.kept) };
        format!(
            "{} new, {changed} changed, {} unchanged, {} deleted{kept}; {} to send",
            self.count(Why::New),
            self.unchanged,
            self.deletes.len(),
            bytes(self.bytes)
        )
    }

    /// The last line.
    #[must_use]
    pub fn line(&self) -> String {
        match self.done {
            Done::Planned => format!("Would go to {}; nothing was changed", self.place),
            Done::RolledBack => format!("{}: went back to {}", self.place, self.restored.as_deref().unwrap_or("what was there before")),
            Done::Deployed if self.uploads.is_empty() && self.deletes.is_empty() => format!("{} has it all already: {}", self.place, self.url),
            Done::Deployed => {
                let told = match self.told {
                    0 => String::new(),
                    n => format!("; IndexNow told of {n} addresses"),
                };
                format!("Deployed to {}: {} files sent, {} deleted{told}: {}", self.place, self.uploads.len(), self.deletes.len(), self.url)
            }
        }
    }

    /// All of it, for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let paths = |why: Why| self.uploads.iter().filter(move |(_, w)| *w == why).map(|(path, _)| path.as_str()).collect::<Vec<_>>();
        let changed: Vec<Value> =
            self.uploads.iter().filter(|(_, why)| *why != Why::New).map(|(path, why)| json!({"path": path.as_str(), "why": why})).collect();
        json!({
            "target": self.target,
            "place": self.place,
            "url": self.url,
            "action": match self.done { Done::Planned => "dry-run", Done::Deployed => "deploy", Done::RolledBack => "rollback" },
            "new": paths(Why::New),
            "changed": changed,
            "deleted": self.deletes,
            "unchanged": self.unchanged,
            "kept": self.kept,
            "bytes": self.bytes,
            "verified": self.verified,
            "indexnow": self.told,
            "restored": self.restored,
        })
    }
}

fn few(lines: &mut Vec<String>, sign: &str, paths: &[&str], why: &str) {
    lines.extend(paths.iter().take(SHOWN).map(|path| format!("{sign} {path} ({why})")));
    if paths.len() > SHOWN {
        lines.push(format!("{sign} … and {} more ({why})", paths.len() - SHOWN));
    }
}

fn bytes(n: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for a person, with one digit after the point")]
    let n = n as f64;
    match n {
        n if n < 1000.0 => format!("{n:.0} bytes"),
        n if n < 1_000_000.0 => format!("{:.1} kB", n / 1000.0),
        n if n < 1_000_000_000.0 => format!("{:.1} MB", n / 1_000_000.0),
        n => format!("{:.1} GB", n / 1_000_000_000.0),
    }
}
