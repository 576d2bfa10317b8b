//! Dates in the formats of a language.

use icu_calendar::{Date, Gregorian};
use icu_datetime::FixedCalendarDateTimeFormatter;
use icu_datetime::fieldsets::{E, M, MD, YM, YMD, YMDE};
use icu_locale_core::Locale;
use jiff::civil::{self, DateTime};

type Format<F> = Option<FixedCalendarDateTimeFormatter<Gregorian, F>>;

/// The formats of a language. A format is missing only for a language that ICU cannot format.
pub(super) struct DateFormats {
    month: Format<YM>,
    day: Format<MD>,
    short: Format<YMD>,
    medium: Format<YMD>,
    long: Format<YMD>,
    full: Format<YMDE>,
    names: Names,
}

/// The names of months and weekdays, for patterns of strftime.
struct Names {
    /// From January.
    months: Vec<String>,
    short_months: Vec<String>,
    /// From Monday.
    days: Vec<String>,
    short_days: Vec<String>,
}

impl DateFormats {
    pub(super) fn new(locale: &Locale) -> Self {
        macro_rules! format {
            ($fields:expr) => {
                FixedCalendarDateTimeFormatter::try_new(locale.into(), $fields).ok()
            };
        }
        Self {
            month: format!(YM::long()),
            day: format!(MD::medium()),
            short: format!(YMD::short()),
            medium: format!(YMD::medium()),
            long: format!(YMD::long()),
            full: format!(YMDE::long()),
            names: Names::new(locale),
        }
    }

    pub(super) fn format(&self, date: DateTime, format: &str) -> Result<String, String> {
        // Each format has a type of its own.
        macro_rules! shown {
            ($format:expr) => {
                $format.as_ref().zip(gregorian(date.date())).map(|(f, d)| f.format(&d).to_string())
            };
        }
        let shown = match format {
            "month" => shown!(self.month),
            "day" => shown!(self.day),
            "short" => shown!(self.short),
            "medium" => shown!(self.medium),
            "long" => shown!(self.long),
            "full" => shown!(self.full),
            pattern => return self.names.strftime(pattern, date),
        };
        Ok(shown.unwrap_or_else(|| date.date().to_string()))
    }
}

fn gregorian(date: civil::Date) -> Option<Date<Gregorian>> {
    let part = |n: i8| u8::try_from(n).unwrap_or(1);
    Date::try_new_gregorian(date.year().into(), part(date.month()), part(date.day())).ok()
}

impl Names {
    fn new(locale: &Locale) -> Self {
        let months = (1..=12).map(|month| civil::date(2024, month, 1));
        // The first of January 2024 was a Monday.
        let days = (1..=7).map(|day| civil::date(2024, 1, day));
        macro_rules! names {
            ($fields:expr, $dates:expr) => {{
                let format =
                    FixedCalendarDateTimeFormatter::<Gregorian, _>::try_new(locale.into(), $fields)
                        .ok();
                $dates
                    .clone()
                    .filter_map(|date| Some(format.as_ref()?.format(&gregorian(date)?).to_string()))
                    .collect()
            }};
        }
        Self {
            months: names!(M::long(), months),
            short_months: names!(M::medium(), months),
            days: names!(E::long(), days),
            short_days: names!(E::medium(), days),
        }
    }

    /// A pattern of strftime with the names of the language.
    fn strftime(&self, pattern: &str, date: DateTime) -> Result<String, String> {
        let month = usize::try_from(date.month() - 1).unwrap_or(0);
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
        let mut own = String::new();
        let mut rest = pattern;
        while let Some(at) = rest.find('%') {
            let (before, directive) = rest.split_at(at);
            own.push_str(before);
            let name = match directive.as_bytes().get(1) {
                Some(b'B') => self.months.get(month),
                Some(b'b' | b'h') => self.short_months.get(month),
                Some(b'A') => self.days.get(day),
                Some(b'a') => self.short_days.get(day),
                _ => None,
            };
            match name {
                Some(name) => {
                    own.push_str(&name.replace('%', "%%"));
                    rest = &directive[2..];
                }
                None => {
                    let end = directive.char_indices().nth(2).map_or(directive.len(), |(i, _)| i);
                    own.push_str(&directive[..end]);
                    rest = &directive[end..];
                }
            }
        }
        own.push_str(rest);
        jiff::fmt::strtime::format(&own, date).map_err(|e| e.to_string())
    }
}
