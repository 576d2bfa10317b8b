//! Counts words, also in scripts without spaces between words.

use serde::{Deserialize, Serialize};

/// The words of a text: sequences of letters between spaces, and characters that are words of their
/// own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordCount {
    /// Words separated by spaces.
    pub spaced: u32,
    /// Characters of Han, Hiragana, Katakana and other scripts without spaces.
    pub signs: u32,
}

/// How many such characters are read per minute; a word has about two.
const SIGNS_PER_MINUTE: usize = 500;

impl WordCount {
    /// Counts the words of `text`.
    pub fn add(&mut self, text: &str) {
        if text.is_ascii() {
            let words = text
                .split_ascii_whitespace()
                .filter(|w| w.bytes().any(|b| b.is_ascii_alphanumeric()));
            self.spaced =
                self.spaced.saturating_add(u32::try_from(words.count()).unwrap_or(u32::MAX));
            return;
        }
        let mut in_word = false;
        for c in text.chars() {
            if is_sign(c) {
                self.signs = self.signs.saturating_add(1);
                in_word = false;
            } else if c.is_whitespace() {
                in_word = false;
            } else if c.is_alphanumeric() && !in_word {
                self.spaced = self.spaced.saturating_add(1);
                in_word = true;
            }
        }
    }

    #[must_use]
    pub fn total(self) -> usize {
        self.spaced as usize + self.signs as usize
    }

    /// The reading time in minutes, rounded up, at least one unless the text is empty.
    #[must_use]
    pub fn minutes(self, words_per_minute: usize) -> usize {
        let speed = words_per_minute.max(1);
        let share = self.spaced as usize * SIGNS_PER_MINUTE + self.signs as usize * speed;
        share.div_ceil(speed * SIGNS_PER_MINUTE)
    }
}

/// Scripts in which characters, not spaces, separate words (Unicode blocks).
fn is_sign(c: char) -> bool {
    matches!(u32::from(c),
        0x0E01..=0x0E3A | 0x3041..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF
            | 0x20000..=0x3134F)
        && c.is_alphabetic()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> (u32, u32) {
        let mut words = WordCount::default();
        words.add(text);
        (words.spaced, words.signs)
    }

    #[test]
    fn words_of_several_scripts() {
        assert_eq!(count("Don't panic — it's 2026!"), (4, 0));
        assert_eq!(count("数据库的选择"), (0, 6));
        assert_eq!(count("用Rust写"), (1, 2));
        assert_eq!(count("한국어 단어 세기"), (3, 0));
        assert_eq!(count(" - -- "), (0, 0));
    }

    #[test]
    fn reading_time_is_rounded_up() {
        let words = WordCount { spaced: 1201, signs: 0 };
        assert_eq!(words.minutes(200), 7);
        assert_eq!(WordCount { spaced: 0, signs: 501 }.minutes(200), 2);
        assert_eq!(WordCount::default().minutes(0), 0);
    }
}
