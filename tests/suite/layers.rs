//! The import rules of ARCHITECTURE.md: a module uses only modules above it in [`ORDER`], and the
//! files of a module do not import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the library: each uses only those before it.
const ORDER: [&str; 25] = [
    "diag",
    "paths",
    "slug",
    "schema",
    "host_rules",
    "html",
    "media_type",
    "net",
    "language",
    "config",
    "cache",
    "load",
    "parse",
    "plan",
    "render",
    "write",
    "dependencies",
    "session",
    "build",
    "live",
    "check",
    "scaffold",
    "serve",
    "deploy",
    "cli",
];

/// A path that a file uses, such as `crate::plan::links::check`, as segments after `crate`.
type UsedPath = Vec<String>;

/// The files of the library by their module path, with the paths that each uses.
struct Sources {
    files: BTreeMap<Vec<String>, Vec<UsedPath>>,
}

impl Sources {
    fn read(src: &Path) -> Self {
        let mut files = BTreeMap::new();
        for entry in walkdir::WalkDir::new(src).into_iter().filter_map(Result::ok) {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "rs") {
                continue;
            }
            let module = module_path(path.strip_prefix(src).unwrap());
            if matches!(module.first().map(String::as_str), Some("main" | "lib" | "terminal")) {
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            let uses = used_paths(&text, &module);
            files.insert(module, uses);
        }
        Self { files }
    }

    /// The file that a path leads into: the longest prefix that is the module path of a file.
    fn file_of(&self, path: &[String]) -> Option<&Vec<String>> {
        (1..=path.len())
            .rev()
            .find_map(|length| self.files.get_key_value(&path[..length]))
            .map(|(file, _)| file)
    }

    /// The files that each file imports from.
    fn imports(&self) -> BTreeMap<&Vec<String>, BTreeSet<&Vec<String>>> {
        self.files
            .iter()
            .map(|(file, uses)| {
                let used = uses.iter().filter_map(|path| self.file_of(path));
                (file, used.filter(|other| *other != file).collect())
            })
            .collect()
    }
}

/// `plan/links.rs` → `["plan", "links"]`; `plan/mod.rs` → `["plan"]`.
fn module_path(relative: &Path) -> Vec<String> {
    let stem: PathBuf = relative.with_extension("");
    let mut parts: Vec<String> =
        stem.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Every path that starts with `crate` or `super`, also in lists in braces. Unit tests at the end
/// of a file are left out.
fn used_paths(text: &str, module: &[String]) -> Vec<UsedPath> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if !continues_a_word(&code, at) {
            expand(&code[at + 7..], &[], &mut paths);
        }
    }
    for (at, _) in code.match_indices("super::") {
        if continues_a_word(&code, at) || code[..at].ends_with("super::") {
            continue;
        }
        let mut rest = &code[at..];
        let mut base = module.to_vec();
        while let Some(after) = rest.strip_prefix("super::") {
            base.pop();
            rest = after;
        }
        expand(rest, &base, &mut paths);
    }
    paths.extend(paths_into_submodules(&code, module));
    paths
}

/// The paths that start with a submodule that the file declares, such as `links::check`.
fn paths_into_submodules(code: &str, module: &[String]) -> Vec<UsedPath> {
    let mut paths = Vec::new();
    for line in code.lines().filter_map(|line| line.strip_suffix(';')) {
        let Some((_, name)) = line.split_once("mod ") else { continue };
        let start = format!("{name}::");
        for (at, _) in code.match_indices(&start) {
            if !continues_a_word(code, at) && !code[..at].ends_with("::") {
                expand(&code[at..], module, &mut paths);
            }
        }
    }
    paths
}

fn continues_a_word(code: &str, at: usize) -> bool {
    code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$')
}

/// Adds the paths of `a::b` or `a::{b, c::d}`. The end of an import without braces is the first
/// character that is not part of a path.
fn expand(text: &str, base: &[String], paths: &mut Vec<UsedPath>) {
    let mut path = base.to_vec();
    let mut rest = text;
    loop {
        if let Some(list) = rest.strip_prefix('{') {
            for item in list_items(list) {
                expand(item.trim(), &path, paths);
            }
            return;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if !matches!(&rest[..end], "" | "self") {
            path.push(rest[..end].to_owned());
        }
        match rest[end..].strip_prefix("::") {
            Some(after) => rest = after,
            None => return paths.push(path),
        }
    }
}

/// The items of a list in braces, up to the brace that closes it.
fn list_items(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&list[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.retain(|item| !item.trim().is_empty());
    items
}

fn library() -> Sources {
    Sources::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn rank(module: &str) -> usize {
    ORDER.iter().position(|m| *m == module).unwrap_or_else(|| panic!("src/{module} has no rank"))
}

#[test]
fn no_module_imports_one_below_it() {
    let sources = library();
    let (mut checked, mut wrong) = (0, Vec::new());
    for (file, used) in sources.imports() {
        for other in used {
            checked += 1;
            if rank(&other[0]) > rank(&file[0]) {
                wrong.push(format!("{} imports {}", file.join("/"), other.join("/")));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 300, "only {checked} imports were found: the test reads the wrong files");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = library();
    let imports = sources.imports();
    let circles: Vec<String> = circles(&imports)
        .iter()
        .map(|files| files.iter().map(|f| f.join("/")).collect::<Vec<_>>().join(", "))
        .collect();
    assert!(circles.is_empty(), "{circles:#?}");
}

/// Groups of files that reach each other over imports.
fn circles<'a>(
    imports: &BTreeMap<&'a Vec<String>, BTreeSet<&'a Vec<String>>>,
) -> BTreeSet<BTreeSet<&'a Vec<String>>> {
    let reached: BTreeMap<_, _> = imports.keys().map(|f| (*f, reachable(f, imports))).collect();
    reached
        .iter()
        .filter(|(file, others)| others.contains(*file))
        .map(|(file, others)| {
            others.iter().copied().filter(|other| reached[other].contains(file)).collect()
        })
        .collect()
}

fn reachable<'a>(
    file: &Vec<String>,
    imports: &BTreeMap<&'a Vec<String>, BTreeSet<&'a Vec<String>>>,
) -> BTreeSet<&'a Vec<String>> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<_> = imports[file].iter().copied().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(imports[next].iter().copied());
        }
    }
    reached
}

#[test]
fn a_circle_is_found() {
    let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let text = "use super::b::{B, c::D};\n// use crate::x;\nuse crate::plan::{self, jobs::Job};\n";
    let paths = used_paths(text, &path("check/a"));
    let expected = ["plan", "plan/jobs/Job", "check/b/B", "check/b/c/D"].map(path);
    assert_eq!(paths, expected);
    let files = [("check/a", "use super::b::B;"), ("check/b", "use crate::check::a::A;")]
        .map(|(file, text)| (path(file), used_paths(text, &path(file))));
    let sources = Sources { files: files.into_iter().collect() };
    assert_eq!(circles(&sources.imports()).len(), 1);
}
