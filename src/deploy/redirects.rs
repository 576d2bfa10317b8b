//! Writes aliases as rules of `_redirects`, so that hosts redirect before a page is loaded. Pure
//! except for reading the files.

use super::error::HostError;
use super::files::{HeaderPolicy, LocalFile};
use crate::host_rules;
use crate::paths::{OutPath, percent_decode};
use crate::render::redirect::target_of;

/// The file name of the rules.
const REDIRECTS: &str = "_redirects";
/// The largest page that can be a redirect, in bytes.
const MAX_REDIRECT_PAGE: u64 = 2048;
/// How many rules without placeholders Cloudflare reads (Cloudflare Pages, "Redirects").
pub const MAX_RULES: usize = 2000;
/// The longest rule that Cloudflare reads, in characters (same page).
const MAX_LINE: usize = 1000;

/// How a host reads `_redirects`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Existing files take precedence, unless the status ends in `!` (Netlify, "Redirect options":
    /// shadowing).
    Netlify,
    /// Rules take precedence over files, and `!` is not supported. From the first rule with a
    /// placeholder on, every rule counts as one with placeholders, of which 100 are read
    /// (Cloudflare Pages, "Redirects", and the parser in `cloudflare/workers-sdk`).
    Cloudflare,
}

/// Adds a rule for each page among `files` that redirects, unless a rule of the site matches its
/// path. The pages remain, for other spellings of the path. Returns how many aliases did not fit.
///
/// # Errors
/// When a file cannot be read.
pub fn add(
    files: &mut Vec<LocalFile>,
    dialect: Dialect,
    header_policy: HeaderPolicy<'_>,
) -> Result<usize, HostError> {
    let read = |file: &LocalFile| {
        let bytes = file.bytes().map_err(|e| HostError::local_file(file.path.as_str(), &e))?;
        Ok::<_, HostError>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut aliases = Vec::new();
    for file in files
        .iter()
        .filter(|f| f.path.as_str().ends_with(".html") && f.entry.size < MAX_REDIRECT_PAGE)
    {
        aliases.extend(target_of(&read(file)?).map(|to| (file.path.route().encoded(), to)));
    }
    let own = files.iter().position(|f| f.path.as_str() == REDIRECTS);
    let text = own.map(|at| read(&files[at])).transpose()?.unwrap_or_default();
    let (new, omitted) = add_rules(&text, &aliases, dialect);
    if let (Some(new), Ok(path)) = (new, OutPath::new(REDIRECTS)) {
        let file = LocalFile::generated(path, new.into_bytes(), header_policy, "");
        match own {
            Some(at) => files[at] = file,
            None => files.push(file),
        }
    }
    Ok(omitted)
}

/// The site's rules with a rule for each alias, if there are any to add, and how many aliases did
/// not fit.
fn add_rules(own: &str, aliases: &[(String, String)], dialect: Dialect) -> (Option<String>, usize) {
    let rules = host_rules::redirects(own);
    let has_no_rule =
        |from: &str| !rules.iter().any(|rule| rule.target(&percent_decode(from)).is_some());
    let mut lines: Vec<String> = aliases
        .iter()
        .filter(|(from, to)| is_line(from, to) && has_no_rule(from))
        .map(|(from, to)| line(from, to, dialect))
        .collect();
    let all = lines.len();
    let (before, after) =
        match dialect {
            Dialect::Netlify => (own, ""),
            Dialect::Cloudflare => {
                lines.retain(|line| line.chars().count() <= MAX_LINE);
                let (before, after) = split_at_placeholder(own);
                lines.truncate(MAX_RULES.saturating_sub(
                    before.lines().filter(|line| source_of(line).is_some()).count(),
                ));
                (before, after)
            }
        };
    let omitted = all - lines.len();
    if lines.is_empty() {
        return (None, omitted);
    }
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    (Some(format!("{before}{end}{}\n{after}", lines.join("\n"))), omitted)
}

fn line(from: &str, to: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Netlify => format!("{from}  {to}  301!"),
        Dialect::Cloudflare => format!("{from}  {to}  301"),
    }
}

/// Whether a redirect can be written as a rule: no character in it has a special meaning, and it
/// does not redirect to itself.
fn is_line(from: &str, to: &str) -> bool {
    let same = |text: &str| percent_decode(text).trim_matches('/').to_owned();
    let is_word = |text: &str| {
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    let has_target = to.starts_with('/') || to.starts_with("https://") || to.starts_with("http://");
    is_word(from)
        && is_word(to)
        && has_target
        && !from.contains(['*', ':', '#'])
        && same(from) != same(to)
}

/// The path that a line applies to; `None` for a comment or an empty line.
fn source_of(line: &str) -> Option<&str> {
    line.split_whitespace().next().filter(|word| !word.starts_with('#'))
}

/// Splits the rules before the first one with a placeholder.
fn split_at_placeholder(own: &str) -> (&str, &str) {
    let mut at = 0;
    for line in own.split_inclusive('\n') {
        if source_of(line).is_some_and(|from| from.contains('*') || from.contains("/:")) {
            break;
        }
        at += line.len();
    }
    own.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect()
    }

    #[test]
    fn each_host_reads_lines_of_its_own() {
        let some = aliases(&[("/old/", "/new/"), ("/b%20c/", "/new/")]);
        let own = "# mine\n/x /y 302\n/news/* /blog/:splat\n/z /w";
        let netlify = "# mine\n/x /y 302\n/news/* /blog/:splat\n/z /w\n/old/  /new/  301!\n\
                       /b%20c/  /new/  301!\n";
        assert_eq!(add_rules(own, &some, Dialect::Netlify), (Some(netlify.to_owned()), 0));
        let cloudflare = "# mine\n/x /y 302\n/old/  /new/  301\n/b%20c/  /new/  301\n\
                          /news/* /blog/:splat\n/z /w";
        assert_eq!(add_rules(own, &some, Dialect::Cloudflare), (Some(cloudflare.to_owned()), 0));
        assert_eq!(
            add_rules("", &some[..1], Dialect::Cloudflare),
            (Some("/old/  /new/  301\n".to_owned()), 0)
        );
        assert_eq!(add_rules(own, &[], Dialect::Cloudflare), (None, 0));
    }

    #[test]
    fn the_sites_own_rules_come_first() {
        for own in ["/old /x", "/* /x 302", "/:any/ /x"] {
            for dialect in [Dialect::Netlify, Dialect::Cloudflare] {
                assert_eq!(
                    add_rules(own, &aliases(&[("/old/", "/new/")]), dialect),
                    (None, 0),
                    "{own}"
                );
            }
        }
    }

    #[test]
    fn what_would_be_read_as_something_else_has_no_line() {
        for (from, to) in [
            ("/a:b/", "/n/"),
            ("/a*/", "/n/"),
            ("/a/", "/n /"),
            ("/a/", "javascript:x"),
            ("/a/", "/a"),
            ("/a/", ""),
        ] {
            assert_eq!(
                add_rules("", &aliases(&[(from, to)]), Dialect::Netlify),
                (None, 0),
                "{from} {to}"
            );
        }
    }

    #[test]
    fn cloudflare_reads_so_many() {
        let many: Vec<(String, String)> =
            (0..2100).map(|n| (format!("/old/{n}/"), "/new/".to_owned())).collect();
        let lines = |(text, left): (Option<String>, usize)| (text.unwrap().lines().count(), left);
        assert_eq!(
            lines(add_rules("/x /y\n\n# no rule\n", &many, Dialect::Cloudflare)),
            (1999 + 3, 101)
        );
        assert_eq!(lines(add_rules("", &many, Dialect::Netlify)), (2100, 0));
        let long = aliases(&[(&format!("/{}/", "x".repeat(1000)), "/new/")]);
        assert_eq!(add_rules("", &long, Dialect::Cloudflare), (None, 1));
    }
}
