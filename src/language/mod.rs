//! The language of a site: the texts of its pages that no author writes, plural forms, numbers and
//! dates.
//!
//! The texts of a language are in `languages/TAG.toml`, embedded in the program. A site's own file
//! of the same name replaces single texts, or adds a language. Plural forms, numbers and names of
//! months follow CLDR, which ICU4X contains. Pure: `load` reads the site's file.

mod dates;
mod texts;

use std::collections::BTreeMap;
use std::fmt;

use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_decimal::options::DecimalFormatterOptions;
use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules};

use crate::diag::Report;
use dates::DateFormats;
use texts::Text;

pub use texts::own_file;

/// The languages that are written from right to left (CLDR, `characterOrder`).
const RIGHT_TO_LEFT: [&str; 13] =
    ["ar", "ckb", "dv", "fa", "he", "ks", "nqo", "ps", "sd", "syr", "ug", "ur", "yi"];

/// The texts and formats of a language.
pub struct Language {
    texts: BTreeMap<String, Text>,
    plurals: Option<PluralRules>,
    numbers: Option<DecimalFormatter>,
    dates: DateFormats,
    is_right_to_left: bool,
}

impl Language {
    /// The language of a BCP 47 tag. `own` is the text of the site's own file for it. The report
    /// has the problems of that file, and a warning when nobody has texts for the language: English
    /// ones are used then.
    #[must_use]
    pub fn read(tag: &str, own: Option<&str>) -> (Self, Report) {
        let (texts, report) = texts::of_language(tag, own);
        // A tag that is not well-formed is an error of the configuration.
        let locale = tag.parse().unwrap_or(Locale::UNKNOWN);
        let language = Self {
            texts,
            plurals: PluralRules::try_new_cardinal((&locale).into()).ok(),
            numbers: DecimalFormatter::try_new(
                (&locale).into(),
                DecimalFormatterOptions::default(),
            )
            .ok(),
            dates: DateFormats::new(&locale),
            is_right_to_left: RIGHT_TO_LEFT.contains(&locale.id.language.as_str()),
        };
        (language, report)
    }

    /// Whether it is written from right to left.
    #[must_use]
    pub fn is_right_to_left(&self) -> bool {
        self.is_right_to_left
    }

    /// The keys of all texts.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    /// A text without placeholders; empty for an unknown key.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        match self.texts.get(key) {
            Some(Text::Plain(text)) => text,
            _ => "",
        }
    }

    /// A text with its placeholders filled in; `None` for an unknown key. `count` chooses the
    /// plural form, and fills `{count}`.
    #[must_use]
    pub fn translate(
        &self,
        key: &str,
        count: Option<u64>,
        values: &[(&str, String)],
    ) -> Option<String> {
        let mut text = match self.texts.get(key)? {
            Text::Plain(text) => text.clone(),
            Text::Counted(forms) => {
                let category = category_name(self.category(count.unwrap_or(0)));
                forms.get(category).or_else(|| forms.get("other"))?.clone()
            }
        };
        if let Some(count) = count {
            text = text.replace("{count}", &self.number(count));
        }
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        Some(text)
    }

    /// A number with the digits and separators of the language.
    #[must_use]
    pub fn number(&self, number: u64) -> String {
        match &self.numbers {
            Some(format) => format.format(&Decimal::from(number)).to_string(),
            None => number.to_string(),
        }
    }

    /// A date in a named format (`month`, `day`, `short`, `medium`, `long`, `full`) or a pattern of
    /// strftime, in which months and days have their names in the language.
    ///
    /// # Errors
    /// When the pattern is not valid.
    pub fn date(&self, date: jiff::civil::DateTime, format: &str) -> Result<String, String> {
        self.dates.format(date, format)
    }

    /// Everything that a page can show of the language, for fingerprints.
    #[must_use]
    pub fn texts(&self) -> &impl serde::Serialize {
        &self.texts
    }

    fn category(&self, count: u64) -> PluralCategory {
        self.plurals.as_ref().map_or(PluralCategory::Other, |rules| rules.category_for(count))
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Language").field("texts", &self.texts).finish_non_exhaustive()
    }
}

fn category_name(category: PluralCategory) -> &'static str {
    match category {
        PluralCategory::Zero => "zero",
        PluralCategory::One => "one",
        PluralCategory::Two => "two",
        PluralCategory::Few => "few",
        PluralCategory::Many => "many",
        PluralCategory::Other => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        let (language, report) = Language::read(tag, None);
        assert!(report.is_empty(), "{report:?}");
        language
    }

    #[test]
    fn counts_take_the_plural_form_of_the_language() {
        let counted = |tag: &str, count: u64| language(tag).translate("views", Some(count), &[]);
        for (tag, count, text) in [
            ("en", 1, "1 view"),
            ("en-GB", 1234, "1,234 views"),
            ("de", 1234, "1.234 Aufrufe"),
            ("fr", 0, "0 vue"),
            ("pl", 1, "1 wyświetlenie"),
            ("pl", 3, "3 wyświetlenia"),
            ("pl", 5, "5 wyświetleń"),
            ("ar", 2, "مشاهدتان"),
            ("ja", 7, "閲覧7回"),
        ] {
            assert_eq!(counted(tag, count).as_deref(), Some(text), "{tag} {count}");
        }
    }

    #[test]
    fn dates_have_the_names_of_the_language() {
        let date = jiff::civil::date(2026, 6, 2).at(0, 0, 0, 0);
        let shown = |tag: &str, format: &str| language(tag).date(date, format).unwrap();
        for (tag, format, text) in [
            ("en", "month", "June 2026"),
            ("en", "%B %Y", "June 2026"),
            ("en", "%-d %b", "2 Jun"),
            ("en", "day", "Jun 2"),
            ("en-GB", "long", "2 June 2026"),
            ("de", "month", "Juni 2026"),
            ("de", "%A, %-d. %B %Y", "Dienstag, 2. Juni 2026"),
            ("pl", "long", "2 czerwca 2026"),
            ("ja", "month", "2026年6月"),
            ("zh", "full", "2026年6月2日星期二"),
        ] {
            assert_eq!(shown(tag, format), text, "{tag} {format}");
        }
        assert!(language("en").date(date, "%Q").is_err());
    }

    #[test]
    fn the_direction_belongs_to_the_language() {
        assert!(language("ar").is_right_to_left() && !language("en").is_right_to_left());
        assert!(Language::read("he-IL", None).0.is_right_to_left());
    }

    #[test]
    fn a_site_replaces_texts_and_adds_languages() {
        let own = "by = \"From\"\nbye = \"x\"\nviews = \"{count}\"\nrelated = 5\n[hearts]\nmany = 1\none = \"h\"\nsome = \"x\"\n";
        let (language, report) = Language::read("en", Some(own));
        assert_eq!(language.text("by"), "From");
        assert_eq!(language.translate("hearts", Some(1), &[]).as_deref(), Some("h"));
        assert_eq!(language.translate("hearts", Some(2), &[]).as_deref(), Some("2 hearts"));
        let problems: Vec<_> = report.items().iter().map(|d| d.message.as_str()).collect();
        assert_eq!(
            problems,
            [
                "unknown text `bye`",
                "`related` is not a text",
                "`hearts.many` is not a text",
                "unknown plural category `some`",
            ]
        );
        let (language, report) = Language::read("sv", Some("related = \"Relaterat\""));
        assert_eq!((language.text("related"), language.text("tags")), ("Relaterat", "Tags"));
        assert!(report.is_empty());
        assert_eq!(Language::read("sv", None).1.items().len(), 1);
    }
}
