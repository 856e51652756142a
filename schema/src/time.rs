use chrono::{DateTime, Utc};

/// Cuts a time to whole microseconds, the finest that PostgreSQL keeps and the contract shows.
pub fn to_micros(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(time.timestamp_micros()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_cut_not_rounded() {
        let fine = DateTime::parse_from_rfc3339("2026-11-24T10:00:00.123456999Z").unwrap().to_utc();
        assert_eq!(to_micros(fine).to_rfc3339(), "2026-11-24T10:00:00.123456+00:00");
    }

    #[test]
    fn the_ends_of_the_calendar_are_cut_too() {
        for text in ["0001-01-01T00:00:00.0000019Z", "9999-12-31T23:59:59.9999999Z"] {
            let cut = to_micros(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
            assert_eq!(cut.timestamp_subsec_nanos() % 1000, 0, "{text}");
        }
    }
}
