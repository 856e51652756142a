//! Times as people and programs write them by ISO 8601, as far as the contract takes them (§ 3, 6): its extended and basic
//! forms, and its looser cousin with one-digit parts. Written out because no crate reads exactly this.

use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

/// How liberal to be where the original's fields and its filters are not alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// What a client sends (§ 3): parts of one digit go with the extended form of date and time alone; up to nine
    /// decimals; an offset's minutes may be up to 99, as long as it is less than a day.
    Field,
    /// What a filter says (§ 6): parts of one digit go with a date alone too; up to twelve decimals; an offset is one
    /// that a clock could show.
    Filter,
}

/// The parts of a time: date alone (midnight), date and time, with or without an offset; extended and basic form, week
/// dates, `T` or a blank between, decimals of which six count. `None` for everything else.
pub fn read(text: &str, grammar: Grammar) -> Option<(NaiveDateTime, Option<FixedOffset>)> {
    let mut reader = Reader { rest: text.as_bytes(), grammar, extended: true, loose: false };
    let date = reader.date()?;
    if reader.rest.is_empty() {
        return reader.fits(false).then(|| (date.and_time(NaiveTime::MIN), None));
    }
    if !reader.eat(b'T') && !reader.eat(b' ') {
        return None;
    }
    let time = reader.time()?;
    if !reader.fits(true) {
        return None;
    }
    while reader.rest.first().is_some_and(u8::is_ascii_whitespace) {
        reader.rest = &reader.rest[1..];
    }
    let offset = if reader.rest.is_empty() { None } else { Some(reader.offset()?) };
    reader.rest.is_empty().then(|| (date.and_time(time), offset))
}

struct Reader<'a> {
    rest: &'a [u8],
    grammar: Grammar,
    /// A calendar date with hyphens and a time with colons, minutes at least.
    extended: bool,
    /// A part had one digit where two are usual.
    loose: bool,
}

impl Reader<'_> {
    /// Whether parts of one digit are allowed where they have been.
    fn fits(&self, has_time: bool) -> bool {
        !self.loose || self.grammar == Grammar::Filter || (self.extended && has_time)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let eaten = self.rest.first() == Some(&byte);
        if eaten {
            self.rest = &self.rest[1..];
        }
        eaten
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

    /// A number of two digits, or of one where that is allowed.
    fn part(&mut self, one_is_enough: bool) -> Option<u32> {
        let before = self.rest.len();
        let number = self.number(if one_is_enough { 1 } else { 2 }, 2)?;
        self.loose |= before - self.rest.len() == 1;
        Some(number)
    }

    /// `2025-03-01`, `2025-3-1`, `20250301`, `2025-W09-6`, `2025W096`, `2025-W09`.
    fn date(&mut self) -> Option<NaiveDate> {
        let year = i32::try_from(self.number(4, 4)?).ok().filter(|year| *year > 0)?;
        let extended = self.eat(b'-');
        self.extended &= extended;
        if self.eat(b'W') {
            self.extended = false;
            let week = self.number(2, 2)?;
            let day = match self.rest.first() {
                None | Some(b'T' | b' ') => 1,
                _ if extended && !self.eat(b'-') => return None,
                _ => self.number(1, 1)?,
            };
            let weekday = Weekday::try_from(u8::try_from(day.checked_sub(1)?).ok()?).ok()?;
            return NaiveDate::from_isoywd_opt(year, week, weekday);
        }
        let month = self.part(extended)?;
        if extended && !self.eat(b'-') {
            return None;
        }
        let day = self.part(extended)?;
        NaiveDate::from_ymd_opt(year, month, day)
    }

    /// `12`, `12:00`, `12:00:00`, `12:00:00.123`, `1200`, `120000.5`; decimals are cut to six.
    fn time(&mut self) -> Option<NaiveTime> {
        let hour = self.part(true)?;
        let extended = self.eat(b':');
        self.extended &= extended;
        let more = |reader: &Self| reader.rest.first().is_some_and(u8::is_ascii_digit);
        let (mut minute, mut second, mut micros) = (0, 0, 0);
        if extended || more(self) {
            minute = self.part(extended)?;
            if if extended { self.eat(b':') } else { more(self) } {
                second = self.part(extended)?;
                if self.eat(b'.') || self.eat(b',') {
                    micros = self.decimals()?;
                }
            }
        }
        NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
    }

    fn decimals(&mut self) -> Option<u32> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let most = if self.grammar == Grammar::Field { 9 } else { 12 };
        if !(1..=most).contains(&digits) {
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
        if self.grammar == Grammar::Filter && (hours > 23 || minutes > 59) {
            return None;
        }
        FixedOffset::east_opt(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Grammar::{Field, Filter};
    use rstest::rstest;

    /// Text, and what it is in a field and in a filter: date and time, and the offset in seconds.
    type Case = (&'static str, Option<(&'static str, Option<i32>)>, Option<(&'static str, Option<i32>)>);

    const fn both(text: &'static str, read: &'static str, offset: Option<i32>) -> Case {
        (text, Some((read, offset)), Some((read, offset)))
    }

    const fn neither(text: &'static str) -> Case {
        (text, None, None)
    }

    const fn in_filters(text: &'static str, read: &'static str, offset: Option<i32>) -> Case {
        (text, None, Some((read, offset)))
    }

    const CASES: &[Case] = &[
        both("2025-03-01T12:00:00Z", "2025-03-01 12:00:00", Some(0)),
        both("2025-03-01 12:00:00+03:30", "2025-03-01 12:00:00", Some(12_600)),
        both("2025-03-01T12:00:00-0330", "2025-03-01 12:00:00", Some(-12_600)),
        both("2025-03-01T12:00:00+03", "2025-03-01 12:00:00", Some(10_800)),
        both("2025-03-01T12:00:00 +03", "2025-03-01 12:00:00", Some(10_800)),
        both("2025-03-01T12:00:00 Z", "2025-03-01 12:00:00", Some(0)),
        both("2025-03-01T12:00:00+23:59", "2025-03-01 12:00:00", Some(86_340)),
        both("2025-03-01T12:00", "2025-03-01 12:00:00", None),
        both("2025-03-01T12:00:00.1234569Z", "2025-03-01 12:00:00.123456", Some(0)),
        both("2025-03-01T12:00:00.123456789", "2025-03-01 12:00:00.123456", None),
        both("2025-03-01T12:00:00.5Z", "2025-03-01 12:00:00.500", Some(0)),
        both("2025-03-01T12:00:00,5", "2025-03-01 12:00:00.500", None),
        both("2025-03-01", "2025-03-01 00:00:00", None),
        both("2025-3-1T1:2:3Z", "2025-03-01 01:02:03", Some(0)),
        both("2025-3-1 1:02", "2025-03-01 01:02:00", None),
        both("2025-03-01T12Z", "2025-03-01 12:00:00", Some(0)),
        both("2025-03-01T1200Z", "2025-03-01 12:00:00", Some(0)),
        both("20250301T12Z", "2025-03-01 12:00:00", Some(0)),
        both("20250301T120000Z", "2025-03-01 12:00:00", Some(0)),
        both("2025-W09", "2025-02-24 00:00:00", None),
        both("2025-W09-6", "2025-03-01 00:00:00", None),
        both("2025W096T12Z", "2025-03-01 12:00:00", Some(0)),
        both("9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999", Some(0)),
        // where they are not alike
        ("2025-03-01T12:00:00+03:60", Some(("2025-03-01 12:00:00", Some(14_400))), None),
        in_filters("2025-03-01T12:00:00.1234567890Z", "2025-03-01 12:00:00.123456", Some(0)),
        in_filters("2025-3-1", "2025-03-01 00:00:00", None),
        in_filters("2025-3-1T12", "2025-03-01 12:00:00", None),
        in_filters("2025-03-01T1", "2025-03-01 01:00:00", None),
        in_filters("20250301T1:02", "2025-03-01 01:02:00", None),
        in_filters("2025-W09-6T1:02", "2025-03-01 01:02:00", None),
        // what is no time anywhere
        neither(""),
        neither("now"),
        neither("2025-03-01t12:00:00Z"),
        neither("2025-03-01T12:00:00z"),
        neither("2025-03-01T24:00:00Z"),
        neither("1740830400"),
        neither("2025-02-29"),
        neither("2025-13-01"),
        neither("2025-03-01T12:60:00Z"),
        neither("2025-03-01T12:00:60Z"),
        neither("0000-01-01"),
        neither("0000-01-01T00:00:00Z"),
        neither("2025-03-01T12:00:00+24:00"),
        neither("2025-03-01T12:00:00+23:60"),
        neither("2025-03-01T12:00:00."),
        neither("2025-03-01T12:00:00.1234567890123Z"),
        neither("12025-03-01"),
        neither("2025-03-01T"),
        neither("2025-060"),
        neither("2025-03"),
        neither(" 2025-03-01T12:00:00Z"),
        neither("2025-03-01T12:00:00Z "),
        neither("2025-03-01T12:00:00+3"),
        neither("2025-03-01\0"),
        neither("2025-W54-1"),
        neither("2025-W09-0"),
        neither("2025-03-01T12:00:00Zx"),
        neither("٢٠٢٥-03-01"),
        neither("+2025-03-01"),
    ];

    #[rstest]
    fn a_time_is_read_in_every_form_and_nothing_else_is_one(#[values(Field, Filter)] grammar: Grammar) {
        for (text, in_field, in_filter) in CASES {
            let expected = if grammar == Field { in_field } else { in_filter };
            let found = read(text, grammar).map(|(local, offset)| (local.to_string(), offset));
            let expected = expected.map(|(local, offset)| {
                (local.to_owned(), offset.map(|seconds| FixedOffset::east_opt(seconds).unwrap()))
            });
            assert_eq!(found, expected, "{text:?} as {grammar:?}");
        }
    }
}
