//! Times as the contract shows them.

use chrono::{DateTime, Offset, SecondsFormat, Timelike, Utc};
use chrono_tz::Tz;

/// `YYYY-MM-DDThh:mm:ss[.ffffff]` and `Z` when the zone is UTC, else its offset; six decimals or none (contract § 2).
pub fn show(time: DateTime<Utc>, zone: Tz) -> String {
    let decimals = if time.nanosecond() / 1_000 == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    if zone == Tz::UTC {
        time.to_rfc3339_opts(decimals, true)
    } else {
        let local = time.with_timezone(&zone);
        if local.offset().fix().local_minus_utc() % 60 == 0 {
            return local.to_rfc3339_opts(decimals, false);
        }
        // before there was standard time, offsets had seconds; without them this would be another moment
        let decimals = if decimals == SecondsFormat::Secs { "" } else { "%.6f" };
        local.format(&format!("%Y-%m-%dT%H:%M:%S{decimals}%::z")).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2026-07-01T10:00:00Z", Tz::UTC, "2026-07-01T10:00:00Z")]
    #[case("2026-07-01T10:00:00.5Z", Tz::UTC, "2026-07-01T10:00:00.500000Z")]
    #[case("2026-07-01T10:00:00Z", Tz::Europe__Berlin, "2026-07-01T12:00:00+02:00")]
    #[case("2026-01-01T10:00:00Z", Tz::Asia__Tehran, "2026-01-01T13:30:00+03:30")]
    #[case("1850-01-01T00:00:00Z", Tz::Europe__Berlin, "1850-01-01T00:53:28+00:53:28")]
    #[case("1850-01-01T00:00:00.25Z", Tz::Asia__Tehran, "1850-01-01T03:25:44.250000+03:25:44")]
    #[case("0001-01-01T00:00:00Z", Tz::Asia__Tehran, "0001-01-01T03:25:44+03:25:44")]
    fn a_time_is_shown_in_the_zone(#[case] utc: &str, #[case] zone: Tz, #[case] shown: &str) {
        assert_eq!(show(DateTime::parse_from_rfc3339(utc).unwrap().to_utc(), zone), shown);
    }
}
