//! The forms of dates that the original's forms take beside ISO 8601: `03/01/2025`, `1 Mar 2025`, `March 1, 2025`.

use crate::text::is_blank;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A date and nothing else.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let mut reader = Reader { rest: text };
    let (date, _) = reader.date()?;
    reader.rest.is_empty().then_some(date)
}

/// A date in figures with or without a time, or a date with the month's name alone.
pub(super) fn date_time(text: &str) -> Option<NaiveDateTime> {
    let mut reader = Reader { rest: text };
    let (date, figures) = reader.date()?;
    if reader.rest.is_empty() {
        return Some(date.and_time(NaiveTime::MIN));
    }
    if !figures {
        return None;
    }
    reader.blanks()?;
    let time = reader.time()?;
    reader.rest.is_empty().then(|| date.and_time(time))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn eat(&mut self, character: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(character)?;
        Some(())
    }

    fn blanks(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches(is_blank);
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some.then_some(())
    }

    /// As many digits as there are, `most` at most, and how many they were.
    fn digits(&mut self, most: usize) -> Option<(u32, usize)> {
        let length = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        Some((digits.parse().ok()?, length))
    }

    fn one_or_two(&mut self) -> Option<u32> {
        self.digits(2).map(|(number, _)| number)
    }

    fn four(&mut self) -> Option<i32> {
        self.digits(4).filter(|(_, length)| *length == 4).and_then(|(number, _)| i32::try_from(number).ok())
    }

    /// A date, and whether it is all figures.
    fn date(&mut self) -> Option<(NaiveDate, bool)> {
        if !self.rest.starts_with(|first: char| first.is_ascii_digit()) {
            let month = self.month()?;
            self.blanks()?;
            let day = self.one_or_two()?;
            let year = self.year_behind_words()?;
            return Some((made(year, month, day)?, false));
        }
        let (first, length) = self.digits(4)?;
        if length == 4 {
            self.eat('-')?;
            let month = self.one_or_two()?;
            self.eat('-')?;
            let day = self.one_or_two()?;
            return Some((made(i32::try_from(first).ok()?, month, day)?, true));
        }
        if self.eat('/').is_some() {
            let day = self.one_or_two()?;
            self.eat('/')?;
            return Some((made(self.year()?, first, day)?, true));
        }
        self.blanks()?;
        let month = self.month()?;
        let year = self.year_behind_words()?;
        Some((made(year, month, first)?, false))
    }

    /// Four digits; or two, of which 69 to 99 are of the last century.
    fn year(&mut self) -> Option<i32> {
        match self.digits(4)? {
            (year, 4) => i32::try_from(year).ok(),
            (year, 2) => i32::try_from(if year < 69 { 2000 + year } else { 1900 + year }).ok(),
            _ => None,
        }
    }

    fn year_behind_words(&mut self) -> Option<i32> {
        // a comma may stand there; the blank has to
        let _comma = self.eat(',');
        self.blanks()?;
        self.four()
    }

    /// A month by its name or the first three letters of it, in any case.
    fn month(&mut self) -> Option<u32> {
        let length = self.rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (word, rest) = self.rest.split_at(length);
        let word = word.to_ascii_lowercase();
        let index = MONTHS.iter().position(|month| *month == word || (word.len() == 3 && month.starts_with(&word)))?;
        self.rest = rest;
        u32::try_from(index + 1).ok()
    }

    /// `12:30`, `12:30:15`, `12:30:15.25`.
    fn time(&mut self) -> Option<NaiveTime> {
        let hour = self.one_or_two()?;
        self.eat(':')?;
        let minute = self.one_or_two()?;
        let (mut second, mut micros) = (0, 0);
        if self.eat(':').is_some() {
            second = self.one_or_two()?;
            if self.eat('.').is_some() {
                let (number, length) = self.digits(6)?;
                micros = (length..6).fold(number, |number, _| number * 10);
            }
        }
        NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
    }
}

fn made(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).filter(|_| year > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2025-03-01")]
    #[case("2025-3-1")]
    #[case("03/01/2025")]
    #[case("3/1/25")]
    #[case("Mar 1 2025")]
    #[case("mar 01, 2025")]
    #[case("1 Mar 2025")]
    #[case("1 March, 2025")]
    #[case("March 1, 2025")]
    fn a_date_is_read_in_every_form(#[case] text: &str) {
        assert_eq!(date(text), NaiveDate::from_ymd_opt(2025, 3, 1), "{text}");
    }

    #[rstest]
    fn what_is_no_date_is_refused(
        #[values(
            "",
            "2025-03-01T00:00:00Z",
            "2025-03-01 00:00",
            "20250301",
            "2025-W09-6",
            "13/01/2025",
            "02/30/2025",
            "0000-01-01",
            "01/02/003",
            "Marc 1 2025",
            "March1 2025",
            "1. March 2025",
            "é"
        )]
        text: &str,
    ) {
        assert_eq!(date(text), None, "{text}");
    }

    #[rstest]
    #[case("3/1/2025 4:05", "2025-03-01T04:05:00")]
    #[case("03/01/69 04:05:06.7", "1969-03-01T04:05:06.700")]
    #[case("2025-03-01  04:05:06.123456", "2025-03-01T04:05:06.123456")]
    fn a_time_can_follow(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(date_time(text), Some(expected.parse().unwrap()));
        assert_eq!(date_time(&format!("{text} PM")), None);
        assert_eq!(date_time("March 1, 2025 04:05"), None);
    }
}
