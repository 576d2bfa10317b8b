//! The JSON Schemas under `schemas/` are those of the types. `UPDATE_SCHEMAS=1 cargo test
//! schemas` rewrites them.

use std::fs;
use std::path::Path;

use schemars::{JsonSchema, schema_for};

#[track_caller]
fn is_current<T: JsonSchema>(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
    let schema = serde_json::to_string_pretty(&schema_for!(T)).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stored == schema,
        "schemas/{name} is not current; run: UPDATE_SCHEMAS=1 cargo test schemas"
    );
}

#[test]
fn the_schema_of_the_configuration() {
    is_current::<folio::config::raw::Site>("site.schema.json");
}

#[test]
fn the_schema_of_front_matter() {
    is_current::<folio::parse::front::RawFrontMatter>("front-matter.schema.json");
}
