//! The default theme in the binary is the repository's own `templates/` and `static/`, whole.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::disallowed_macros, reason = "a test may")]

mod common;

use folio::load::theme::{STATIC, TEMPLATES};

#[test]
fn every_template_and_static_file_is_embedded() {
    let templates: Vec<String> = common::files(&common::project().join("templates")).into_keys().collect();
    let statics: Vec<String> = common::files(&common::project().join("static")).into_keys().collect();
    assert_eq!(TEMPLATES.iter().map(|(n, _)| *n).collect::<Vec<_>>(), templates);
    assert_eq!(STATIC.iter().map(|(n, _)| *n).collect::<Vec<_>>(), statics);
}

#[test]
fn a_site_replaces_the_theme_file_by_file() {
    let site =
        common::Site::new().file("content/a.md", "text").file("templates/components/toc.html", "{% component toc() %}mine{% endcomponent toc %}");
    site.write("static/style.css", "mine");
    site.write("content/b.md", "---\ntoc: true\n---\n");
    site.build();
    assert_eq!(site.page("style.css"), "mine");
    assert!(site.page("b/index.html").contains("mine"));
    assert!(site.has("favicon.svg"));
}
