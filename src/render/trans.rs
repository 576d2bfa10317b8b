//! The template function `trans`: texts of the site's language.
//!
//! Its calls are not recorded: the texts of a language are a dependency of every page
//! (`dependencies`).

use std::sync::Arc;

use tera::{Error, Kwargs, State, Tera, TeraResult};

use super::functions::HELP;
use crate::diag::nearest;
use crate::language::Language;

/// Registers `trans(key=, count=, …)`: the text of a key in the plural form of `count`, with the
/// other arguments in the places of its placeholders.
pub(super) fn register(tera: &mut Tera, texts: &Arc<Language>) {
    let texts = Arc::clone(texts);
    tera.register_function("trans", move |kwargs: Kwargs, _: &State| trans(&texts, &kwargs));
}

fn trans(texts: &Language, kwargs: &Kwargs) -> TeraResult<String> {
    let key: &str = kwargs.must_get("key")?;
    let count = kwargs.get::<u64>("count")?;
    let mut values = Vec::new();
    let names: Vec<(String, String)> = kwargs
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .filter(|(name, _)| name != "key" && name != "count")
        .collect();
    values.extend(names.iter().map(|(name, value)| (name.as_str(), value.clone())));
    texts.translate(key, count, &values).ok_or_else(|| {
        let help = match nearest(key, texts.keys()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "the keys are those of languages/en.toml".to_owned(),
        };
        Error::message(format!("text `{key}` does not exist{HELP}{help}"))
    })
}
