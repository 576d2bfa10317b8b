//! Which templates a template is made of, and the mark of them all together.
//!
//! Tera names parents, includes and components literally, but tells nobody which. So a template's text is
//! looked through for anything that could be such a name; a name too many costs a rendering, never a mistake.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::load::TemplateSource;
use crate::memo::{Mark, Marker};

/// The templates of a site with what each refers to.
#[derive(Debug)]
pub struct Closures {
    templates: BTreeMap<String, Template>,
    /// Component → the templates that may define it: one does, the others only speak of it.
    components: BTreeMap<String, BTreeSet<String>>,
    /// Marks that were asked for.
    known: Mutex<HashMap<String, Mark>>,
}

#[derive(Debug)]
struct Template {
    mark: Mark,
    refers_to: BTreeSet<String>,
}

impl Closures {
    #[must_use]
    pub fn new(sources: &[TemplateSource]) -> Self {
        let mut components: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for source in sources {
            for name in defined(&source.text) {
                components.entry(name.to_owned()).or_default().insert(source.name.clone());
            }
        }
        let templates = sources.iter().map(|source| {
            let named = sources.iter().map(|t| &t.name).filter(|name| may_name(&source.text, name)).cloned();
            let called = tags(&source.text).filter_map(|tag| components.get(tag)).flatten().cloned();
            (source.name.clone(), Template { mark: Mark::of(source.text.as_bytes()), refers_to: named.chain(called).collect() })
        });
        Self { templates: templates.collect(), components: components.clone(), known: Mutex::default() }
    }

    /// The mark of a template, of the components called beside it, and of whatever these are made of.
    #[must_use]
    pub fn mark<'a>(&'a self, template: &'a str, components: impl Iterator<Item = &'a str>) -> Mark {
        let components: Vec<&str> = components.collect();
        let key = format!("{template} {}", components.join(" "));
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        known.unwrap_or_else(|| {
            let mark = self.work_out(template, &components);
            self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, mark);
            mark
        })
    }

    fn work_out<'a>(&'a self, template: &'a str, components: &[&'a str]) -> Mark {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = components.iter().filter_map(|c| self.components.get(*c)).flatten().map(String::as_str).collect();
        open.push(template);
        while let Some(name) = open.pop() {
            if let Some(template) = self.templates.get(name)
                && seen.insert(name)
            {
                open.extend(template.refers_to.iter().map(String::as_str));
            }
        }
        let mut marker = Marker::default();
        for name in seen {
            marker.text(name);
            if let Some(template) = self.templates.get(name) {
                marker.mark(template.mark);
            }
        }
        marker.finish()
    }

    /// The mark of each template by name.
    #[must_use]
    pub fn marks(&self) -> BTreeMap<String, Mark> {
        self.templates.iter().map(|(name, t)| (name.clone(), t.mark)).collect()
    }
}

/// Whether a text may name a template. A name with a quote in it can be written in more ways than one.
fn may_name(text: &str, name: &str) -> bool {
    name.contains(['"', '\'', '`', '\\']) || text.contains(name)
}

/// Names after a `<`, as in a component call or any HTML tag.
fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('<').map(|(at, _)| name_at(text[at + 1..].trim_start())).filter(|name| !name.is_empty())
}

/// The components that a template defines.
fn defined(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("component").map(|(at, word)| name_at(text[at + word.len()..].trim_start())).filter(|name| !name.is_empty())
}

fn name_at(text: &str) -> &str {
    &text[..text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))).unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closures(button: &str) -> Closures {
        let source = |name: &str, text: &str| TemplateSource { name: name.into(), text: text.to_owned().into() };
        Closures::new(&[
            source("base.html", "{% include 'foot.html' %}"),
            source("foot.html", "foot"),
            source("page.html", "{% extends \"base.html\" %}{{<card />}}"),
            source("components/card.html", "{% component card() %}{{<button/>}}{% endcomponent card %}"),
            source("components/button.html", button),
            source("other.html", "other"),
        ])
    }

    #[test]
    fn a_change_reaches_what_uses_it_and_nothing_else() {
        let (a, b) = (closures("{% component button() %}a{% endcomponent %}"), closures("{% component button() %}b{% endcomponent %}"));
        let mark = |c: &Closures, name: &str, calls: &[&str]| c.mark(name, calls.iter().copied());
        assert_ne!(mark(&a, "page.html", &[]), mark(&b, "page.html", &[]));
        assert_eq!(mark(&a, "other.html", &[]), mark(&b, "other.html", &[]));
        assert_ne!(mark(&a, "other.html", &["button"]), mark(&b, "other.html", &["button"]));
        assert_eq!(mark(&a, "base.html", &[]), mark(&b, "base.html", &[]));
        assert_ne!(mark(&a, "base.html", &[]), mark(&a, "foot.html", &[]));
    }
}
