//! Source code as HTML with a class per kind of token.

use std::sync::LazyLock;

use pulldown_cmark_escape::escape_html_body_text;
use syntect::parsing::Scope;

/// Scope prefixes → class. The longest prefix of a scope applies.
pub(super) static TABLE: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    let mut table: Vec<_> = CLASSES
        .iter()
        .flat_map(|(class, scopes)| {
            scopes.iter().filter_map(|s| Some((Scope::new(s).ok()?, *class)))
        })
        .collect();
    table.sort_by_key(|(scope, _)| std::cmp::Reverse(scope.len()));
    table
});

/// Class → its scopes. The first of them determines the colour in a theme.
pub const CLASSES: &[(&str, &[&str])] = &[
    ("zc", &["comment", "punctuation.definition.comment"]),
    ("zs", &["string", "meta.string"]),
    (
        "ze",
        &["constant.character.escape", "constant.other.placeholder", "constant.character.format"],
    ),
    ("zr", &["string.regexp"]),
    ("zm", &["constant.numeric", "keyword.other.unit"]),
    ("zl", &["constant.language", "constant", "variable.language", "support.constant"]),
    ("zk", &["keyword", "storage.modifier", "keyword.control"]),
    ("zo", &["keyword.operator"]),
    ("zy", &["storage.type", "storage"]),
    (
        "zf",
        &[
            "entity.name.function",
            "support.function",
            "variable.function",
            "support.macro",
            "entity.name.macro",
            "meta.function-call.identifier",
        ],
    ),
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
    (
        "zg",
        &[
            "entity.name.tag",
            "support.type.property-name",
            "meta.mapping.key",
            "entity.name.tag.yaml",
        ],
    ),
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

/// Longer lines and blocks are not highlighted, since a grammar may take quadratic time for them.
pub(super) const LONGEST_LINE: usize = 2_000;

pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    let _ = escape_html_body_text(&mut out, text);
    out
}

/// The class of a scope, if the table has one.
pub(super) fn class_of(scope: Scope) -> Option<&'static str> {
    TABLE.iter().find(|(prefix, _)| prefix.is_prefix_of(scope)).map(|(_, class)| *class)
}

/// Writes tokens, joining neighbours of one class.
#[derive(Default)]
pub(super) struct Spans {
    out: String,
    open: Option<&'static str>,
}

impl Spans {
    pub(super) fn push(&mut self, text: &str, class: Option<&'static str>) {
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

    pub(super) fn finish(mut self) -> String {
        self.close();
        self.out
    }
}
