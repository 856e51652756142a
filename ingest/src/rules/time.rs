//! Times, as liberal as the original: ISO 8601 in its extended and basic forms, and its looser cousin with one-digit
//! parts. Written out because no crate reads exactly this.

use super::{Messages, message, string};
use crate::python::Kind;
use chrono::{
    DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc, Weekday,
};
use chrono_tz::Tz;

const WRONG_FORMAT: &str =
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";
/// What is beyond the calendar.
pub(crate) const OUT_OF_RANGE: &str = "Datetime value out of range.";

/// A time, null or absent; naive ones are in `zone`.
pub(crate) fn optional(json: Option<&str>, zone: Tz) -> Result<Option<DateTime<Utc>>, Messages> {
    match json.map(Kind::of) {
        None | Some(Kind::Null) => Ok(None),
        Some(Kind::Str) => parse(&string(json.unwrap_or_default()).0, zone).map(Some),
        Some(_) => message(WRONG_FORMAT),
    }
}

/// Whether a time has a year of four digits, here and where it will be shown.
pub(crate) fn is_in_range(time: DateTime<Utc>, zone: Tz) -> bool {
    [time.year(), time.with_timezone(&zone).year()].iter().all(|year| (1..=9999).contains(year))
}

fn parse(text: &str, zone: Tz) -> Result<DateTime<Utc>, Messages> {
    let Some((naive, offset)) = split(text) else { return message(WRONG_FORMAT) };
    let utc = match offset {
        Some(offset) => naive.checked_sub_offset(offset).map(|utc| utc.and_utc()),
        None => match zone.from_local_datetime(&naive) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.to_utc()),
            LocalResult::None => return message(format!("Invalid datetime for the timezone \"{zone}\".")),
        },
    };
    match utc.filter(|time| is_in_range(*time, zone)) {
        Some(time) => Ok(time),
        None => message(OUT_OF_RANGE),
    }
}

/// The parts of a time, if it is written in any accepted form.
fn split(text: &str) -> Option<(NaiveDateTime, Option<FixedOffset>)> {
    let mut reader = Reader { rest: text.as_bytes(), extended: true, loose: false };
    let date = reader.date()?;
    if reader.rest.is_empty() {
        return (!reader.loose).then(|| (date.and_time(NaiveTime::MIN), None));
    }
    if !reader.eat(b'T') && !reader.eat(b' ') {
        return None;
    }
    let time = reader.time()?;
    if reader.loose && !reader.extended {
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
    /// A calendar date with hyphens and a time with colons, minutes at least.
    extended: bool,
    /// A part had one digit where two are usual, which goes with the extended form alone.
    loose: bool,
}

impl Reader<'_> {
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
        if !(1..=9).contains(&digits) {
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
        // minutes up to 99 are read, as long as it is less than a day
        FixedOffset::east_opt(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2025-03-01T12:00:00Z", "2025-03-01T12:00:00Z")]
    #[case("2025-03-01 12:00:00+03:30", "2025-03-01T08:30:00Z")]
    #[case("2025-03-01T12:00:00-0330", "2025-03-01T15:30:00Z")]
    #[case("2025-03-01T12:00:00+03", "2025-03-01T09:00:00Z")]
    #[case("2025-03-01T12:00", "2025-03-01T11:00:00Z")]
    #[case("2025-07-01T12:00:00", "2025-07-01T10:00:00Z")]
    #[case("2025-03-01T12:00:00.1234569Z", "2025-03-01T12:00:00.123456Z")]
    #[case("2025-03-01T12:00:00.5Z", "2025-03-01T12:00:00.500Z")]
    #[case("2025-03-01", "2025-02-28T23:00:00Z")]
    #[case("2025-3-1T1:2:3Z", "2025-03-01T01:02:03Z")]
    #[case("2025-03-01T12:00:00 Z", "2025-03-01T12:00:00Z")]
    #[case("2025-03-01T12:00:00,5Z", "2025-03-01T12:00:00.500Z")]
    #[case("2025-03-01T12:00:00.123456789Z", "2025-03-01T12:00:00.123456Z")]
    #[case("2025-03-01T12:00:00+03:60", "2025-03-01T08:00:00Z")]
    #[case("2025-03-01T12Z", "2025-03-01T12:00:00Z")]
    #[case("2025-03-01T1200Z", "2025-03-01T12:00:00Z")]
    #[case("20250301T12Z", "2025-03-01T12:00:00Z")]
    #[case("2025-W09", "2025-02-23T23:00:00Z")]
    #[case("2025-3-1 1:02", "2025-03-01T00:02:00Z")]
    #[case("20250301T120000Z", "2025-03-01T12:00:00Z")]
    #[case("2025-W09-6", "2025-02-28T23:00:00Z")]
    #[case("2025W096T12Z", "2025-03-01T12:00:00Z")]
    #[case("9999-12-31T22:59:59.999999Z", "9999-12-31T22:59:59.999999Z")]
    fn a_time_is_read_in_every_form(#[case] text: &str, #[case] utc: &str) {
        let expected = DateTime::parse_from_rfc3339(utc).unwrap().to_utc();
        assert_eq!(parse(text, Tz::Europe__Berlin), Ok(expected), "{text}");
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
            "2025-13-01",
            "2025-03-01T12:60:00Z",
            "2025-03-01T12:00:60Z",
            "0000-01-01T00:00:00Z",
            "2025-03-01T12:00:00+24:00",
            "2025-03-01T12:00:00.",
            "2025-03-01T12:00:00.1234567890Z",
            "12025-03-01",
            "2025-03-01T",
            "2025-3-1",
            "2025-3-1T12",
            "2025-03-01T1",
            "20250301T1:02",
            "2025-W09-6T1:02",
            "2025-060",
            "2025-03",
            " 2025-03-01T12:00:00Z",
            "2025-03-01T12:00:00Z ",
            "2025-03-01T12:00:00+3",
            "2025-03-01T12:00:00+23:60",
            "2025-03-01\0",
            "2025-W54-1",
            "2025-W09-0",
            "2025-03-01T12:00:00Zx",
            "٢٠٢٥-03-01",
            "+2025-03-01"
        )]
        text: &str,
    ) {
        assert_eq!(parse(text, Tz::UTC), message(WRONG_FORMAT), "{text}");
    }

    #[test]
    fn the_calendar_has_ends() {
        assert_eq!(parse("9999-12-31T23:59:59-05:00", Tz::UTC), message(OUT_OF_RANGE));
        // it would be shown in the year 10000, or 0
        assert_eq!(parse("9999-12-31T23:59:59Z", Tz::Asia__Tehran), message(OUT_OF_RANGE));
        assert_eq!(parse("0001-01-01T00:00:00Z", Tz::America__New_York), message(OUT_OF_RANGE));
        assert_eq!(parse("0001-01-01T00:00:00+05:00", Tz::UTC), message(OUT_OF_RANGE));
    }

    #[test]
    fn an_hour_that_summer_time_skips_is_refused_and_one_that_it_repeats_is_the_first() {
        let skipped = parse("2025-03-30T02:30:00", Tz::Europe__Berlin);
        assert_eq!(skipped, message("Invalid datetime for the timezone \"Europe/Berlin\"."));
        let repeated = parse("2025-10-26T02:30:00", Tz::Europe__Berlin).unwrap();
        assert_eq!(repeated.to_rfc3339(), "2025-10-26T00:30:00+00:00");
    }

    #[rstest]
    #[case(None, Ok(None))]
    #[case(Some("null"), Ok(None))]
    #[case(Some("\"\""), Err(WRONG_FORMAT))]
    #[case(Some("5"), Err(WRONG_FORMAT))]
    #[case(Some("true"), Err(WRONG_FORMAT))]
    fn nothing_is_no_time_and_other_values_are_wrong(
        #[case] json: Option<&str>,
        #[case] expected: Result<Option<DateTime<Utc>>, &str>,
    ) {
        assert_eq!(optional(json, Tz::UTC), expected.map_err(|message| vec![message.to_owned()]));
    }
}
