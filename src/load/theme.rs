//! The default theme: this repository's `templates/` and `static/`, embedded in the binary. A
//! site's file of the same name overrides it. `tests/suite/theme.rs` checks that no file of the two
//! folders is missing here.

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        /// Name → text of every template of the default theme.
        pub const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../templates/", $name)))),*];
    };
}

macro_rules! statics {
    ($($name:literal),* $(,)?) => {
        /// Name → bytes of every static file of the default theme.
        pub const STATIC: &[(&str, &[u8])] =
            &[$(($name, include_bytes!(concat!("../../static/", $name)))),*];
    };
}

templates![
    "404.html",
    "archive.html",
    "article-end.html",
    "base.html",
    "components/ad.html",
    "components/callout.html",
    "components/cards.html",
    "components/comments.html",
    "components/figure.html",
    "components/meta.html",
    "components/toc.html",
    "footer.html",
    "head.html",
    "header.html",
    "index.html",
    "page.html",
    "section.html",
    "taxonomy.html",
    "term.html",
];

statics!["favicon.svg", "style.css"];

/// The folder under which the theme's own templates are found when a site overrides them.
pub const FOLDER: &str = "theme/";
