//! Templates that Tera cannot read or render without exhausting the stack.

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Diagnostic, Report};
use crate::load::TemplateSource;

/// How many `elif` a template may have: Tera reads each within the one before it.
const MAX_ELIF: usize = 500;

/// How many templates may include or extend each other in a row.
const MAX_CHAIN: usize = 100;

/// An error for each template that is too complex.
pub(super) fn too_complex(templates: &[TemplateSource]) -> Report {
    let mut report: Report = templates.iter().filter_map(many_branches).collect();
    report.extend(long_chain(templates).into_iter().collect());
    report
}

fn many_branches(template: &TemplateSource) -> Option<Diagnostic> {
    let (at, _) = template.text.match_indices("elif").nth(MAX_ELIF)?;
    Some(
        Diagnostic::error(format!("this template has more than {MAX_ELIF} `elif`"))
            .in_file(TemplateSource::file(&template.name))
            .at(at..at + "elif".len()),
    )
}

/// The error for a template that starts a longer chain than [`MAX_CHAIN`]. Tera reports circles.
fn long_chain(templates: &[TemplateSource]) -> Option<Diagnostic> {
    if templates.len() <= MAX_CHAIN {
        return None;
    }
    let refers_to: BTreeMap<&str, Vec<&str>> =
        templates.iter().map(|t| (t.name.as_str(), references(&t.text).collect())).collect();
    // Template → the length of the longest chain that is known to start with it, and what follows.
    let mut longest: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for _ in 0..=MAX_CHAIN {
        let before = longest.clone();
        for (name, others) in &refers_to {
            let next = others
                .iter()
                .map(|other| (before.get(other).map_or(0, |(length, _)| *length) + 1, *other));
            longest.extend(next.max().map(|next| (*name, next)));
        }
    }
    let starts = longest.iter().filter(|(_, (length, _))| *length > MAX_CHAIN);
    let mut straight = starts.filter(|(name, _)| !is_circle(name, &longest));
    let (name, _) = straight.next()?;
    Some(
        Diagnostic::error(format!(
            "more than {MAX_CHAIN} templates include or extend each other in a row"
        ))
        .in_file(TemplateSource::file(name))
        .hint("include the last ones directly"),
    )
}

fn is_circle<'t>(start: &'t str, longest: &BTreeMap<&'t str, (usize, &'t str)>) -> bool {
    let mut seen = BTreeSet::new();
    let mut at = Some(start);
    while let Some(name) = at {
        if !seen.insert(name) {
            return true;
        }
        at = longest.get(name).map(|(_, next)| *next);
    }
    false
}

/// The names that a template includes or extends.
fn references(text: &str) -> impl Iterator<Item = &str> {
    ["include", "extends"].into_iter().flat_map(move |tag| {
        text.match_indices(tag).filter_map(move |(at, _)| {
            let rest = text[at + tag.len()..].trim_start();
            let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
            rest[1..].split(quote).next()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(name: String, text: String) -> TemplateSource {
        TemplateSource { name, text: text.into() }
    }

    #[test]
    fn chains_are_bounded_and_circles_left_to_tera() {
        let chain = |length: usize, last: &str| -> Vec<TemplateSource> {
            (0..length)
                .map(|i| {
                    let next = if i + 1 == length { last.to_owned() } else { format!("{}", i + 1) };
                    template(i.to_string(), format!("{{% include \"{next}\" %}}"))
                })
                .collect()
        };
        assert_eq!(too_complex(&chain(300, "x")).items().len(), 1);
        assert!(too_complex(&chain(300, "0")).is_empty());
        let mut wide = chain(50, "x");
        wide.extend((100..300).map(|i| template(i.to_string(), "{% extends '0' %}".to_owned())));
        assert!(too_complex(&wide).is_empty());
    }
}
