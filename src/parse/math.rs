//! TeX → MathML at build time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, mathml};

/// Renders TeX as MathML.
///
/// # Errors
/// What is wrong with the formula.
pub(super) fn render(tex: &str, display: DisplayMode) -> Result<String, String> {
    // The crate promises no freedom from panics, and an article must never bring a build down.
    catch_unwind(AssertUnwindSafe(|| convert(tex, display))).unwrap_or_else(|_| Err("the formula could not be converted".into()))
}

fn convert(tex: &str, display: DisplayMode) -> Result<String, String> {
    let storage = Storage::new();
    let events: Vec<_> =
        Parser::new(tex, &storage).collect::<Result<_, _>>().map_err(|e| e.to_string().lines().next().unwrap_or_default().to_owned())?;
    let config = RenderConfig { display_mode: display, ..RenderConfig::default() };
    let mut out = String::new();
    let events = events.into_iter().map(Ok::<_, std::fmt::Error>);
    mathml::push_mathml(&mut out, events, config).map_err(|e| e.to_string())?;
    Ok(out)
}
