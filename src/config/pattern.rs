//! Permalink patterns: `/{year}/{month}/{slug}.html`.

use thiserror::Error;

pub(super) const HINT: &str = "known parts: {section} {slug} {year} {month} {day} {category}; a pattern ends in `/` or `.html`";

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<PatternPart>,
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternPart {
    Text(String),
    Section,
    Slug,
    Year,
    Month,
    Day,
    Category,
}

/// Why a pattern cannot be used.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    #[error("`{{{0}}}` is not a part that Folio knows")]
    Unknown(String),
    #[error("a `{{` is not closed")]
    Unclosed,
    #[error("it has no {{slug}}, so that two articles would share a route")]
    NoSlug,
    #[error("it ends neither in `/` nor in `.html`")]
    Ending,
}

impl Pattern {
    /// # Errors
    /// When a part is unknown or not closed, or the pattern cannot tell articles apart.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                parts.push(PatternPart::Text(rest[..open].to_owned()));
            }
            let close = rest[open..].find('}').ok_or(PatternError::Unclosed)? + open;
            parts.push(match &rest[open + 1..close] {
                "section" => PatternPart::Section,
                "slug" | "title" | "contentbasename" => PatternPart::Slug,
                "year" => PatternPart::Year,
                "month" => PatternPart::Month,
                "day" => PatternPart::Day,
                "category" => PatternPart::Category,
                other => return Err(PatternError::Unknown(other.to_owned())),
            });
            rest = &rest[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(PatternPart::Text(rest.to_owned()));
        }
        if !parts.contains(&PatternPart::Slug) {
            return Err(PatternError::NoSlug);
        }
        if !text.ends_with('/') && !text.ends_with(".html") {
            return Err(PatternError::Ending);
        }
        Ok(Self { parts })
    }

    #[must_use]
    pub fn parts(&self) -> &[PatternPart] {
        &self.parts
    }

    /// Whether the pattern needs an article's date.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.parts.iter().any(|p| matches!(p, PatternPart::Year | PatternPart::Month | PatternPart::Day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(Pattern::parse("/{year}/{month}/{slug}.html").unwrap().is_dated());
        assert_eq!(Pattern::parse("/{yaer}/{slug}/"), Err(PatternError::Unknown("yaer".into())));
        assert_eq!(Pattern::parse("/{slug"), Err(PatternError::Unclosed));
        assert_eq!(Pattern::parse("/{year}/"), Err(PatternError::NoSlug));
        assert_eq!(Pattern::parse("/{slug}"), Err(PatternError::Ending));
    }
}
