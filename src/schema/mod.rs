//! Reads a tree of values (from YAML, TOML or JSON) into a typed value, and reports every problem.
//!
//! serde stops at the first mismatch, and a tree has no spans. So the tree is first checked against
//! the shape of the type, the JSON Schema that is shipped for editors: each mismatch becomes a
//! [`Problem`] and is removed from the tree, and the rest always deserialises. [`locate`] finds the
//! location of a problem in the text when there is one to show.

pub mod json;
pub mod locate;
mod problem;
mod shape;
mod step;
pub mod yaml;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use problem::{Problem, ProblemKind, Reading};
pub use shape::Shape;
pub use step::{Step, dotted};

/// Reads `tree` as a `T` of the given shape, and returns the problems beside it.
///
/// The value is `None` only when a required key is missing or the whole tree has another type.
pub fn read<T: DeserializeOwned>(
    mut tree: Value,
    shape: &Shape,
    reading: Reading,
) -> (Option<T>, Vec<Problem>) {
    let mut problems = Vec::new();
    shape.check(&mut tree, reading, &mut Vec::new(), &mut problems);
    match serde_json::from_value(tree) {
        Ok(value) => (Some(value), problems),
        Err(error) => {
            if problems.is_empty() {
                let kind =
                    ProblemKind::WrongType { expected: error.to_string(), found: "something else" };
                problems.push(Problem { path: Vec::new(), kind });
            }
            (None, problems)
        }
    }
}
