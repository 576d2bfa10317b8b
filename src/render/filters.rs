//! Folio's filters for templates, and the parser of data files.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use crate::config::{Config, toml_tree};
use crate::language::Language;
use crate::parse::date::{Reading, read};
use crate::parse::{block_html, inline_html};
use crate::paths::{SourcePath, percent_encode};
use crate::schema::json;
use crate::schema::yaml::explain;

/// Registers the filters.
pub(super) fn register(tera: &mut Tera, config: &Config) {
    let format = config.article.date_format.clone();
    let texts = Arc::clone(&config.texts);
    tera.register_filter("date", move |text: &str, kwargs: Kwargs, _: &State| {
        date(text, &kwargs, &format, &texts)
    });
    tera.register_filter("json", json);
    let slugs = config.slugs;
    tera.register_filter("slugify", move |text: &str, _: Kwargs, _: &State| slugs.slug(text));
    tera.register_filter("urlencode", |text: &str, _: Kwargs, _: &State| percent_encode(text));
    tera.register_filter("markdown", |text: &str, kwargs: Kwargs, _: &State| {
        let is_inline = kwargs.get::<bool>("inline")?.unwrap_or(false);
        let html = if is_inline { inline_html(text) } else { block_html(text) };
        Ok::<_, Error>(Value::safe_string(&html))
    });
    tera.register_filter("striptags", |text: &str, _: Kwargs, _: &State| {
        crate::parse::strip_tags(text)
    });
}

/// `date(format="long")` formats a date; the default is the format of `[article]`.
fn date(text: &str, kwargs: &Kwargs, default: &str, texts: &Language) -> TeraResult<String> {
    let format = kwargs.get::<&str>("format")?.unwrap_or(default);
    match read(text) {
        Reading::Whole(moment) | Reading::Part(moment) => texts
            .date(moment.civil, format)
            .map_err(|e| Error::message(format!("the date format \"{format}\" is invalid: {e}"))),
        Reading::Nothing => Err(Error::message(format!("\"{text}\" is not a date"))),
    }
}

/// `json` writes a value as JSON that is safe in a `script` element.
fn json(value: &Value, _: Kwargs, _: &State) -> TeraResult<Value> {
    let text = serde_json::to_string(value).map_err(|e| Error::message(e.to_string()))?;
    let safe = text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    Ok(Value::safe_string(&safe))
}

/// Why a data file cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DataProblem {
    /// The path of the file.
    pub file: String,
    pub message: String,
    pub span: Option<(usize, usize)>,
    pub help: Option<String>,
}

impl DataProblem {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Points at the rest of the line at an offset of the text.
    fn at(mut self, text: &str, offset: usize) -> Self {
        let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let start = offset.unwrap_or(0);
        let line = text[start..].lines().next().map_or(1, |line| line.len().max(1));
        self.span = Some((start, start + line));
        self
    }

    fn at_line(self, text: &str, line: usize) -> Self {
        let before = text.split_inclusive('\n').take(line.saturating_sub(1));
        let offset = before.map(str::len).sum();
        self.at(text, offset)
    }
}

/// Parses a data file by its extension: YAML, TOML, JSON, or CSV with a header.
pub(super) fn parse_data(path: &SourcePath, bytes: &[u8]) -> Result<Json, DataProblem> {
    parse(path, bytes).map_err(|problem| DataProblem { file: path.to_string(), ..problem })
}

fn parse(path: &SourcePath, bytes: &[u8]) -> Result<Json, DataProblem> {
    let text = &crate::load::decode(bytes.to_vec(), path.as_str()).map_err(|d| DataProblem {
        span: d.span().map(|span| (span.start, span.end)),
        help: d.hint,
        ..DataProblem::new(d.message)
    })?;
    if path.has_extension("json") {
        return serde_json::from_str(text).map_err(|e| {
            let problem = json::explain(text, &e);
            DataProblem::new(problem.message).at(text, problem.offset)
        });
    }
    if path.has_extension("toml") {
        return toml_tree(text).map_err(|d| {
            DataProblem::new(d.message.clone()).at(text, d.span().map_or(0, |span| span.start))
        });
    }
    if path.has_extension("yaml") || path.has_extension("yml") {
        return serde_yaml::from_str(text).map_err(|e| {
            let problem = explain(text, &e);
            DataProblem {
                help: problem.help.map(str::to_owned),
                ..DataProblem::new(problem.message).at(text, problem.span.start)
            }
        });
    }
    if path.has_extension("csv") {
        return csv_rows(text);
    }
    Err(DataProblem::new("data files are YAML, TOML, JSON or CSV"))
}

fn csv_rows(text: &str) -> Result<Json, DataProblem> {
    if let Some(line) = unclosed_quote(text) {
        return Err(DataProblem::new("a quote in this line is not closed").at_line(text, line));
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| csv_problem(text, &e))?.clone();
    for (number, name) in header.iter().enumerate() {
        if header.iter().take(number).any(|other| other == name) {
            return Err(DataProblem::new(format!("two columns have the name `{name}`")).at(text, 0));
        }
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| csv_problem(text, &e))?;
        let row: Map<String, Json> =
            header.iter().zip(record.iter()).map(|(k, v)| (k.to_owned(), Json::from(v))).collect();
        rows.push(Json::Object(row));
    }
    Ok(Json::Array(rows))
}

fn csv_problem(text: &str, error: &csv::Error) -> DataProblem {
    let line = error.position().map_or(1, csv::Position::line);
    let message = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this row has a length of {len}, and the header of {expected_len}")
        }
        _ => error.to_string(),
    };
    DataProblem::new(message).at_line(text, usize::try_from(line).unwrap_or(1))
}

/// The line of a quote that opens a field and is never closed (RFC 4180 §2).
fn unclosed_quote(text: &str) -> Option<usize> {
    let (mut line, mut opened, mut at_field_start) = (1, None, true);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, opened) {
            ('"', None) if at_field_start => opened = Some(line),
            ('"', Some(_)) if chars.peek() == Some(&'"') => {
                chars.next();
            }
            ('"', Some(_)) => opened = None,
            _ => {}
        }
        line += usize::from(c == '\n');
        at_field_start = matches!(c, ',' | '\n' | '\r');
    }
    opened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_of_every_kind() {
        let read = |name: &str, text: &str| {
            parse_data(&SourcePath::new(name).unwrap(), text.as_bytes()).map(|v| v.to_string())
        };
        assert_eq!(read("a.yaml", "a: 1").unwrap(), "{\"a\":1}");
        assert_eq!(read("a.toml", "a = 1").unwrap(), "{\"a\":1}");
        assert_eq!(read("a.json", "{\"a\":1}").unwrap(), "{\"a\":1}");
        assert_eq!(read("a.csv", "a,b\n1,2\n").unwrap(), "[{\"a\":\"1\",\"b\":\"2\"}]");
        assert!(read("a.xml", "").is_err());
        let error = |name: &str, text: &str| {
            let problem = read(name, text).unwrap_err();
            (problem.message, problem.span.map(|(start, end)| text[start..end].to_owned()))
        };
        let at = |message: &str, text: &str| (message.to_owned(), Some(text.to_owned()));
        assert_eq!(error("a.csv", "a,a\n1,2\n"), at("two columns have the name `a`", "a,a"));
        assert_eq!(
            error("a.csv", "a,b\n\"x\"\"y\",2\n\"3,4\n5,6\n"),
            at("a quote in this line is not closed", "\"3,4")
        );
        assert_eq!(
            error("a.csv", "a,b\n1\n"),
            at("this row has a length of 1, and the header of 2", "1")
        );
        assert_eq!(error("a.json", "{\n  \"a\": x\n}").1.as_deref(), Some("x"));
        assert!(read("a.csv", "a,b\n5\" disk,\"x\n y\"\n").is_ok());
    }
}
