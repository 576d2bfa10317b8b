//! Permalink patterns: `/{year}/{month}/{slug}.html`.

use thiserror::Error;

pub(super) const HINT: &str = "placeholders are {section} {slug} {title} {year} {month} {day} \
                               {category}; a pattern ends in `/` or `.html`";

/// A parsed permalink pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<PatternPart>,
}

/// A part of a pattern.
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

/// Why a pattern is invalid.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    #[error("unknown placeholder `{{{0}}}`")]
    Unknown(String),
    #[error("a `{{` is not closed")]
    Unclosed,
    #[error("a `}}` has no `{{` before it")]
    Unopened,
    #[error("it has no {{slug}}, so two articles could have the same route")]
    NoSlug,
    #[error("it ends neither in `/` nor in `.html`")]
    Ending,
}

impl Pattern {
    /// # Errors
    /// When a placeholder is unknown or not closed, or the pattern cannot distinguish articles.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if rest[..open].contains('}') {
                return Err(PatternError::Unopened);
            }
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
        if rest.contains('}') {
            return Err(PatternError::Unopened);
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

    /// Whether the pattern contains the date of the article.
    #[must_use]
    pub fn is_dated(&self) -> bool {
        self.parts
            .iter()
            .any(|p| matches!(p, PatternPart::Year | PatternPart::Month | PatternPart::Day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        assert!(Pattern::parse("/{year}/{month}/{slug}.html").unwrap().is_dated());
        assert_eq!(Pattern::parse("/{yaer}/{slug}/"), Err(PatternError::Unknown("yaer".into())));
        assert_eq!(Pattern::parse("/{slug}}/"), Err(PatternError::Unopened));
        assert_eq!(Pattern::parse("/{slug"), Err(PatternError::Unclosed));
        assert_eq!(Pattern::parse("/{year}/"), Err(PatternError::NoSlug));
        assert_eq!(Pattern::parse("/{slug}"), Err(PatternError::Ending));
    }
}
