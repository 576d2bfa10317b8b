//! The problems of a component call that Tera rejects: one diagnostic for each argument.
//!
//! Tera reports only the first problem, and in terms of its own types. This module compares the
//! call in the article with the arguments that the component declares.

use tera::{ComponentArg, ComponentArgType, ComponentInfo, Context};

use crate::diag::{Diagnostic, nearest};
use crate::parse::component::{Argument, Call};

/// An error for each argument that is unknown, missing, or of another type than the component
/// declares, and for each implicit argument (`@name`) that is not among `implicits`. The errors
/// have no location.
pub(super) fn argument_problems(
    call: &Call,
    component: &ComponentInfo,
    implicits: &Context,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (name, argument) in &call.arguments {
        match component.args().iter().find(|declared| declared.name() == name) {
            Some(declared) => problems.extend(type_problem(name, argument, declared)),
            None if component.rest_param().is_none() => {
                problems.push(unknown_argument(name, component));
            }
            None => {}
        }
    }
    let is_given = |name: &str| call.arguments.iter().any(|(given, _)| given == name);
    for declared in component.args().iter().filter(|declared| !is_given(declared.name())) {
        if declared.is_required() {
            problems.push(missing_argument(call, declared));
        } else if declared.is_implicit()
            && declared.default().is_none()
            && !implicits.contains_key(declared.name())
        {
            problems.push(unknown_implicit(call, declared.name()));
        }
    }
    problems
}

fn missing_argument(call: &Call, declared: &ComponentArg) -> Diagnostic {
    let name = declared.name();
    Diagnostic::error(format!("missing argument `{name}` of component `{}`", call.name))
        .hint(how_to_write(name, declared.arg_type()))
}

fn unknown_implicit(call: &Call, name: &str) -> Diagnostic {
    Diagnostic::error(format!("component `{}` expects `@{name}`, which does not exist", call.name))
        .hint("only `@page` and `@site` are passed to components in Markdown")
}

fn unknown_argument(name: &str, component: &ComponentInfo) -> Diagnostic {
    // Implicit arguments are not written in calls.
    let known: Vec<&str> =
        component.args().iter().filter(|a| !a.is_implicit()).map(ComponentArg::name).collect();
    let error =
        Diagnostic::error(format!("unknown argument `{name}` of component `{}`", component.name()));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => error.hint("the component takes no arguments"),
        None => error.hint(format!("available arguments: {}", known.join(", "))),
    }
}

fn type_problem(name: &str, argument: &Argument, declared: &ComponentArg) -> Option<Diagnostic> {
    use ComponentArgType as Type;
    let expected = declared.arg_type()?;
    let fits = match argument {
        Argument::Text(_) | Argument::Link(_) => expected == Type::String,
        Argument::Integer(_) => matches!(expected, Type::Integer | Type::Number),
        Argument::Float(_) => matches!(expected, Type::Float | Type::Number),
        Argument::Bool(_) => expected == Type::Bool,
        Argument::List(_) => expected == Type::Array,
    };
    (!fits).then(|| {
        let found = match argument {
            Argument::Text(_) | Argument::Link(_) => "a string",
            Argument::Integer(_) => "an integer",
            Argument::Float(_) => "a float",
            Argument::Bool(_) => "a boolean",
            Argument::List(_) => "an array",
        };
        Diagnostic::error(format!("expected {} for `{name}`, found {found}", noun(expected)))
            .hint(how_to_write(name, Some(expected)))
    })
}

fn noun(expected: ComponentArgType) -> &'static str {
    match expected {
        ComponentArgType::String => "a string",
        ComponentArgType::Bool => "a boolean",
        ComponentArgType::Integer => "an integer",
        ComponentArgType::Float => "a float",
        ComponentArgType::Number => "a number",
        ComponentArgType::Array => "an array",
        ComponentArgType::Map => "a map",
        _ => "bytes",
    }
}

/// How an argument of a type is written in Markdown.
fn how_to_write(name: &str, expected: Option<ComponentArgType>) -> String {
    let value = match expected {
        Some(ComponentArgType::Bool) => "{true}",
        Some(ComponentArgType::Integer | ComponentArgType::Number) => "{3}",
        Some(ComponentArgType::Float) => "{0.5}",
        Some(ComponentArgType::Array) => "{[1, 2]}",
        None | Some(ComponentArgType::String) => "\"…\"",
        // The syntax of calls in Markdown has no such values.
        Some(_) => return format!("call the component from a template to pass `{name}`"),
    };
    format!("write `{name}={value}`")
}
