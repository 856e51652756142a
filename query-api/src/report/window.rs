//! Calendar days.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// Days that a report has at most.
pub(crate) const MOST_DAYS: u16 = 400;

/// Whole calendar days, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

impl Window {
    /// Today and the days before it, `days` in all.
    pub fn of_last(days: u16, today: NaiveDate) -> Self {
        let first = today.checked_sub_days(Days::new(u64::from(days.max(1)) - 1)).unwrap_or(today);
        Self { first, last: today }
    }

    /// As many days, right before these.
    #[must_use]
    pub fn before(self) -> Self {
        let length = Days::new(self.length().into());
        let earlier = |day: NaiveDate| day.checked_sub_days(length).unwrap_or(day);
        Self { first: earlier(self.first), last: earlier(self.last) }
    }

    /// How many days.
    pub fn length(self) -> u16 {
        u16::try_from((self.last - self.first).num_days() + 1).unwrap_or(u16::MAX)
    }

    /// Every day, oldest first.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> + Clone {
        self.first.iter_days().take_while(move |day| *day <= self.last)
    }
}

/// The day that it is now.
pub(crate) fn today(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// The first moment of a day in the zone, with its offset; where summer time skips midnight, the first one after it.
pub(crate) fn start(day: NaiveDate, zone: Tz) -> String {
    first_moment(day, zone).map_or_else(|| day.to_string(), |time| time.to_rfc3339())
}

fn first_moment(day: NaiveDate, zone: Tz) -> Option<DateTime<Tz>> {
    let mut quarters = (0..12).map(|quarter| TimeDelta::minutes(15 * quarter));
    quarters.find_map(|later| zone.from_local_datetime(&(day.and_time(NaiveTime::MIN) + later)).earliest())
}

/// When each hour of a day begins by the zone's clocks: as the projector counts them, a change of the clocks in the
/// middle of an hour begins another one, which is named by when it would have been full.
pub(crate) fn hours(day: NaiveDate, zone: Tz) -> Vec<DateTime<Utc>> {
    let mut hours = Vec::new();
    let mut at = first_moment(day, zone);
    while let Some(local) = at.filter(|at| at.date_naive() == day) {
        let into_it = TimeDelta::seconds(i64::from(local.minute() * 60 + local.second()));
        let hour = (local - into_it).to_utc();
        if hours.last() != Some(&hour) {
            hours.push(hour);
        }
        // no change of clocks is shorter
        at = Some(local + TimeDelta::minutes(15));
    }
    hours
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn seven_whole_days_of_the_zone_today_included() {
        let now = "2026-11-23T23:30:00Z".parse().unwrap();
        let window = Window::of_last(7, today(now, Tz::Europe__Berlin));
        assert_eq!((window.first, window.last), (day("2026-11-18"), day("2026-11-24")));
        assert_eq!((window.days().count(), window.length()), (7, 7));
    }

    #[test]
    fn the_period_before_has_as_many_days_and_ends_where_the_other_begins() {
        let before = Window::of_last(7, day("2026-11-25")).before();
        assert_eq!((before.first, before.last), (day("2026-11-12"), day("2026-11-18")));
        let before = Window::of_last(1, day("2026-03-01")).before();
        assert_eq!((before.first, before.last), (day("2026-02-28"), day("2026-02-28")));
    }

    #[test]
    fn hours_are_those_of_the_clocks() {
        for (day, zone, count) in [
            ("2026-11-24", Tz::UTC, 24),
            ("2026-11-24", Tz::Asia__Kathmandu, 24),
            ("2026-03-29", Tz::Europe__Berlin, 23),
            ("2026-10-25", Tz::Europe__Berlin, 25),
            ("2026-04-05", Tz::Australia__Lord_Howe, 25),
            ("2026-10-04", Tz::Australia__Lord_Howe, 24),
            ("2018-11-04", Tz::America__Sao_Paulo, 23),
        ] {
            let found = hours(self::day(day), zone);
            assert_eq!(found.len(), count, "{day} in {zone}: {found:?}");
            assert!(found.is_sorted(), "{found:?}");
        }
    }

    #[test]
    fn a_day_starts_with_its_zones_offset_even_where_midnight_is_skipped() {
        assert_eq!(start(day("2026-11-23"), Tz::UTC), "2026-11-23T00:00:00+00:00");
        assert_eq!(start(day("2026-07-01"), Tz::Europe__Berlin), "2026-07-01T00:00:00+02:00");
        assert_eq!(start(day("2018-11-04"), Tz::America__Sao_Paulo), "2018-11-04T01:00:00-02:00");
    }
}
