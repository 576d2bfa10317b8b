//! Which templates a template refers to, directly or through others.
//!
//! Tera takes the names of parents, includes and components literally but does not report them. So
//! a template's text is searched for anything that could be such a name. A name that only looks
//! like a reference costs an unnecessary render, never a stale file.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use parking_lot::Mutex;

use crate::cache::{Fingerprint, FingerprintHasher};
use crate::load::TemplateSource;

/// The templates of a site, with the templates that each refers to.
#[derive(Debug)]
pub struct TemplateClosures {
    templates: BTreeMap<String, Template>,
    /// Component → the templates that may define it: one does, others may only mention it.
    components: BTreeMap<String, BTreeSet<String>>,
    /// Fingerprints that were computed before.
    computed: Mutex<HashMap<String, Fingerprint>>,
}

#[derive(Debug)]
struct Template {
    fingerprint: Fingerprint,
    refers_to: BTreeSet<String>,
}

impl TemplateClosures {
    #[must_use]
    pub fn new(sources: &[TemplateSource]) -> Self {
        let mut components: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for source in sources {
            for name in defined(&source.text) {
                components.entry(name.to_owned()).or_default().insert(source.name.clone());
            }
        }
        let templates = sources.iter().map(|source| {
            let named = sources
                .iter()
                .map(|t| &t.name)
                .filter(|name| may_name(&source.text, name))
                .cloned();
            let called =
                tags(&source.text).filter_map(|tag| components.get(tag)).flatten().cloned();
            (
                source.name.clone(),
                Template {
                    fingerprint: Fingerprint::of(source.text.as_bytes()),
                    refers_to: named.chain(called).collect(),
                },
            )
        });
        Self {
            templates: templates.collect(),
            components: components.clone(),
            computed: Mutex::default(),
        }
    }

    /// The fingerprint of a template, of the given components, and of everything they refer to.
    #[must_use]
    pub fn fingerprint<'a>(
        &'a self,
        template: &'a str,
        components: impl Iterator<Item = &'a str>,
    ) -> Fingerprint {
        let components: Vec<&str> = components.collect();
        let key = format!("{template} {}", components.join(" "));
        if let Some(fingerprint) = self.computed.lock().get(&key) {
            return *fingerprint;
        }
        let fingerprint = self.compute(template, &components);
        self.computed.lock().insert(key, fingerprint);
        fingerprint
    }

    fn compute<'a>(&'a self, template: &'a str, components: &[&'a str]) -> Fingerprint {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = components
            .iter()
            .filter_map(|c| self.components.get(*c))
            .flatten()
            .map(String::as_str)
            .collect();
        open.push(template);
        while let Some(name) = open.pop() {
            if let Some(template) = self.templates.get(name)
                && seen.insert(name)
            {
                open.extend(template.refers_to.iter().map(String::as_str));
            }
        }
        let mut hasher = FingerprintHasher::default();
        for name in seen {
            hasher.text(name);
            if let Some(template) = self.templates.get(name) {
                hasher.fingerprint(template.fingerprint);
            }
        }
        hasher.finish()
    }

    /// The fingerprint of each template, by name.
    #[must_use]
    pub fn fingerprints(&self) -> BTreeMap<String, Fingerprint> {
        self.templates.iter().map(|(name, t)| (name.clone(), t.fingerprint)).collect()
    }
}

/// Whether a text may name a template. A name with a quote or a backslash can be written in several
/// ways, so it may occur anywhere.
fn may_name(text: &str, name: &str) -> bool {
    name.contains(['"', '\'', '`', '\\']) || text.contains(name)
}

/// Names after a `<`, as in a component call or any HTML tag.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('<')
        .map(|(at, _)| name_at(text[at + 1..].trim_start()))
        .filter(|name| !name.is_empty())
}

/// The components that a template defines.
fn defined(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("component")
        .map(|(at, word)| name_at(text[at + word.len()..].trim_start()))
        .filter(|name| !name.is_empty())
}

fn name_at(text: &str) -> &str {
    &text[..text
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
        .unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closures(button: &str) -> TemplateClosures {
        let source = |name: &str, text: &str| TemplateSource {
            name: name.into(),
            text: text.to_owned().into(),
        };
        TemplateClosures::new(&[
            source("base.html", "{% include 'foot.html' %}"),
            source("foot.html", "foot"),
            source("page.html", "{% extends \"base.html\" %}{{<card />}}"),
            source(
                "components/card.html",
                "{% component card() %}{{<button/>}}{% endcomponent card %}",
            ),
            source("components/button.html", button),
            source("other.html", "other"),
        ])
    }

    #[test]
    fn a_change_reaches_what_uses_it_and_nothing_else() {
        let (a, b) = (
            closures("{% component button() %}a{% endcomponent %}"),
            closures("{% component button() %}b{% endcomponent %}"),
        );
        let fingerprint = |c: &TemplateClosures, name: &str, calls: &[&str]| {
            c.fingerprint(name, calls.iter().copied())
        };
        assert_ne!(fingerprint(&a, "page.html", &[]), fingerprint(&b, "page.html", &[]));
        assert_eq!(fingerprint(&a, "other.html", &[]), fingerprint(&b, "other.html", &[]));
        assert_ne!(
            fingerprint(&a, "other.html", &["button"]),
            fingerprint(&b, "other.html", &["button"])
        );
        assert_eq!(fingerprint(&a, "base.html", &[]), fingerprint(&b, "base.html", &[]));
        assert_ne!(fingerprint(&a, "base.html", &[]), fingerprint(&a, "foot.html", &[]));
    }
}
