//! Where a calendar day begins and ends.

use chrono::{DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// The first moment of a day in the zone, and that of the day after.
pub(super) fn bounds(day: NaiveDate, zone: Tz) -> (DateTime<Utc>, DateTime<Utc>) {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    (first_moment(day.and_time(NaiveTime::MIN), zone), first_moment(next.and_time(NaiveTime::MIN), zone))
}

/// The moment at which the clocks of the zone show this time or, where they skip it, the first later one.
fn first_moment(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(moment) | MappedLocalTime::Ambiguous(moment, _) => moment.to_utc(),
        // Offsets change by a day at most, so half a day before and a whole one after lie on both sides of the gap;
        // what shows less than the time in question is before it.
        MappedLocalTime::None => {
            let (mut before, mut after) = (local.and_utc() - TimeDelta::days(2), local.and_utc() + TimeDelta::days(2));
            while after - before > TimeDelta::seconds(1) {
                let middle = before + (after - before) / 2;
                if middle.with_timezone(&zone).naive_local() < local { before = middle } else { after = middle }
            }
            after - TimeDelta::nanoseconds(i64::from(after.timestamp_subsec_nanos()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::utc(Tz::UTC, "2026-11-24", "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z")]
    #[case::short(Tz::Europe__Berlin, "2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]
    #[case::long(Tz::Europe__Berlin, "2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")]
    #[case::without_midnight(Tz::America__Sao_Paulo, "2018-11-04", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z")]
    #[case::midnight_twice(Tz::America__Havana, "2026-11-01", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")]
    #[case::skipped(Tz::Pacific__Apia, "2011-12-30", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z")]
    #[case::last(Tz::UTC, "9999-12-31", "9999-12-31T00:00:00Z", "+10000-01-01T00:00:00Z")]
    fn a_day_is_the_calendars(#[case] zone: Tz, #[case] day: NaiveDate, #[case] from: &str, #[case] to: &str) {
        let (found_from, found_to) = bounds(day, zone);
        let show = |moment: DateTime<Utc>| moment.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        assert_eq!((show(found_from).as_str(), show(found_to).as_str()), (from, to));
    }
}
