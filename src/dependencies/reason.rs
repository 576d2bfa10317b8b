//! Why a file has to be rendered, in words for `folio build --explain`.

use std::collections::BTreeMap;

use super::dependency::Dependency;
use crate::cache::Fingerprint;
use crate::paths::SourcePath;
use crate::render::Call;

/// Why a file has to be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no earlier build of this output.
    NoEarlierBuild,
    /// The earlier build had no such file.
    NewFile,
    /// The file in the output is missing or was changed.
    OutputFile,
    /// A dependency has changed.
    Dependency(Dependency),
    /// Dependencies were added, removed or reordered.
    Dependencies,
    /// A call of a template returns something else.
    Call(Call),
}

/// What the words need to know besides the reason.
pub struct ReasonContext<'a> {
    /// The templates of the last build and of this one, with their fingerprints.
    pub templates_before: &'a BTreeMap<String, Fingerprint>,
    pub templates: &'a BTreeMap<String, Fingerprint>,
    /// Finds an article by the fingerprint of its path, with the names of the fields of its front
    /// matter that have changed.
    pub article: &'a dyn Fn(Fingerprint) -> Option<(SourcePath, Vec<&'static str>)>,
}

impl Reason {
    /// The reason as part of a sentence.
    #[must_use]
    pub fn describe(&self, context: &ReasonContext<'_>) -> String {
        match self {
            Self::NoEarlierBuild => "there is no earlier build".into(),
            Self::NewFile => "it is new".into(),
            Self::OutputFile => "the file in the output is missing or was changed".into(),
            Self::Dependency(dependency) => dependency.describe_change(context),
            Self::Dependencies => "the articles it lists changed".into(),
            Self::Call(call) => {
                let arguments = call.arguments.trim_matches(['{', '}']);
                format!("{}({arguments}) returns something else", call.function)
            }
        }
    }
}

impl Dependency {
    fn describe_change(&self, context: &ReasonContext<'_>) -> String {
        match self {
            Self::Template => format!("a template changed: {}", changed_templates(context)),
            Self::Site => "site.toml or a text of its language changed".into(),
            Self::View => "its place in the site, or the list it shows, changed".into(),
            Self::Document => "its front matter, headings or links changed".into(),
            Self::Body => "its text changed".into(),
            Self::Links => "the URL of a page it links to changed".into(),
            Self::Card(path) => {
                let (name, fields) = changed_article(*path, context);
                format!("the card of {name} changed{fields}")
            }
            Self::Article(path) => {
                let (name, fields) = changed_article(*path, context);
                format!("{name} changed{fields}")
            }
            Self::File => "the file changed".into(),
        }
    }
}

fn changed_templates(context: &ReasonContext<'_>) -> String {
    let names: Vec<&str> = context
        .templates
        .iter()
        .filter(|(name, print)| context.templates_before.get(*name) != Some(print))
        .map(|(name, _)| name.as_str())
        .collect();
    if names.is_empty() { "one was removed".to_owned() } else { names.join(", ") }
}

/// An article's name, such as `posts/b`, and its changed fields with a colon before them.
fn changed_article(path: Fingerprint, context: &ReasonContext<'_>) -> (String, String) {
    let Some((source, fields)) = (context.article)(path) else {
        return ("an article".to_owned(), String::new());
    };
    let below = source.below("content").unwrap_or(source.as_str());
    let name = below.strip_suffix(".md").unwrap_or(below).to_owned();
    let fields = if fields.is_empty() { String::new() } else { format!(": {}", fields.join(", ")) };
    (name, fields)
}
