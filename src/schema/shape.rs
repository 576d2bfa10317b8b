//! The shape of a type, compiled from its JSON Schema, and the check of a tree against it.

use schemars::JsonSchema;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::problem::{Problem, ProblemKind, Reading};
use super::step::Step;
use crate::diag::{MAX_SUGGESTIONS, nearest};

/// What a value may be. Covers the schemas that schemars generates for Folio's types.
#[derive(Clone, Debug)]
pub enum Shape {
    Any,
    Null,
    Bool,
    /// With its minimum.
    Integer(Option<i64>),
    Number,
    Text,
    /// One of these words.
    Words(Vec<String>),
    List(Box<Shape>),
    /// Any keys, each value of this shape.
    Map(Box<Shape>),
    Object(Object),
    Either(Vec<Shape>),
}

/// The keys that an object may have and must have.
#[derive(Clone, Debug)]
pub struct Object {
    keys: Vec<(String, Shape)>,
    required: Vec<String>,
}

impl Shape {
    /// The shape of a type that derives `JsonSchema`.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        let schema = schemars::schema_for!(T).to_value();
        let empty = Map::new();
        let defs = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
        compile(&schema, defs)
    }

    /// The keys of an object shape; none for other shapes.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let keys = match self {
            Self::Object(object) => object.keys.as_slice(),
            _ => &[],
        };
        keys.iter().map(|(name, _)| name.as_str())
    }

    /// Checks `value`, reports each mismatch at its path and removes it from the tree. Returns
    /// whether the value itself matches afterwards.
    pub(super) fn check(
        &self,
        value: &mut Value,
        reading: Reading,
        path: &mut Vec<Step>,
        problems: &mut Vec<Problem>,
    ) -> bool {
        if reading == Reading::Generous {
            self.coerce(value);
        }
        if let Self::Either(options) = self {
            return check_either(self, options, value, reading, path, problems);
        }
        match (self, &mut *value) {
            (Self::Any, _)
            | (Self::Null, Value::Null)
            | (Self::Bool, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::Text, Value::String(_)) => true,
            (Self::Integer(min), Value::Number(n))
                if n.is_u64() || (n.is_i64() && min.is_none_or(|min| n.as_i64() >= Some(min))) =>
            {
                true
            }
            (Self::Words(words), Value::String(s)) => {
                let known = words.contains(s);
                if !known {
                    let kind =
                        ProblemKind::UnknownValue { found: s.clone(), allowed: words.clone() };
                    problems.push(Problem { path: path.clone(), kind });
                }
                known
            }
            (Self::List(item), Value::Array(items)) => {
                let mut index = 0;
                items.retain_mut(|v| {
                    path.push(Step::Index(index));
                    index += 1;
                    let fits = item.check(v, reading, path, problems);
                    path.pop();
                    fits
                });
                true
            }
            (Self::Map(shape), Value::Object(map)) => {
                map.retain(|key, v| check_entry(shape, key, v, reading, path, problems));
                true
            }
            (Self::Object(object), Value::Object(map)) => {
                object.check(map, reading, path, problems)
            }
            (_, found) => {
                let kind =
                    ProblemKind::WrongType { expected: self.describe(), found: kind_of(found) };
                problems.push(Problem { path: path.clone(), kind });
                false
            }
        }
    }

    /// Converts a value whose meaning is clear to the expected type.
    fn coerce(&self, value: &mut Value) {
        let new = match (self, &*value) {
            (Self::Text | Self::Words(_), Value::Number(n)) => Value::String(n.to_string()),
            (Self::Text, Value::Bool(b)) => Value::String(b.to_string()),
            (Self::Bool, Value::String(s)) => match s.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" => Value::Bool(true),
                "false" | "no" | "off" => Value::Bool(false),
                _ => return,
            },
            (Self::Integer(_) | Self::Number, Value::String(s)) => match s.trim().parse::<i64>() {
                Ok(n) => Value::from(n),
                Err(_) => return,
            },
            (Self::List(_), Value::String(s)) if s.trim().is_empty() => Value::Array(Vec::new()),
            (Self::List(_), Value::String(_) | Value::Number(_) | Value::Bool(_)) => {
                Value::Array(vec![value.clone()])
            }
            (Self::List(_), Value::Array(items)) if items.iter().any(Value::is_null) => {
                Value::Array(items.iter().filter(|v| !v.is_null()).cloned().collect())
            }
            _ => return,
        };
        *value = new;
    }

    fn describe(&self) -> String {
        match self {
            Self::Any => "anything".into(),
            Self::Null => "nothing".into(),
            Self::Bool => "true or false".into(),
            Self::Integer(Some(0)) => "a whole number, 0 or more".into(),
            Self::Integer(_) => "a whole number".into(),
            Self::Number => "a number".into(),
            Self::Text => "text".into(),
            Self::Words(words) => format!("one of {}", words.join(", ")),
            Self::List(item) => format!("a list, each entry {}", item.describe()),
            Self::Map(_) | Self::Object(_) => "a table of keys".into(),
            Self::Either(options) => {
                let words: Vec<_> = options
                    .iter()
                    .filter(|s| !matches!(s, Self::Null))
                    .map(Self::describe)
                    .collect();
                words.join(" or ")
            }
        }
    }

    /// Whether a value has the kind that the shape expects, so that mismatches inside it are worth
    /// reporting.
    fn is_about(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Words(_) | Self::Text, Value::String(_))
            | (Self::List(_), Value::Array(_))
            | (Self::Map(_) | Self::Object(_), Value::Object(_)) => true,
            (Self::Either(options), value) => options.iter().any(|o| o.is_about(value)),
            _ => false,
        }
    }
}

fn check_either(
    shape: &Shape,
    options: &[Shape],
    value: &mut Value,
    reading: Reading,
    path: &mut Vec<Step>,
    problems: &mut Vec<Problem>,
) -> bool {
    for option in options {
        let (mut copy, mut own) = (value.clone(), Vec::new());
        if option.check(&mut copy, reading, &mut path.clone(), &mut own) && own.is_empty() {
            *value = copy;
            return true;
        }
    }
    if let Some(option) = options.iter().find(|o| o.is_about(value)) {
        return option.check(value, reading, path, problems);
    }
    let kind = ProblemKind::WrongType { expected: shape.describe(), found: kind_of(value) };
    problems.push(Problem { path: path.clone(), kind });
    false
}

fn check_entry(
    shape: &Shape,
    key: &str,
    value: &mut Value,
    reading: Reading,
    path: &mut Vec<Step>,
    problems: &mut Vec<Problem>,
) -> bool {
    path.push(Step::Key(key.to_owned()));
    let fits = shape.check(value, reading, path, problems);
    path.pop();
    fits
}

impl Object {
    fn check(
        &self,
        map: &mut Map<String, Value>,
        reading: Reading,
        path: &mut Vec<Step>,
        problems: &mut Vec<Problem>,
    ) -> bool {
        for key in &self.required {
            if !map.contains_key(key) {
                problems.push(Problem {
                    path: path.clone(),
                    kind: ProblemKind::Missing { key: key.clone() },
                });
            }
        }
        let known: Arc<[String]> = self.keys.iter().map(|(name, _)| name.clone()).collect();
        let free: Vec<&str> = self
            .keys
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|k| !map.contains_key(*k))
            .collect();
        map.retain(|key, value| {
            if reading == Reading::Generous && value.is_null() {
                return false;
            }
            if let Some((_, shape)) = self.keys.iter().find(|(name, _)| name == key) {
                return check_entry(shape, key, value, reading, path, problems);
            }
            let free = if problems.len() < MAX_SUGGESTIONS { free.as_slice() } else { &[] };
            problems.push(unknown(key, &known, free, path));
            false
        });
        // A missing text is read as an empty one, so that the other problems are found in the same
        // run.
        for key in &self.required {
            if matches!(self.keys.iter().find(|(name, _)| name == key), Some((_, Shape::Text))) {
                map.entry(key.clone()).or_insert_with(|| Value::String(String::new()));
            }
        }
        self.required.iter().all(|key| map.contains_key(key))
    }
}

/// The problem of an unknown key, with the most similar of the known keys that are not used.
fn unknown(key: &str, known: &Arc<[String]>, free: &[&str], path: &[Step]) -> Problem {
    let nearest = nearest(key, free.iter().copied()).map(str::to_owned);
    let mut path = path.to_vec();
    path.push(Step::Key(key.to_owned()));
    Problem { path, kind: ProblemKind::UnknownKey { nearest, known: Arc::clone(known) } }
}

/// The kind of a value, in words.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(n) if n.is_f64() => "a number with a fraction",
        Value::Number(n) if n.as_i64().is_some_and(|n| n < 0) => "a negative number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table of keys",
    }
}

fn compile(schema: &Value, defs: &Map<String, Value>) -> Shape {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return defs.get(name).map_or(Shape::Any, |s| compile(s, defs));
    }
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Shape::Words(words.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    }
    if let Some(word) = schema.get("const").and_then(Value::as_str) {
        return Shape::Words(vec![word.to_owned()]);
    }
    for either in ["anyOf", "oneOf"] {
        if let Some(options) = schema.get(either).and_then(Value::as_array) {
            return join_words(options.iter().map(|s| compile(s, defs)).collect());
        }
    }
    match schema.get("type") {
        Some(Value::Array(kinds)) => Shape::Either(
            kinds.iter().filter_map(Value::as_str).map(|k| compile_kind(k, schema, defs)).collect(),
        ),
        Some(Value::String(kind)) => compile_kind(kind, schema, defs),
        _ => Shape::Any,
    }
}

/// Joins several lists of words (schemars writes an enum with documented variants as `oneOf`
/// constants).
fn join_words(options: Vec<Shape>) -> Shape {
    let mut words = Vec::new();
    let mut rest = Vec::new();
    for option in options {
        match option {
            Shape::Words(w) => words.extend(w),
            other => rest.push(other),
        }
    }
    if !words.is_empty() {
        rest.insert(0, Shape::Words(words));
    }
    match rest.len() {
        1 => rest.swap_remove(0),
        _ => Shape::Either(rest),
    }
}

fn compile_kind(kind: &str, schema: &Value, defs: &Map<String, Value>) -> Shape {
    match kind {
        "null" => Shape::Null,
        "boolean" => Shape::Bool,
        "integer" => Shape::Integer(schema.get("minimum").and_then(Value::as_i64)),
        "number" => Shape::Number,
        "string" => Shape::Text,
        "array" => {
            Shape::List(Box::new(schema.get("items").map_or(Shape::Any, |s| compile(s, defs))))
        }
        "object" => compile_object(schema, defs),
        _ => Shape::Any,
    }
}

fn compile_object(schema: &Value, defs: &Map<String, Value>) -> Shape {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        let rest = schema.get("additionalProperties").map_or(Shape::Any, |s| compile(s, defs));
        return Shape::Map(Box::new(rest));
    };
    let keys = properties.iter().map(|(name, s)| (name.clone(), compile(s, defs))).collect();
    let required = schema.get("required").and_then(Value::as_array);
    let required =
        required.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    Shape::Object(Object { keys, required })
}
