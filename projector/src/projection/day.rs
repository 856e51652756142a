use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;

/// The calendar day and the hour of the clocks in which a time lies: what roll-ups are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    /// The day, in the zone.
    pub day: NaiveDate,
    /// When the zone's clocks said that this hour was full; where the clocks were changed in the middle of it, when they
    /// would have said so. An hour that comes twice is two.
    pub hour: DateTime<Utc>,
}

impl When {
    /// That of `at`.
    pub fn of(zone: Tz, at: DateTime<Utc>) -> Self {
        let local = at.with_timezone(&zone);
        let into_it = TimeDelta::seconds(i64::from(local.minute() * 60 + local.second()))
            + TimeDelta::nanoseconds(local.nanosecond().into());
        Self { day: local.date_naive(), hour: at - into_it }
    }
}

/// The calendar day of a time in a zone.
pub fn day_of(zone: Tz, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Tz::UTC, "2026-11-24T23:59:59.999999Z", "2026-11-24")]
    #[case(Tz::Europe__Berlin, "2026-03-28T22:59:59Z", "2026-03-28")]
    #[case(Tz::Europe__Berlin, "2026-03-28T23:00:00Z", "2026-03-29")]
    #[case(Tz::Europe__Berlin, "2026-03-29T21:59:59Z", "2026-03-29")]
    #[case(Tz::Europe__Berlin, "2026-03-29T22:00:00Z", "2026-03-30")]
    #[case(Tz::America__New_York, "2026-11-01T03:59:59Z", "2026-10-31")]
    #[case(Tz::Asia__Kathmandu, "2026-11-24T18:15:00Z", "2026-11-25")]
    #[case(Tz::Pacific__Apia, "2011-12-30T09:59:59Z", "2011-12-29")]
    #[case(Tz::Pacific__Apia, "2011-12-30T10:00:00Z", "2011-12-31")]
    fn a_day_is_the_calendars_in_the_zone(#[case] zone: Tz, #[case] at: DateTime<Utc>, #[case] day: NaiveDate) {
        assert_eq!(day_of(zone, at), day);
    }

    #[rstest]
    #[case(Tz::UTC, "2026-11-24T23:59:59.999999Z", "2026-11-24T23:00:00Z")]
    #[case(Tz::Asia__Kathmandu, "2026-11-24T18:15:00Z", "2026-11-24T18:15:00Z")]
    #[case(Tz::Asia__Kathmandu, "2026-11-24T18:14:59Z", "2026-11-24T17:15:00Z")]
    // two o'clock comes twice
    #[case(Tz::Europe__Berlin, "2026-10-25T00:59:59Z", "2026-10-25T00:00:00Z")]
    #[case(Tz::Europe__Berlin, "2026-10-25T01:00:00Z", "2026-10-25T01:00:00Z")]
    // half past one to two comes twice; the second half hour is one of its own
    #[case(Tz::Australia__Lord_Howe, "2026-04-04T14:59:59Z", "2026-04-04T14:00:00Z")]
    #[case(Tz::Australia__Lord_Howe, "2026-04-04T15:00:00Z", "2026-04-04T14:30:00Z")]
    fn an_hour_is_that_of_the_clocks(#[case] zone: Tz, #[case] at: DateTime<Utc>, #[case] hour: DateTime<Utc>) {
        assert_eq!(When::of(zone, at), When { day: day_of(zone, at), hour });
    }

    #[test]
    fn the_ends_of_the_calendar_have_days_in_every_zone() {
        for zone in [Tz::Pacific__Kiritimati, Tz::Etc__GMTPlus12] {
            for at in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"] {
                let at: DateTime<Utc> = at.parse().unwrap();
                assert!((day_of(zone, at) - at.date_naive()).num_days().abs() <= 1);
            }
        }
    }
}
