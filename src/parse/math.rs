//! Converts TeX to MathML at build time.
//!
//! pulldown-latex does not escape its input and may panic. So characters that are markup are
//! replaced by private ones, the result is checked to be nothing but MathML, and oversized formulas
//! are rejected.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pulldown_latex::config::{DisplayMode, RenderConfig};
use pulldown_latex::{Parser, Storage, mathml};
use quick_xml::Reader;
use quick_xml::events::Event;

/// The longest formula, in bytes.
const LONGEST: usize = 8_192;
/// How deep braces may be nested.
const DEEPEST: usize = 64;

/// Characters that are markup, the private characters that replace them, and their final form.
const SIGNS: [(&str, char, &str); 4] = [
    ("\\lt", '\u{e000}', "&lt;"),
    ("<", '\u{e000}', "&lt;"),
    ("\\gt", '\u{e001}', "&gt;"),
    (">", '\u{e001}', "&gt;"),
];
const AMPERSAND: char = '\u{e002}';

/// Converts TeX to MathML.
///
/// # Errors
/// Why the formula is invalid.
pub(super) fn render(tex: &str, display: DisplayMode) -> Result<String, String> {
    if tex.len() > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let mut depth = 0_usize;
    for c in tex.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return Err(format!("its braces are nested more than {DEEPEST} deep"));
        }
    }
    let mut masked = tex.replace("\\&", &AMPERSAND.to_string());
    for (sign, private, _) in SIGNS {
        // A command ends after its letters: `\lt` is not the start of `\ltimes`.
        masked = if sign.starts_with('\\') {
            replace_command(&masked, sign, private)
        } else {
            masked.replace(sign, &private.to_string())
        };
    }
    let mathml = catch_unwind(AssertUnwindSafe(|| convert(&masked, display)))
        .unwrap_or_else(|_| Err("it could not be converted".into()))?;
    let mut mathml = mathml.replace(AMPERSAND, "&amp;");
    for (_, private, written) in SIGNS {
        mathml = mathml
            .replace(&format!("<mi>{private}</mi>"), &format!("<mo>{written}</mo>"))
            .replace(private, written);
    }
    if is_mathml(&mathml) {
        Ok(mathml)
    } else {
        Err("it holds markup, or could not be converted".into())
    }
}

fn replace_command(tex: &str, command: &str, private: char) -> String {
    let mut out = String::with_capacity(tex.len());
    let mut rest = tex;
    while let Some(at) = rest.find(command) {
        let after = &rest[at + command.len()..];
        out.push_str(&rest[..at]);
        if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            out.push_str(command);
        } else {
            out.push(private);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn convert(tex: &str, display: DisplayMode) -> Result<String, String> {
    let storage = Storage::new();
    let first_line = |e: String| e.lines().next().unwrap_or_default().to_owned();
    let events: Vec<_> = Parser::new(tex, &storage)
        .collect::<Result<_, _>>()
        .map_err(|e| first_line(e.to_string()))?;
    let config = RenderConfig { display_mode: display, ..RenderConfig::default() };
    let mut out = String::new();
    let events = events.into_iter().map(Ok::<_, std::fmt::Error>);
    mathml::push_mathml(&mut out, events, config).map_err(|e| e.to_string())?;
    Ok(out)
}

/// Whether a text is well-formed and contains only MathML elements, and only harmless attributes.
fn is_mathml(text: &str) -> bool {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Eof) => return true,
            Ok(Event::Start(e) | Event::Empty(e)) => {
                let name = e.name();
                let known = name.as_ref().starts_with('m')
                    && name.as_ref().bytes().all(|b| b.is_ascii_lowercase());
                let harmless = |key: &str| {
                    !key.starts_with("on") && !matches!(key, "href" | "src" | "xlink:href")
                };
                if !known || !e.attributes().all(|a| a.is_ok_and(|a| harmless(a.key.as_ref()))) {
                    return false;
                }
            }
            Ok(Event::Text(t)) if t.as_ref().contains('<') => return false,
            Ok(Event::Text(_) | Event::End(_) | Event::GeneralRef(_)) => {}
            Ok(_) | Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_mathml_and_nothing_else() {
        let of = |tex: &str| render(tex, DisplayMode::Inline);
        assert_eq!(
            of("a<b").unwrap(),
            "<math display=\"inline\"><mi>a</mi><mo>&lt;</mo><mi>b</mi></math>"
        );
        assert!(of("a \\lt b \\gt c").unwrap().contains("&lt;"));
        assert!(of("\\frac{1}{2}").unwrap().contains("<mfrac>"));
        for evil in [
            "\\operatorname{<img src=x onerror=alert(1)>}",
            "\\text{</math><script>x</script>}",
            "\\text{a & b}",
            "<script>",
        ] {
            let shown = of(evil).unwrap_or_default();
            assert!(!shown.contains("<img") && !shown.contains("<script"), "{shown}");
        }
        assert!(of(&"{".repeat(1000)).is_err());
        assert!(of(&"x".repeat(10_000)).is_err());
    }
}
