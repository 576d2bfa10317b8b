//! `_redirects` and `_headers`, as Netlify and Cloudflare Pages read them.
//!
//! Supported are paths with `:name` placeholders and a `*`, the statuses of redirects, 200
//! (rewrite) and 404, and `!` for a rule that applies even where a file exists. Lines with
//! conditions (country, language, role) are skipped, since they depend on the visitor. This module
//! must not read files.

use std::collections::BTreeMap;

/// A line of `_redirects`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Redirect {
    /// The pattern of the paths it applies to.
    pub(crate) from: String,
    to: String,
    pub status: u16,
    pub precedence: Precedence,
}

/// Whether a rule applies where a file exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precedence {
    BeforeFiles,
    AfterFiles,
}

/// Reads `_redirects`.
pub(crate) fn redirects(text: &str) -> Vec<Redirect> {
    text.lines().filter_map(redirect).collect()
}

fn redirect(line: &str) -> Option<Redirect> {
    let line = line.split(" #").next().unwrap_or_default().trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let mut words = line.split_whitespace();
    let (from, to, status) = (words.next()?, words.next()?, words.next().unwrap_or("301"));
    let is_condition = |word: &str| {
        ["Country=", "Language=", "Role=", "Cookie="].iter().any(|c| word.starts_with(c))
    };
    if !from.starts_with('/') || is_condition(to) || is_condition(status) || words.any(is_condition)
    {
        return None;
    }
    let (status, precedence) = match status.strip_suffix('!') {
        Some(status) => (status, Precedence::BeforeFiles),
        None => (status, Precedence::AfterFiles),
    };
    let status = status.parse().ok().filter(|s| [200, 301, 302, 303, 307, 308, 404].contains(s))?;
    Some(Redirect { from: from.to_owned(), to: to.to_owned(), status, precedence })
}

impl Redirect {
    /// The target of the rule for a (decoded) path below the base URL; `None` when it does not
    /// match.
    pub(crate) fn target(&self, path: &str) -> Option<String> {
        let names = match_pattern(&self.from, path)?;
        let mut to = self.to.clone();
        // Longest first, so that `:a` does not replace the start of `:ab`.
        let mut names: Vec<_> = names.into_iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        for (name, value) in names {
            to = to.replace(&format!(":{name}"), &crate::paths::percent_encode(&value));
        }
        Some(to)
    }
}

/// The values of a pattern's placeholders in a path; `None` when it does not match. A trailing
/// slash makes no difference.
fn match_pattern(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    let mut parts = path.trim_matches('/').split('/').filter(|p| !p.is_empty());
    for part in pattern.trim_matches('/').split('/').filter(|p| !p.is_empty()) {
        if part == "*" {
            let rest: Vec<&str> = parts.collect();
            let slash = if path.ends_with('/') && !rest.is_empty() { "/" } else { "" };
            names.insert("splat".to_owned(), rest.join("/") + slash);
            return Some(names);
        }
        let found = parts.next()?;
        match part.strip_prefix(':') {
            Some(name) => {
                names.insert(name.to_owned(), found.to_owned());
            }
            None if crate::paths::percent_decode(part) == found => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(names)
}

/// The headers that `_headers` sets for a path, in order. A line `! Name` removes one.
pub(crate) fn headers(text: &str, path: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut applies = false;
    for line in text.lines().filter(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#')) {
        if !line.starts_with([' ', '\t']) {
            applies = match_pattern(line.trim(), path).is_some();
            continue;
        }
        let line = line.trim();
        if !applies {
            continue;
        }
        if let Some(name) = line.strip_prefix('!') {
            found.retain(|(n, _)| !n.eq_ignore_ascii_case(name.trim()));
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_read_and_followed() {
        let rules = redirects(
            "# old\n/old  /new\n/news/*  /blog/:splat  302 # why\n\
             /u/:id/p/:page /x/:page/:id 301!\n/app/* /index.html 200\n/de /x 302 Language=de\n\
             nonsense\n/y /z 999\n",
        );
        assert_eq!(rules.len(), 4);
        let first =
            |path: &str| rules.iter().find_map(|r| Some((r.target(path)?, r.status, r.precedence)));
        assert_eq!(first("/old/"), Some(("/new".into(), 301, Precedence::AfterFiles)));
        assert_eq!(
            first("/news/2026/a b"),
            Some(("/blog/2026/a%20b".into(), 302, Precedence::AfterFiles))
        );
        assert_eq!(first("/u/7/p/2"), Some(("/x/2/7".into(), 301, Precedence::BeforeFiles)));
        assert_eq!(first("/app"), Some(("/index.html".into(), 200, Precedence::AfterFiles)));
        assert_eq!(first("/u/7"), None);
    }

    #[test]
    fn headers_are_read() {
        let text = "/*\n  X-Frame-Options: DENY\n  Link: <a>; rel=x: y\n/a/*\n\
                    \t! X-Frame-Options\n  X-A: 1\nnot\n X-B: 2\n";
        let names = |path: &str| {
            headers(text, path)
                .into_iter()
                .map(|(n, v)| format!("{n}={v}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(names("/"), "X-Frame-Options=DENY Link=<a>; rel=x: y");
        assert_eq!(names("/a/b/"), "Link=<a>; rel=x: y X-A=1");
    }
}
