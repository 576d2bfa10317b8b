//! The default theme in the binary is the repository's own `templates/` and `static/`, whole.

use folio::load::theme::{STATIC, TEMPLATES};

#[test]
fn every_template_and_static_file_is_embedded() {
    let templates: Vec<String> =
        crate::common::files(&crate::common::project().join("templates")).into_keys().collect();
    let statics: Vec<String> =
        crate::common::files(&crate::common::project().join("static")).into_keys().collect();
    assert_eq!(TEMPLATES.iter().map(|(n, _)| *n).collect::<Vec<_>>(), templates);
    assert_eq!(STATIC.iter().map(|(n, _)| *n).collect::<Vec<_>>(), statics);
}

#[test]
fn a_site_replaces_the_theme_file_by_file() {
    let site = crate::common::Site::new()
        .file("content/a.md", "text")
        .file("templates/components/toc.html", "{% component toc() %}mine{% endcomponent toc %}");
    site.write("static/style.css", "mine");
    site.write("content/b.md", "---\ntoc: true\n---\n");
    site.build();
    assert_eq!(site.page("style.css"), "mine");
    assert!(site.page("b/index.html").contains("mine"));
    assert!(site.has("favicon.svg"));
}
