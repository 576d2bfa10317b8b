//! Highlights source code as HTML with classes.
//!
//! Each token gets one short class for its kind (`zk` for a keyword, `zs` for a string), never a
//! colour. A theme is a style sheet generated from the same table ([`CLASSES`]), so changing it
//! changes no page.

mod cache;
mod spans;

use std::sync::LazyLock;

use syntect::parsing::{SyntaxReference, SyntaxSet};

use spans::escaped;

pub use cache::{HighlightCache, Highlighting};
pub use spans::CLASSES;

/// bat's grammars, read once from the binary and never modified.
static GRAMMARS: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

const LARGEST_BLOCK: usize = 2_000_000;

/// Names that mean plain text.
const PLAIN: [&str; 8] = ["", "text", "txt", "plain", "plaintext", "none", "output", "mermaid"];

/// What the language of a code block turned out to be.
pub(super) enum Grammar {
    Known(&'static SyntaxReference),
    /// Plain text on purpose.
    Plain,
    Unknown,
}

/// Finds a grammar by the name of its language or a file extension.
pub(super) fn grammar(language: &str) -> Grammar {
    if PLAIN.contains(&language.to_ascii_lowercase().as_str()) {
        return Grammar::Plain;
    }
    let token = match language.to_ascii_lowercase().as_str() {
        "jsonc" | "json5" => "json".to_owned(),
        "shell" | "zsh" | "console" | "shellsession" | "terminal" => "sh".to_owned(),
        "golang" => "go".to_owned(),
        "jsx" | "mjs" => "js".to_owned(),
        "docker" => "dockerfile".to_owned(),
        "csharp" => "cs".to_owned(),
        "fsharp" => "fs".to_owned(),
        "objc" | "objectivec" | "objective-c" => "m".to_owned(),
        "fortran" => "f90".to_owned(),
        "scheme" => "scm".to_owned(),
        "apache" | "apacheconf" => "htaccess".to_owned(),
        other => other.to_owned(),
    };
    GRAMMARS.find_syntax_by_token(&token).map_or(Grammar::Unknown, Grammar::Known)
}

/// The names and file extensions by which languages are known.
pub fn known_languages() -> impl Iterator<Item = &'static str> {
    let is_word = |name: &&str| !name.contains(' ');
    GRAMMARS.syntaxes().iter().flat_map(|s| &s.file_extensions).map(String::as_str).filter(is_word)
}

/// The code as HTML, line by line, without line ends. No element crosses a line.
pub(super) fn lines(code: &str, grammar: &Grammar, cache: &mut HighlightCache) -> Vec<String> {
    match grammar {
        Grammar::Known(syntax) if code.len() <= LARGEST_BLOCK => {
            cache.lines(code, syntax, &GRAMMARS)
        }
        _ => code.lines().map(escaped).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_get_short_classes() {
        let html = lines(
            "fn main() {\n    let s = \"a<b\"; // x\n}",
            &grammar("rust"),
            &mut HighlightCache::default(),
        );
        assert_eq!(html.len(), 3);
        assert_eq!(html[0], "<span class=\"zy\">fn </span><span class=\"zf\">main</span>() {");
        assert!(html[1].contains("<span class=\"zs\">\"a&lt;b\"</span>"), "{}", html[1]);
        assert!(html[1].contains("<span class=\"zc\">// x</span>"), "{}", html[1]);
    }

    #[test]
    fn plain_is_not_unknown() {
        assert!(matches!(grammar("text"), Grammar::Plain));
        assert!(matches!(grammar("klingon"), Grammar::Unknown));
        for known in [
            "rust",
            "py",
            "toml",
            "yaml",
            "bash",
            "sh",
            "go",
            "js",
            "ts",
            "json",
            "sql",
            "diff",
            "html",
            "dockerfile",
            "nginx",
            "console",
            "csharp",
            "fsharp",
            "objc",
            "fortran",
            "scheme",
            "apache",
        ] {
            assert!(matches!(grammar(known), Grammar::Known(_)), "{known}");
        }
    }
}
