//! What components declare about their calls beyond the types of arguments: whether they take a
//! body, and which values an argument may have.
//!
//! A component may declare both as metadata: `"body"` is `"required"`, `"optional"` or `"none"`,
//! `"instead_of_body"` lists arguments that may replace a required body, and `"values"` has the
//! values of arguments: `{"kind": ["a", "b"]}`. Without `"body"`, whether a component takes a body
//! is read from its template.

use std::collections::BTreeMap;

use tera::{Tera, Value};

use crate::diag::{Diagnostic, nearest};
use crate::load::TemplateSource;
use crate::parse::component::{Argument, Call, Form};

/// The contracts of all components, by name.
#[derive(Debug, Default)]
pub(super) struct Contracts(BTreeMap<String, Contract>);

#[derive(Debug)]
struct Contract {
    body: BodyUse,
    /// Arguments that a call may have instead of a required body.
    instead_of_body: Vec<String>,
    /// The values that arguments may have.
    values: BTreeMap<String, Vec<String>>,
}

/// Whether a component has Markdown between its tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BodyUse {
    None,
    Optional,
    Required,
}

impl Contracts {
    /// The contracts of the components of compiled templates.
    pub(super) fn of(tera: &Tera, templates: &[TemplateSource]) -> Self {
        let mut contracts = BTreeMap::new();
        let names = tera.get_component_names().map(str::to_owned).collect::<Vec<_>>();
        for name in names {
            let Some(info) = tera.get_component_definition(&name) else { continue };
            let declared = info.metadata().get("body").and_then(Value::as_str);
            let body = match declared {
                Some("none") => BodyUse::None,
                Some("required") => BodyUse::Required,
                Some(_) => BodyUse::Optional,
                None => templates
                    .iter()
                    .find_map(|t| source_of(&t.text, &name))
                    .map_or(BodyUse::Optional, body_use),
            };
            let values = info.metadata().get("values").map(read).unwrap_or_default();
            let instead_of_body =
                info.metadata().get("instead_of_body").map(read).unwrap_or_default();
            contracts.insert(name, Contract { body, instead_of_body, values });
        }
        Self(contracts)
    }

    /// The errors of a call, without a location.
    pub(super) fn problems(&self, call: &Call) -> Vec<Diagnostic> {
        let Some(contract) = self.0.get(&call.name) else { return Vec::new() };
        let mut problems = Vec::new();
        problems.extend(body_problem(call, contract));
        for (name, argument) in &call.arguments {
            if let (Some(values), Argument::Text(text)) = (contract.values.get(name), argument)
                && !values.contains(text)
            {
                problems.push(unknown_value(name, text, values));
            }
        }
        problems
    }
}

fn body_problem(call: &Call, contract: &Contract) -> Option<Diagnostic> {
    let name = &call.name;
    let is_given = |argument: &String| call.arguments.iter().any(|(given, _)| given == argument);
    match (call.form, contract.body) {
        (Form::Alone, BodyUse::Required) if contract.instead_of_body.iter().any(is_given) => None,
        (Form::Alone, BodyUse::Required) => {
            Some(Diagnostic::error(format!("component `{name}` needs a body")).hint(format!(
                "write `{{% <{name}> %}}`, the text, and `{{% </{name}> %}}`, each on lines of its \
                 own"
            )))
        }
        (Form::WithBody, BodyUse::None) => Some(
            Diagnostic::error(format!(
                "component `{name}` takes no body, so the text between its tags would be lost"
            ))
            .hint(format!("write `{{{{<{name} />}}}}`, and move the text out of the component")),
        ),
        _ => None,
    }
}

fn unknown_value(name: &str, text: &str, values: &[String]) -> Diagnostic {
    let error = Diagnostic::error(format!("unknown value \"{text}\" for `{name}`"))
        .note(format!("values are {}", values.join(", ")));
    let lower = text.to_lowercase();
    let near = values
        .iter()
        .map(String::as_str)
        .find(|value| lower.len() > 2 && (value.starts_with(&lower) || lower.starts_with(value)))
        .or_else(|| nearest(&lower, values.iter().map(String::as_str)));
    match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    }
}

/// A value of the metadata; the default if it has another type.
fn read<T: serde::de::DeserializeOwned + Default>(value: &Value) -> T {
    let json = serde_json::to_value(value).ok();
    json.and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default()
}

/// The template text of a component, from its name to its end.
fn source_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.match_indices("{%").find_map(|(at, _)| {
        let rest = text[at + 2..].trim_start_matches('-').trim_start();
        let rest = rest.strip_prefix("component")?.trim_start().strip_prefix(name)?;
        rest.trim_start().starts_with('(').then(|| {
            let end = rest.find("endcomponent").unwrap_or(rest.len());
            &rest[..end]
        })
    })
}

/// Whether a component takes a body, by the places where its template names it.
fn body_use(source: &str) -> BodyUse {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let places = source.match_indices("body").filter(|(at, word)| {
        let (before, after) = (&source[..*at], &source[at + word.len()..]);
        !before.ends_with(is_word)
            && !after.starts_with(is_word)
            && !before.ends_with(['<', '/', '"', '\''])
            && is_in_tag(before)
    });
    let mut is_used = false;
    for (at, word) in places {
        is_used = true;
        let before = source[..at].trim_end();
        let after = source[at + word.len()..].trim_start();
        let is_guarded = ["if", "not", "and", "or"].iter().any(|w| before.ends_with(w))
            || after.starts_with("| default")
            || after.starts_with("or ");
        if is_guarded {
            return BodyUse::Optional;
        }
    }
    if is_used { BodyUse::Required } else { BodyUse::None }
}

/// Whether the text after `before` is inside `{{ … }}` or `{% … %}`.
fn is_in_tag(before: &str) -> bool {
    let last = |mark: &str| before.rfind(mark);
    last("{{") > last("}}") || last("{%") > last("%}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_tells_whether_a_component_takes_a_body() {
        let used = |text: &str| source_of(text, "x").map(body_use);
        let with = |inner: &str| used(&format!("{{% component x() %}}{inner}{{% endcomponent %}}"));
        assert_eq!(with("<b>{{ body }}</b>"), Some(BodyUse::Required));
        assert_eq!(with("{{ body | safe }}"), Some(BodyUse::Required));
        assert_eq!(with("{% if body %}{{ body }}{% endif %}"), Some(BodyUse::Optional));
        assert_eq!(with("{{ body | default(value='') }}"), Some(BodyUse::Optional));
        for none in ["<body>{{ page.body }}</body>", "the body", "{{ somebody }}", ""] {
            assert_eq!(with(none), Some(BodyUse::None), "{none}");
        }
        assert_eq!(used("{% component y() %}{{ body }}{% endcomponent %}"), None);
    }
}
