//! A moment, as the original's forms read it.

use super::formats;
use chrono::{DateTime, FixedOffset, MappedLocalTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use service::iso_time::{self, Grammar};

const INVALID: &str = "Enter a valid date/time.";

/// A moment; the zone's clocks show times without an offset. A time that they do not show, or show twice, is refused
/// as the original refuses it.
pub(crate) fn read(text: &str, zone: Tz) -> Result<DateTime<Utc>, String> {
    let (local, offset) = iso_time::read(text, Grammar::Filter)
        .or_else(|| Some((formats::date_time(text)?, None)))
        .ok_or_else(|| INVALID.to_owned())?;
    match offset {
        Some(offset) => with_offset(local, offset).ok_or_else(|| INVALID.to_owned()),
        None => match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(moment) => Ok(moment.to_utc()),
            MappedLocalTime::None | MappedLocalTime::Ambiguous(..) => Err(format!(
                "{} couldn’t be interpreted in time zone {zone}; it may be ambiguous or it may not exist.",
                shown(local)
            )),
        },
    }
}

fn with_offset(local: NaiveDateTime, offset: FixedOffset) -> Option<DateTime<Utc>> {
    local.checked_sub_offset(offset).map(|utc| utc.and_utc())
}

/// As Python prints it: no decimals, or six.
fn shown(local: NaiveDateTime) -> String {
    let decimals =
        if local.and_utc().timestamp_subsec_micros() == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.6f" };
    local.format(decimals).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2025-03-01T12:00:00Z", "2025-03-01T12:00:00Z")]
    #[case("2025-03-01T12:00:00+03:30", "2025-03-01T08:30:00Z")]
    #[case("2025-03-01", "2025-02-28T23:00:00Z")]
    #[case("2025-03-01 12:30", "2025-03-01T11:30:00Z")]
    #[case("2025-07-01 12:30:15.25", "2025-07-01T10:30:15.250Z")]
    #[case("03/01/2025", "2025-02-28T23:00:00Z")]
    #[case("3/1/2025 12:30:15", "2025-03-01T11:30:15Z")]
    #[case("0001-01-01T00:00:00+05:00", "0000-12-31T19:00:00Z")]
    fn a_moment_is_read_in_the_zone(#[case] text: &str, #[case] utc: &str) {
        let expected: DateTime<Utc> = utc.parse().unwrap();
        assert_eq!(read(text, Tz::Europe__Berlin), Ok(expected), "{text}");
    }

    #[rstest]
    #[case("yesterday", INVALID)]
    #[case("2025-13-01", INVALID)]
    #[case("2025-03-01T12:00:00 03:30", INVALID)]
    #[case("1740830400", INVALID)]
    #[case("2025-03-01\0", INVALID)]
    #[case(
        "2025-03-30T02:30:00",
        "2025-03-30 02:30:00 couldn’t be interpreted in time zone Europe/Berlin; it may be ambiguous or it may not exist."
    )]
    #[case(
        "10/26/2025 02:30:00.5",
        "2025-10-26 02:30:00.500000 couldn’t be interpreted in time zone Europe/Berlin; it may be ambiguous or it may not exist."
    )]
    fn what_is_no_moment_is_refused(#[case] text: &str, #[case] message: &str) {
        assert_eq!(read(text, Tz::Europe__Berlin), Err(message.to_owned()), "{text}");
    }
}
