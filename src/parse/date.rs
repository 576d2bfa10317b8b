//! Dates as people write them in front matter.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use serde::{Deserialize, Serialize};

/// A date as written: the local time, and the offset if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    pub civil: DateTime,
    /// Seconds east of UTC.
    pub offset: Option<i32>,
}

/// How much of a text was read as a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    Whole(Moment),
    /// Some of the text is not part of a date.
    Part(Moment),
    Nothing,
}

impl Moment {
    /// The instant; `zone` applies when no offset was written.
    #[must_use]
    pub fn instant(&self, zone: &TimeZone) -> Timestamp {
        let zone = match self.offset.and_then(|s| Offset::from_seconds(s).ok()) {
            Some(offset) => TimeZone::fixed(offset),
            None => zone.clone(),
        };
        self.civil.to_zoned_datetime(zone).map_or(Timestamp::UNIX_EPOCH, |z| z.timestamp())
    }

    /// RFC 3339 with the written offset, or that of `zone`.
    #[must_use]
    pub fn rfc3339(&self, zone: &TimeZone) -> String {
        let instant = self.instant(zone);
        let offset = self
            .offset
            .and_then(|s| Offset::from_seconds(s).ok())
            .unwrap_or_else(|| zone.to_offset(instant));
        if offset == Offset::UTC {
            return self.civil.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        }
        let seconds = offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.unsigned_abs() / 60;
        format!(
            "{}{sign}{:02}:{:02}",
            self.civil.strftime("%Y-%m-%dT%H:%M:%S"),
            minutes / 60,
            minutes % 60
        )
    }
}

/// Reads a date: `2026-06-12`, RFC 3339, `2026-06-12 21:34[:22[.5]] [+0530]`, and similar forms.
#[must_use]
pub fn read(text: &str) -> Reading {
    let text = text.trim();
    let Some((date, rest)) = read_date(text) else { return read_inside(text) };
    let rest = rest.trim_start_matches(['T', 't', ' ', ',']);
    let (time, rest) = read_time(rest).unwrap_or((Time::midnight(), rest));
    let (offset, rest) = read_offset(rest.trim_start());
    let moment = Moment { civil: date.to_datetime(time), offset };
    if rest.trim().is_empty() {
        return Reading::Whole(moment);
    }
    // There is text between the time and the offset, or after them: the offset is searched once
    // more.
    let offset = offset.or_else(|| rest.split_whitespace().find_map(|word| read_offset(word).0));
    Reading::Part(Moment { offset, ..moment })
}

/// Reads a date anywhere in a text, or one of the long forms that libraries print.
fn read_inside(text: &str) -> Reading {
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return Reading::Whole(Moment {
            civil: zoned.datetime(),
            offset: Some(zoned.offset().seconds()),
        });
    }
    for format in ["%B %d, %Y", "%d %B %Y", "%b %d, %Y", "%d %b %Y"] {
        if let Ok(date) = Date::strptime(format, text) {
            return Reading::Whole(Moment {
                civil: date.to_datetime(Time::midnight()),
                offset: None,
            });
        }
    }
    let starts = text
        .char_indices()
        .filter(|(i, c)| c.is_ascii_digit() && !text[..*i].ends_with(|p: char| p.is_ascii_digit()));
    for (i, _) in starts {
        if let Some((date, _)) = read_date(&text[i..]) {
            return Reading::Part(Moment {
                civil: date.to_datetime(Time::midnight()),
                offset: None,
            });
        }
    }
    Reading::Nothing
}

/// `year-month-day`, also with `/` or `.`, single digits allowed.
fn read_date(text: &str) -> Option<(Date, &str)> {
    let (year, rest) = number(text, 4, 4)?;
    let separator = rest.chars().next().filter(|c| "-/.".contains(*c))?;
    let (month, rest) = number(&rest[1..], 1, 2)?;
    let (day, rest) = number(rest.strip_prefix(separator)?, 1, 2)?;
    let date =
        Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?)
            .ok()?;
    Some((date, rest))
}

/// `hour:minute[:second[.fraction]]`; the fraction is ignored.
fn read_time(text: &str) -> Option<(Time, &str)> {
    let (hour, rest) = number(text, 1, 2)?;
    let (minute, mut rest) = number(rest.strip_prefix(':')?, 2, 2)?;
    let mut second = 0;
    if let Some((s, after)) = rest.strip_prefix(':').and_then(|r| number(r, 2, 2)) {
        second = s.min(59);
        rest = after;
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        }
    }
    let time = Time::new(
        i8::try_from(hour).ok()?,
        i8::try_from(minute).ok()?,
        i8::try_from(second).ok()?,
        0,
    )
    .ok()?;
    Some((time, rest))
}

/// `Z`, `+05:30`, `+0530`, `-8`.
fn read_offset(text: &str) -> (Option<i32>, &str) {
    for name in ["Z", "z", "UTC", "GMT"] {
        if let Some(rest) = text.strip_prefix(name) {
            return (Some(0), rest);
        }
    }
    let sign = match text.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return (None, text),
    };
    let Some((hours, rest)) = number(&text[1..], 1, 2) else { return (None, text) };
    let (minutes, rest) = number(rest.strip_prefix(':').unwrap_or(rest), 2, 2).unwrap_or((0, rest));
    if hours > 23 || minutes > 59 {
        return (None, text);
    }
    (Some(sign * (hours * 3600 + minutes * 60)), rest)
}

/// Leading digits, at least `min` and at most `max` of them.
fn number(text: &str, min: usize, max: usize) -> Option<(i32, &str)> {
    let digits = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if digits < min {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match read(text) {
            Reading::Whole(m) => m.rfc3339(&TimeZone::UTC),
            Reading::Part(m) => format!("~{}", m.rfc3339(&TimeZone::UTC)),
            Reading::Nothing => "nothing".into(),
        }
    }

    #[test]
    fn dates_are_read_as_written() {
        let cases = [
            ("2026-06-12", "2026-06-12T00:00:00Z"),
            ("2026-06-12T21:34:22Z", "2026-06-12T21:34:22Z"),
            ("2026-06-12T21:34:22.125+05:30", "2026-06-12T21:34:22+05:30"),
            ("2026-06-12 21:34", "2026-06-12T21:34:00Z"),
            ("2026-06-12 21:34:22 +0530", "2026-06-12T21:34:22+05:30"),
            ("2026-6-2", "2026-06-02T00:00:00Z"),
            ("2026/06/12", "2026-06-12T00:00:00Z"),
            ("June 12, 2026", "2026-06-12T00:00:00Z"),
            ("2023-01-29 18:30:22 2023 -0800", "~2023-01-29T18:30:22-08:00"),
            ("on 2026-06-12, maybe", "~2026-06-12T00:00:00Z"),
            ("2026-13-45", "nothing"),
            ("soon", "nothing"),
            ("", "nothing"),
        ];
        for (text, expected) in cases {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,30}") {
            let _ = read(&text);
        }
    }
}
