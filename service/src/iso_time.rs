//! Times as people and programs write them by ISO 8601, as far as the contract takes them (§ 3, 6).

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

/// The parts of a time: date alone (midnight), date and time, with or without an offset; extended and basic form, week
/// dates, `T` or a blank between, one to twelve decimals of which six count. `None` for everything else.
pub fn read(text: &str) -> Option<(NaiveDateTime, Option<FixedOffset>)> {
    let mut reader = Reader { rest: text.as_bytes() };
    let date = reader.date()?;
    if reader.rest.is_empty() {
        return Some((date.and_time(NaiveTime::MIN), None));
    }
    if !reader.eat(b'T') && !reader.eat(b' ') {
        return None;
    }
    let time = reader.time()?;
    while reader.rest.first().is_some_and(u8::is_ascii_whitespace) {
        reader.rest = &reader.rest[1..];
    }
    let offset = if reader.rest.is_empty() { None } else { Some(reader.offset()?) };
    reader.rest.is_empty().then(|| (date.and_time(time), offset))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.rest.first() == Some(&byte);
        if eaten {
            self.rest = &self.rest[1..];
        }
        eaten
    }

    fn digit_follows(&self) -> bool {
        self.rest.first().is_some_and(u8::is_ascii_digit)
    }

    /// A number of `least` to `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self.rest.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if digits < least {
            return None;
        }
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        Some(number.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
    }

    /// `2025-03-01`, `2025-3-1`, `20250301`, `2025-W09-6`, `2025W096`, `2025-W09`.
    fn date(&mut self) -> Option<NaiveDate> {
        let year = i32::try_from(self.number(4, 4)?).ok().filter(|year| *year > 0)?;
        let extended = self.eat(b'-');
        if self.eat(b'W') {
            let week = self.number(2, 2)?;
            let day = match self.rest.first() {
                None | Some(b'T' | b' ') => 1,
                _ if extended && !self.eat(b'-') => return None,
                _ => self.number(1, 1)?,
            };
            let weekday = Weekday::try_from(u8::try_from(day.checked_sub(1)?).ok()?).ok()?;
            return NaiveDate::from_isoywd_opt(year, week, weekday);
        }
        let least = if extended { 1 } else { 2 };
        let month = self.number(least, 2)?;
        if extended && !self.eat(b'-') {
            return None;
        }
        let day = self.number(least, 2)?;
        NaiveDate::from_ymd_opt(year, month, day)
    }

    /// `12`, `12:00`, `12:00:00`, `12:00:00.123`, `1200`, `120000.5`.
    fn time(&mut self) -> Option<NaiveTime> {
        let hour = self.number(1, 2)?;
        let extended = self.eat(b':');
        let least = if extended { 1 } else { 2 };
        let (mut minute, mut second, mut micros) = (0, 0, 0);
        if extended || self.digit_follows() {
            minute = self.number(least, 2)?;
            if if extended { self.eat(b':') } else { self.digit_follows() } {
                second = self.number(least, 2)?;
                if self.eat(b'.') || self.eat(b',') {
                    micros = self.micros()?;
                }
            }
        }
        NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
    }

    fn micros(&mut self) -> Option<u32> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if !(1..=12).contains(&digits) {
            return None;
        }
        let (decimals, rest) = self.rest.split_at(digits);
        self.rest = rest;
        Some((0..6).fold(0, |value, at| value * 10 + decimals.get(at).map_or(0, |digit| u32::from(digit - b'0'))))
    }

    /// `Z`, `+03:30`, `+0330`, `+03`.
    fn offset(&mut self) -> Option<FixedOffset> {
        if self.eat(b'Z') {
            return FixedOffset::east_opt(0);
        }
        let sign = if self.eat(b'+') { 1 } else { self.eat(b'-').then_some(-1)? };
        let hours = self.number(2, 2)?;
        self.eat(b':');
        let minutes = if self.rest.is_empty() { 0 } else { self.number(2, 2)? };
        if hours > 23 || minutes > 59 {
            return None;
        }
        FixedOffset::east_opt(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2025-03-01T12:00:00Z", "2025-03-01 12:00:00", Some(0))]
    #[case("2025-03-01 12:00:00+03:30", "2025-03-01 12:00:00", Some(12_600))]
    #[case("2025-03-01T12:00:00-0330", "2025-03-01 12:00:00", Some(-12_600))]
    #[case("2025-03-01T12:00:00 +03", "2025-03-01 12:00:00", Some(10_800))]
    #[case("2025-03-01T12:00", "2025-03-01 12:00:00", None)]
    #[case("2025-03-01T12:00:00.1234569", "2025-03-01 12:00:00.123456", None)]
    #[case("2025-03-01T12:00:00,5", "2025-03-01 12:00:00.500", None)]
    #[case("2025-03-01", "2025-03-01 00:00:00", None)]
    #[case("2025-3-1 1:02", "2025-03-01 01:02:00", None)]
    #[case("20250301T120000Z", "2025-03-01 12:00:00", Some(0))]
    #[case("2025-W09-6", "2025-03-01 00:00:00", None)]
    #[case("2025W096T12Z", "2025-03-01 12:00:00", Some(0))]
    fn a_time_is_read_in_every_form(#[case] text: &str, #[case] naive: &str, #[case] offset: Option<i32>) {
        let (found, found_offset) = read(text).unwrap();
        assert_eq!((found.to_string().as_str(), found_offset.map(|offset| offset.local_minus_utc())), (naive, offset));
    }

    #[rstest]
    fn what_is_no_time_is_refused(
        #[values(
            "",
            "now",
            "2025-03-01t12:00:00Z",
            "2025-03-01T12:00:00z",
            "2025-03-01T24:00:00Z",
            "1740830400",
            "2025-02-29",
            "2025-03-01T12:00:60Z",
            "0000-01-01",
            "2025-03-01T12:00:00+24:00",
            "2025-03-01T12:00:00.",
            "2025-03-01T",
            "2025-W54-1",
            "2025-W09-0",
            "2025-03-01T12:00:00Zx",
            "٢٠٢٥-03-01"
        )]
        text: &str,
    ) {
        assert_eq!(read(text), None, "{text}");
    }
}
