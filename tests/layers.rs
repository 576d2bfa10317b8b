//! The import direction of ARCHITECTURE.md: a module uses only what stands above it in this list.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::disallowed_macros, reason = "a test may")]

use std::fs;
use std::path::Path;

const ORDER: [&str; 18] = [
    "diag", "paths", "schema", "rules", "net", "config", "memo", "load", "parse", "plan", "render", "write", "pipeline", "check", "scaffold",
    "serve", "deploy", "cli",
];

fn rank(module: &str) -> Option<usize> {
    ORDER.iter().position(|m| *m == module)
}

#[test]
fn no_module_imports_one_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    let mut wrong = Vec::new();
    for entry in walkdir::WalkDir::new(&src).into_iter().filter_map(Result::ok).filter(|e| e.path().extension().is_some_and(|e| e == "rs")) {
        let relative = entry.path().strip_prefix(&src).unwrap();
        let module = relative.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let own = rank(&module).unwrap_or_else(|| panic!("src/{module} has no place in the order"));
        let text = fs::read_to_string(entry.path()).unwrap();
        for (at, _) in text.match_indices("crate::") {
            let rest = &text[at + 7..];
            let used = if let Some(list) = rest.strip_prefix('{') {
                list[..list.find('}').unwrap()].split(',').map(|m| m.trim().split("::").next().unwrap().to_owned()).collect()
            } else {
                vec![rest[..rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap()].to_owned()]
            };
            for used in used.iter().filter(|m| !m.is_empty()) {
                checked += 1;
                match rank(used) {
                    Some(other) if other <= own => {}
                    _ => wrong.push(format!("{} uses crate::{used}", relative.display())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 100, "only {checked} paths were found: the test reads the wrong files");
}
