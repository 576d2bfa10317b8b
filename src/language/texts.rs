//! The texts of each language.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::diag::{Diagnostic, MAX_SUGGESTIONS, Report, nearest};
use crate::schema::Step;
use crate::schema::locate::{Locator, Place, Syntax};

/// The names of the plural categories (CLDR).
const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// The path of a site's own texts for a language.
#[must_use]
pub fn own_file(tag: &str) -> String {
    format!("languages/{tag}.toml")
}

/// A text of the interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Text {
    Plain(String),
    /// Plural category → text.
    Counted(BTreeMap<String, String>),
}

macro_rules! embedded {
    ($($tag:literal),* $(,)?) => {
        /// The languages whose texts are part of the program, with the files.
        const EMBEDDED: &[(&str, &str)] =
            &[$(($tag, include_str!(concat!("../../languages/", $tag, ".toml")))),*];
    };
}

embedded!["ar", "de", "en", "es", "fr", "hi", "it", "ja", "nl", "pl", "pt", "zh"];

/// The texts for a tag: those of English, of the embedded language, and of the site's own file,
/// each replacing the ones before it.
pub(super) fn of_language(tag: &str, own: Option<&str>) -> (BTreeMap<String, Text>, Report) {
    let mut report = Report::default();
    let mut texts = embedded("en").unwrap_or_default();
    let primary = tag.split('-').next().unwrap_or_default().to_lowercase();
    match embedded(&primary) {
        Some(embedded) => texts.extend(embedded),
        None if own.is_none() => report.push(
            Diagnostic::warning(format!(
                "no texts for the language `{tag}`: those around articles are in English"
            ))
            .in_file("site.toml")
            .at_text(format!("\"{tag}\""))
            .hint(format!("translate them in {}", own_file(tag))),
        ),
        None => {}
    }
    if let Some(own) = own {
        add_own(&mut texts, own, &mut report);
        report = report.in_file(&own_file(tag));
    }
    (texts, report)
}

fn embedded(tag: &str) -> Option<BTreeMap<String, Text>> {
    let (_, text) = EMBEDDED.iter().find(|(name, _)| *name == tag)?;
    let tree: BTreeMap<String, Value> = toml::from_str(text).ok()?;
    Some(tree.into_iter().filter_map(|(key, value)| Some((key, read(value)?))).collect())
}

fn read(value: Value) -> Option<Text> {
    match value {
        Value::String(text) => Some(Text::Plain(text)),
        Value::Object(forms) => {
            let form = |(name, text): (String, Value)| Some((name, text.as_str()?.to_owned()));
            Some(Text::Counted(forms.into_iter().filter_map(form).collect()))
        }
        _ => None,
    }
}

/// Adds the texts of a site's own file.
fn add_own(texts: &mut BTreeMap<String, Text>, own: &str, report: &mut Report) {
    let tree: serde_json::Map<String, Value> = match toml::from_str(own) {
        Ok(tree) => tree,
        Err(error) => {
            let message = format!("this is not valid TOML: {}", error.message());
            return report.push(Diagnostic::error(message).at(error.span().unwrap_or(0..0)));
        }
    };
    let mut reader = OwnTexts { locator: Locator::new(own, Syntax::Toml), unknown: 0, report };
    for (key, value) in tree {
        let Some(known) = texts.get_mut(&key) else {
            reader.unknown(&key, texts.keys().map(String::as_str));
            continue;
        };
        match (value, known) {
            (Value::String(text), known) => *known = Text::Plain(text),
            (Value::Object(own), Text::Counted(known)) => reader.add_forms(&key, own, known),
            _ => reader.not_a_text(&[&key]),
        }
    }
}

/// Reports the problems of a site's own texts.
struct OwnTexts<'t, 'r> {
    locator: Locator<'t>,
    /// How many unknown texts there were.
    unknown: usize,
    report: &'r mut Report,
}

impl OwnTexts<'_, '_> {
    fn add_forms(
        &mut self,
        key: &str,
        own: serde_json::Map<String, Value>,
        known: &mut BTreeMap<String, String>,
    ) {
        for (category, text) in own {
            match text {
                _ if !CATEGORIES.contains(&category.as_str()) => {
                    let message = format!("unknown plural category `{category}`");
                    let error = self.error(message, &[key, &category], Place::Key);
                    self.report
                        .push(error.hint(format!("categories are {}", CATEGORIES.join(", "))));
                }
                Value::String(text) => {
                    known.insert(category, text);
                }
                _ => self.not_a_text(&[key, &category]),
            }
        }
    }

    fn unknown<'k>(&mut self, key: &str, known: impl Iterator<Item = &'k str>) {
        let error = self.error(format!("unknown text `{key}`"), &[key], Place::Key);
        self.unknown += 1;
        let known: BTreeSet<&str> = known.filter(|_| self.unknown <= MAX_SUGGESTIONS).collect();
        self.report.push(match nearest(key, known) {
            Some(name) => error.hint(format!("did you mean `{name}`?")),
            None => error.hint("remove it"),
        });
    }

    fn not_a_text(&mut self, path: &[&str]) {
        let message = format!("`{}` is not a text", path.join("."));
        let error = self.error(message, path, Place::Value);
        self.report.push(error.hint("put it in quotes"));
    }

    fn error(&self, message: String, path: &[&str], place: Place) -> Diagnostic {
        let path: Vec<Step> = path.iter().map(|key| Step::Key((*key).to_owned())).collect();
        Diagnostic::error(message).at(self.locator.locate(&path, place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_text_with_its_placeholders() {
        let placeholders = |text: &Text| {
            let all = match text {
                Text::Plain(text) => text.clone(),
                Text::Counted(forms) => forms["other"].clone(),
            };
            let mut names: Vec<String> =
                all.split('{').skip(1).filter_map(|s| Some(s.split_once('}')?.0.into())).collect();
            names.sort();
            names
        };
        let english = embedded("en").unwrap();
        for (tag, _) in EMBEDDED {
            let texts = embedded(tag).unwrap();
            assert!(texts.keys().eq(english.keys()), "{tag}");
            for (key, text) in &texts {
                assert_eq!(placeholders(text), placeholders(&english[key]), "{tag} {key}");
            }
        }
    }
}
