//! Source code → HTML with classes.
//!
//! Each token gets one short class that says what it is (`zk` a keyword, `zs` a string), never a colour: a
//! theme is a style sheet made from the same table ([`CLASSES`]), so changing it touches no page.

mod memo;

use std::sync::LazyLock;

use pulldown_cmark_escape::escape_html_body_text;
use syntect::parsing::{Scope, SyntaxReference, SyntaxSet};

pub use memo::{Effort, Memo, Postponed};

/// bat's grammars, read once from the binary; never written to.
static GRAMMARS: LazyLock<SyntaxSet> = LazyLock::new(two_face::syntax::extra_newlines);

/// Scope prefixes → class. Of the entries that fit a scope the longest wins.
static TABLE: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    let mut table: Vec<_> = CLASSES.iter().flat_map(|(class, scopes)| scopes.iter().filter_map(|s| Some((Scope::new(s).ok()?, *class)))).collect();
    table.sort_by_key(|(scope, _)| std::cmp::Reverse(scope.len()));
    table
});

/// Class → the scopes it stands for; a theme is asked for the colour of the first.
pub const CLASSES: &[(&str, &[&str])] = &[
    ("zc", &["comment", "punctuation.definition.comment"]),
    ("zs", &["string", "meta.string"]),
    ("ze", &["constant.character.escape", "constant.other.placeholder", "constant.character.format"]),
    ("zr", &["string.regexp"]),
    ("zm", &["constant.numeric", "keyword.other.unit"]),
    ("zl", &["constant.language", "constant", "variable.language", "support.constant"]),
    ("zk", &["keyword", "storage.modifier", "keyword.control"]),
    ("zo", &["keyword.operator"]),
    ("zy", &["storage.type", "storage"]),
    ("zf", &["entity.name.function", "support.function", "variable.function", "support.macro", "entity.name.macro", "meta.function-call.identifier"]),
    (
        "zt",
        &[
            "entity.name.type",
            "entity.name.class",
            "entity.name.struct",
            "entity.name.enum",
            "entity.name.trait",
            "entity.name.impl",
            "support.type",
            "support.class",
            "entity.other.inherited-class",
        ],
    ),
    ("zn", &["entity.name", "entity.name.namespace", "entity.name.module"]),
    ("zg", &["entity.name.tag", "support.type.property-name", "meta.mapping.key", "entity.name.tag.yaml"]),
    ("za", &["entity.other.attribute-name", "meta.annotation", "variable.annotation"]),
    ("zp", &["variable.parameter"]),
    ("zv", &["variable", "support.variable"]),
    ("zh", &["markup.heading", "entity.name.section", "meta.diff.header", "meta.diff.range"]),
    ("zb", &["markup.bold"]),
    ("zi", &["markup.italic"]),
    ("zu", &["markup.inserted"]),
    ("zd", &["markup.deleted"]),
    ("zx", &["invalid"]),
];

/// Lines longer than this, and blocks, are shown without colours: a grammar may take quadratic time on them.
const LONGEST_LINE: usize = 20_000;
const LARGEST_BLOCK: usize = 2_000_000;

/// Languages that are no language.
const PLAIN: [&str; 8] = ["", "text", "txt", "plain", "plaintext", "none", "output", "mermaid"];

/// What a fence's language turned out to be.
pub(super) enum Grammar {
    Known(&'static SyntaxReference),
    /// Meant to be plain.
    Plain,
    Unknown,
}

/// Looks a language up by name or file ending.
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

/// The code as HTML, line by line, without line ends. No element crosses a line.
pub(super) fn lines(code: &str, grammar: &Grammar, memo: &mut Memo) -> Vec<String> {
    match grammar {
        Grammar::Known(syntax) if code.len() <= LARGEST_BLOCK => memo.lines(code, syntax, &GRAMMARS),
        _ => code.lines().map(escaped).collect(),
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    let _ = escape_html_body_text(&mut out, text);
    out
}

/// The class of a scope, if the table has one for it.
fn class_of(scope: Scope) -> Option<&'static str> {
    TABLE.iter().find(|(prefix, _)| prefix.is_prefix_of(scope)).map(|(_, class)| *class)
}

/// Writes tokens, joining neighbours of one class.
#[derive(Default)]
struct Spans {
    out: String,
    open: Option<&'static str>,
}

impl Spans {
    fn push(&mut self, text: &str, class: Option<&'static str>) {
        if text.is_empty() {
            return;
        }
        let blank = text.bytes().all(|b| b == b' ' || b == b'\t');
        if class != self.open && !blank {
            self.close();
            if let Some(class) = class {
                self.out.push_str("<span class=\"");
                self.out.push_str(class);
                self.out.push_str("\">");
            }
            self.open = class;
        }
        let _ = escape_html_body_text(&mut self.out, text);
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.out.push_str("</span>");
        }
    }

    fn finish(mut self) -> String {
        self.close();
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_get_short_classes() {
        let html = lines("fn main() {\n    let s = \"a<b\"; // x\n}", &grammar("rust"), &mut Memo::default());
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
