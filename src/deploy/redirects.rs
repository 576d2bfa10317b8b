//! Aliases as lines of `_redirects`, so that an old address is answered with a redirect before any page is shown. Pure but
//! for reading the files.

use super::failure::Failure;
use super::files::{Dressing, LocalFile};
use crate::paths::{OutPath, percent_decode};
use crate::render::redirect::target_of;
use crate::rules;

/// The name of the rules.
const NAME: &str = "_redirects";
/// A page that redirects is smaller.
const LARGEST: u64 = 2048;
/// Cloudflare reads so many redirects from one address (Cloudflare Pages, "Redirects").
pub const MOST: usize = 2000;
/// Cloudflare reads lines of so many characters (as before).
const LONGEST: usize = 1000;

/// How a host reads `_redirects`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A file that is there comes before a line, unless its status ends in `!` (Netlify, "Redirect options": shadowing).
    Netlify,
    /// A line comes before any file, and `!` is not understood. After the first line with a sign for anything, each line
    /// counts as such, of which 100 are read (Cloudflare Pages, "Redirects", and its parser in `cloudflare/workers-sdk`).
    Cloudflare,
}

/// Adds a line for each page of `here` that redirects, where the site's own rules say nothing of its address. The pages
/// stay, for readers of the other spellings of an address. Returns how many there was no room for.
///
/// # Errors
/// When a file cannot be read.
pub fn add(here: &mut Vec<LocalFile>, dialect: Dialect, dressing: Dressing<'_>) -> Result<usize, Failure> {
    let read = |file: &LocalFile| {
        let bytes = file.bytes().map_err(|e| Failure::local(file.path.as_str(), &e))?;
        Ok::<_, Failure>(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut aliases = Vec::new();
    for file in here.iter().filter(|f| f.path.as_str().ends_with(".html") && f.entry.size < LARGEST) {
        aliases.extend(target_of(&read(file)?).map(|to| (file.path.route().encoded(), to)));
    }
    let own = here.iter().position(|f| f.path.as_str() == NAME);
    let text = own.map(|at| read(&here[at])).transpose()?.unwrap_or_default();
    let (new, left_out) = written(&text, &aliases, dialect);
    if let (Some(new), Ok(path)) = (new, OutPath::new(NAME)) {
        let file = LocalFile::made(path, new.into_bytes(), dressing, "");
        match own {
            Some(at) => here[at] = file,
            None => here.push(file),
        }
    }
    Ok(left_out)
}

/// The site's rules with a line for each alias, if that makes any difference, and how many aliases there was no room for.
fn written(own: &str, aliases: &[(String, String)], dialect: Dialect) -> (Option<String>, usize) {
    let rules = rules::redirects(own);
    let says_nothing = |from: &str| !rules.iter().any(|rule| rule.applied(&percent_decode(from)).is_some());
    let mut lines: Vec<String> =
        aliases.iter().filter(|(from, to)| is_line(from, to) && says_nothing(from)).map(|(from, to)| line(from, to, dialect)).collect();
    let all = lines.len();
    let (before, after) = match dialect {
        Dialect::Netlify => (own, ""),
        Dialect::Cloudflare => {
            lines.retain(|line| line.chars().count() <= LONGEST);
            let (before, after) = parted(own);
            lines.truncate(MOST.saturating_sub(before.lines().filter(|line| address(line).is_some()).count()));
            (before, after)
        }
    };
    let left_out = all - lines.len();
    if lines.is_empty() {
        return (None, left_out);
    }
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    (Some(format!("{before}{end}{}\n{after}", lines.join("\n"))), left_out)
}

fn line(from: &str, to: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Netlify => format!("{from}  {to}  301!"),
        Dialect::Cloudflare => format!("{from}  {to}  301"),
    }
}

/// Whether a redirect can be told in a line: no sign in it means anything else there, and it leads somewhere else.
fn is_line(from: &str, to: &str) -> bool {
    let same = |text: &str| percent_decode(text).trim_matches('/').to_owned();
    let is_word = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let leads = to.starts_with('/') || to.starts_with("https://") || to.starts_with("http://");
    is_word(from) && is_word(to) && leads && !from.contains(['*', ':', '#']) && same(from) != same(to)
}

/// The address that a line of rules is about.
fn address(line: &str) -> Option<&str> {
    line.split_whitespace().next().filter(|word| !word.starts_with('#'))
}

/// The rules before the first with a sign for anything in its address, and those from there on.
fn parted(own: &str) -> (&str, &str) {
    let mut at = 0;
    for line in own.split_inclusive('\n') {
        if address(line).is_some_and(|from| from.contains('*') || from.contains("/:")) {
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
        let netlify = "# mine\n/x /y 302\n/news/* /blog/:splat\n/z /w\n/old/  /new/  301!\n/b%20c/  /new/  301!\n";
        assert_eq!(written(own, &some, Dialect::Netlify), (Some(netlify.to_owned()), 0));
        let cloudflare = "# mine\n/x /y 302\n/old/  /new/  301\n/b%20c/  /new/  301\n/news/* /blog/:splat\n/z /w";
        assert_eq!(written(own, &some, Dialect::Cloudflare), (Some(cloudflare.to_owned()), 0));
        assert_eq!(written("", &some[..1], Dialect::Cloudflare), (Some("/old/  /new/  301\n".to_owned()), 0));
        assert_eq!(written(own, &[], Dialect::Cloudflare), (None, 0));
    }

    #[test]
    fn the_sites_own_rules_come_first() {
        for own in ["/old /x", "/* /x 302", "/:any/ /x"] {
            for dialect in [Dialect::Netlify, Dialect::Cloudflare] {
                assert_eq!(written(own, &aliases(&[("/old/", "/new/")]), dialect), (None, 0), "{own}");
            }
        }
    }

    #[test]
    fn what_would_be_read_as_something_else_has_no_line() {
        for (from, to) in [("/a:b/", "/n/"), ("/a*/", "/n/"), ("/a/", "/n /"), ("/a/", "javascript:x"), ("/a/", "/a"), ("/a/", "")] {
            assert_eq!(written("", &aliases(&[(from, to)]), Dialect::Netlify), (None, 0), "{from} {to}");
        }
    }

    #[test]
    fn cloudflare_reads_so_many() {
        let many: Vec<(String, String)> = (0..2100).map(|n| (format!("/old/{n}/"), "/new/".to_owned())).collect();
        let lines = |(text, left): (Option<String>, usize)| (text.unwrap().lines().count(), left);
        assert_eq!(lines(written("/x /y\n\n# no rule\n", &many, Dialect::Cloudflare)), (1999 + 3, 101));
        assert_eq!(lines(written("", &many, Dialect::Netlify)), (2100, 0));
        let long = aliases(&[(&format!("/{}/", "x".repeat(1000)), "/new/")]);
        assert_eq!(written("", &long, Dialect::Cloudflare), (None, 1));
    }
}
