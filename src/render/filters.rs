//! Filters that templates are promised beyond Tera's own, and the reading of data files.

use serde_json::{Map, Value as Json};
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use crate::config::{Config, toml_tree};
use crate::parse::date::{Reading, read};
use crate::paths::{SourcePath, percent_encode, slugify};

/// Registers the filters.
pub(super) fn register(tera: &mut Tera, config: &Config) {
    let format = config.article.date_format.clone();
    tera.register_filter("date", move |text: &str, kwargs: Kwargs, _: &State| date(text, &kwargs, &format));
    tera.register_filter("json", json);
    tera.register_filter("slugify", |text: &str, _: Kwargs, _: &State| slugify(text));
    tera.register_filter("urlencode", |text: &str, _: Kwargs, _: &State| percent_encode(text));
    tera.register_filter("striptags", |text: &str, _: Kwargs, _: &State| crate::parse::strip_tags(text));
}

/// `date(format="%B %Y")`: strftime; without a format the one that `[article]` sets.
fn date(text: &str, kwargs: &Kwargs, default: &str) -> TeraResult<String> {
    let format = kwargs.get::<&str>("format")?.unwrap_or(default);
    match read(text) {
        Reading::Whole(moment) | Reading::Part(moment) => {
            jiff::fmt::strtime::format(format, moment.civil).map_err(|e| Error::message(format!("the date format \"{format}\" cannot be used: {e}")))
        }
        Reading::Nothing => Err(Error::message(format!("\"{text}\" is not a date"))),
    }
}

/// `json`: the value as JSON that may stand in a `script` element.
fn json(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    let text = serde_json::to_string(value).map_err(|e| Error::message(e.to_string()))?;
    let safe =
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    Ok(Value::safe_string(&safe))
}

/// Reads a data file by its ending: YAML, TOML, JSON, or CSV with a header.
pub(super) fn parse_data(path: &SourcePath, bytes: &[u8]) -> Result<Json, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not valid UTF-8".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if path.has_extension("json") {
        return serde_json::from_str(text).map_err(|e| e.to_string());
    }
    if path.has_extension("toml") {
        return toml_tree(text).map_err(|d| d.message);
    }
    if path.has_extension("yaml") || path.has_extension("yml") {
        return serde_yaml::from_str(text).map_err(|e| e.to_string());
    }
    if path.has_extension("csv") {
        return csv_rows(text).map_err(|e| e.to_string());
    }
    Err("data files are YAML, TOML, JSON or CSV".into())
}

fn csv_rows(text: &str) -> Result<Json, csv::Error> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let row: Map<String, Json> = header.iter().zip(record.iter()).map(|(k, v)| (k.to_owned(), Json::from(v))).collect();
        rows.push(Json::Object(row));
    }
    Ok(Json::Array(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_every_kind() {
        let read = |name: &str, text: &str| parse_data(&SourcePath::new(name).unwrap(), text.as_bytes()).map(|v| v.to_string());
        assert_eq!(read("a.yaml", "a: 1").unwrap(), "{\"a\":1}");
        assert_eq!(read("a.toml", "a = 1").unwrap(), "{\"a\":1}");
        assert_eq!(read("a.json", "{\"a\":1}").unwrap(), "{\"a\":1}");
        assert_eq!(read("a.csv", "a,b\n1,2\n").unwrap(), "[{\"a\":\"1\",\"b\":\"2\"}]");
        assert!(read("a.xml", "").is_err());
    }
}
