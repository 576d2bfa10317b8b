//! Generates the style sheet of highlighted code from two themes: one for light mode, one for dark
//! mode.
//!
//! Colours of a theme are moved towards black or white until they reach a contrast of 4.5:1 on its
//! background (WCAG 2.2, success criterion 1.4.3).

use syntect::highlighting::{Color, FontStyle, Highlighter, Style, Theme};
use syntect::parsing::Scope;
use two_face::theme::EmbeddedLazyThemeSet;

use crate::config::Config;
use crate::parse::highlight::CLASSES;

/// The style sheet of the configured themes, which `config` has checked to exist.
pub(super) fn highlight(config: &Config) -> String {
    let themes = two_face::theme::extra();
    let find = |name: &str| {
        EmbeddedLazyThemeSet::theme_names()
            .iter()
            .find(|n| n.as_name() == name)
            .map(|n| themes.get(*n))
    };
    let (light, dark) = (find(&config.highlight.light), find(&config.highlight.dark));
    let mut out = String::from(
        "/* Colours of highlighted code; made by Folio from the themes in site.toml. */\n",
    );
    // The rules of each theme are separate, so that none of one applies to the other.
    for (theme, condition) in [
        (light, "not all and (prefers-color-scheme: dark)"),
        (dark, "(prefers-color-scheme: dark)"),
    ] {
        if let Some(theme) = theme {
            out.push_str(&format!("@media {condition} {{\n{}}}\n", rules(theme)));
        }
    }
    out
}

fn rules(theme: &Theme) -> String {
    let highlighter = Highlighter::new(theme);
    let default = highlighter.get_default();
    let background = theme.settings.background.unwrap_or(Color::WHITE);
    let foreground = readable(default.foreground, background);
    let mut out =
        format!("  pre.code {{ color: {}; background: {}; }}\n", hex(foreground), hex(background));
    for (class, scopes) in CLASSES {
        let Some(scope) = scopes.first().and_then(|s| Scope::new(s).ok()) else { continue };
        let style = highlighter.style_for_stack(&[scope]);
        if let Some(rule) = rule(style, default, background) {
            out.push_str(&format!("  pre.code .{class} {{ {rule} }}\n"));
        }
    }
    out
}

fn rule(style: Style, default: Style, background: Color) -> Option<String> {
    let mut parts = Vec::new();
    if style.foreground != default.foreground {
        parts.push(format!("color: {};", hex(readable(style.foreground, background))));
    }
    if style.font_style.contains(FontStyle::BOLD) {
        parts.push("font-weight: bold;".into());
    }
    if style.font_style.contains(FontStyle::ITALIC) {
        parts.push("font-style: italic;".into());
    }
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn hex(c: Color) -> String {
    format!("#{:02x}{:02x}{:02x}", c.r, c.g, c.b)
}

/// The colour, moved until it has enough contrast.
fn readable(colour: Color, background: Color) -> Color {
    let towards = if luminance(background) > 0.18 { 0.0 } else { 255.0 };
    let mut c = colour;
    for _ in 0..40 {
        if contrast(c, background) >= 4.5 {
            break;
        }
        let step =
            |v: u8| (f64::from(v) + (towards - f64::from(v)) * 0.08).round().clamp(0.0, 255.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=255 above"
        )]
        let step = |v: u8| step(v) as u8;
        c = Color { r: step(c.r), g: step(c.g), b: step(c.b), a: c.a };
    }
    c
}

/// Relative luminance (WCAG 2.2).
fn luminance(c: Color) -> f64 {
    let channel = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(c.r) + 0.7152 * channel(c.g) + 0.0722 * channel(c.b)
}

/// Contrast ratio (WCAG 2.2), from 1 to 21.
fn contrast(a: Color, b: Color) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_theme_becomes_readable() {
        let themes = two_face::theme::extra();
        for name in EmbeddedLazyThemeSet::theme_names() {
            let theme = themes.get(*name);
            let background = theme.settings.background.unwrap_or(Color::WHITE);
            let highlighter = Highlighter::new(theme);
            for (_, scopes) in CLASSES {
                let style = highlighter.style_for_stack(&[Scope::new(scopes[0]).unwrap()]);
                assert!(
                    contrast(readable(style.foreground, background), background) >= 4.5,
                    "{} in {}",
                    scopes[0],
                    name.as_name()
                );
            }
        }
    }
}
