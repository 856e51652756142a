//! Times, as liberal as the original.

use super::{Messages, message, string};
use crate::python::Kind;
use chrono::{DateTime, Datelike, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use service::iso_time::{self, Grammar};

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
    let Some((naive, offset)) = iso_time::read(text, Grammar::Field) else { return message(WRONG_FORMAT) };
    let utc = match offset {
        Some(offset) => naive.checked_sub_offset(offset).map(|utc| utc.and_utc()),
        None => local(naive, zone),
    };
    match utc.filter(|time| is_in_range(*time, zone)) {
        Some(time) => Ok(time),
        None => message(OUT_OF_RANGE),
    }
}

/// A time of the zone, the earlier one where there are two. One that a change of the clocks skips is taken with the
/// offset before it, as in the original.
fn local(naive: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&naive) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.to_utc()),
        LocalResult::None => {
            // no zone has ever skipped more than a day
            let mut before = (1..=48).filter_map(|hours| naive.checked_sub_signed(TimeDelta::hours(hours)));
            let offset = before.find_map(|before| zone.offset_from_local_datetime(&before).latest())?;
            naive.checked_sub_offset(offset.fix()).map(|utc| utc.and_utc())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2025-03-01T12:00:00+03:30", "2025-03-01T08:30:00Z")]
    #[case("2025-03-01T12:00", "2025-03-01T11:00:00Z")]
    #[case("2025-07-01T12:00:00.5", "2025-07-01T10:00:00.500Z")]
    #[case("2025-03-01", "2025-02-28T23:00:00Z")]
    #[case("9999-12-31T22:59:59.999999Z", "9999-12-31T22:59:59.999999Z")]
    fn a_time_without_an_offset_is_the_zones(#[case] text: &str, #[case] utc: &str) {
        let expected = DateTime::parse_from_rfc3339(utc).unwrap().to_utc();
        assert_eq!(parse(text, Tz::Europe__Berlin), Ok(expected), "{text}");
    }

    #[rstest]
    fn what_is_no_time_is_refused(#[values("", "now", "2025-02-29", "2025-3-1", "2025-03-01T24:00:00Z")] text: &str) {
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
    fn an_hour_that_summer_time_skips_has_the_offset_before_and_one_that_it_repeats_is_the_first() {
        for (skipped, zone, utc) in [
            ("2025-03-30T02:30:00", Tz::Europe__Berlin, "2025-03-30T01:30:00+00:00"),
            ("2022-03-22", Tz::Asia__Tehran, "2022-03-21T20:30:00+00:00"),
            // a whole day that never was
            ("2011-12-30T12:00:00", Tz::Pacific__Apia, "2011-12-30T22:00:00+00:00"),
        ] {
            assert_eq!(parse(skipped, zone).unwrap().to_rfc3339(), utc, "{skipped}");
        }
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
