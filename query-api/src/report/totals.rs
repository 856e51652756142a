//! Numbers of a day and of all days: sums, means, medians, shares.

use super::{
    rows::{Day, Days},
    window::Window,
};
use chrono::NaiveDate;
use schema::durations;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What the numbers of one or several days come to. Durations are in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Totals {
    pub page_views: i64,
    pub sessions: i64,
    pub interactions: i64,
    /// Sessions with an end.
    pub ended: i64,
    /// Of those; null when there are none.
    pub mean_seconds: Option<f64>,
    /// Of those, exact to half a second or 5 %; null when there are none, and where a filter cannot be followed.
    pub median_seconds: Option<f64>,
    /// Page views of these sessions, on whatever day, by the number of sessions; null when there are none.
    pub pages_per_session: Option<f64>,
    /// Sessions with one page view, of all sessions.
    pub single_page_percentage: Option<f64>,
}

/// The same of one day.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct DayNumbers {
    #[schema(value_type = String, format = Date)]
    pub date: NaiveDate,
    #[serde(flatten)]
    pub totals: Totals,
}

impl Totals {
    /// Over all of these days.
    pub(crate) fn of(days: &Days) -> Self {
        Self::sum(days.values())
    }

    /// Over some days.
    pub(crate) fn sum<'a>(days: impl Iterator<Item = &'a Day>) -> Self {
        let mut totals = Self::default();
        let (mut duration_us, mut viewed, mut single_page) = (0, 0, 0);
        let mut classes: BTreeMap<i16, i64> = BTreeMap::new();
        for day in days {
            totals.page_views += day.page_views;
            totals.sessions += day.sessions;
            totals.interactions += day.interactions.values().sum::<i64>();
            totals.ended += day.ended;
            duration_us += day.duration_us;
            viewed += day.viewed;
            single_page += day.single_page;
            for (class, sessions) in &day.classes {
                *classes.entry(*class).or_default() += sessions;
            }
        }
        totals.mean_seconds = ratio(seconds(duration_us), totals.ended).map(|mean| rounded(mean, 10.0).max(0.0));
        totals.median_seconds = median(&classes);
        totals.pages_per_session = ratio(float(viewed), totals.sessions).map(|pages| rounded(pages, 100.0));
        totals.single_page_percentage = (totals.sessions > 0).then(|| percentage(single_page, totals.sessions));
        totals
    }
}

impl DayNumbers {
    /// Every day of the window, oldest first; one on which nothing happened is zeros.
    pub(crate) fn all(days: &Days, window: Window) -> Vec<Self> {
        let of = |date: NaiveDate| Self { date, totals: Totals::sum(days.get(&date).into_iter()) };
        window.days().map(of).collect()
    }
}

impl std::ops::Deref for DayNumbers {
    type Target = Totals;

    fn deref(&self) -> &Totals {
        &self.totals
    }
}

/// The middle of the class in which the session in the middle lies.
fn median(classes: &BTreeMap<i16, i64>) -> Option<f64> {
    let all: i64 = classes.values().sum();
    let mut before = 0;
    classes.iter().find_map(|(class, sessions)| {
        before += sessions;
        (before * 2 > all || (before * 2 == all && all > 0)).then(|| durations::middle_of(*class))
    })
}

/// Of `total`, with two decimals.
pub(crate) fn percentage(count: i64, total: i64) -> f64 {
    ratio(float(count), total).map_or(0.0, |share| rounded(share * 100.0, 100.0))
}

/// By how much something has grown, in per cent; nothing to say when there was nothing.
pub(crate) fn growth(now: f64, before: f64) -> Option<f64> {
    (before > 0.0).then(|| (now - before) / before * 100.0)
}

fn ratio(sum: f64, of: i64) -> Option<f64> {
    (of > 0).then(|| sum / float(of))
}

fn rounded(number: f64, by: f64) -> f64 {
    (number * by).round() / by
}

#[expect(clippy::cast_precision_loss, reason = "a mean of them is rounded to a tenth of a second")]
fn seconds(microseconds: i128) -> f64 {
    microseconds as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn float(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_median_is_that_of_the_session_in_the_middle() {
        let of = |classes: &[(i16, i64)]| median(&classes.iter().copied().collect());
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(0, 1)]), Some(0.5));
        assert_eq!(of(&[(3, 1), (9, 1)]), Some(3.5), "the lower one of two");
        assert_eq!(of(&[(3, 1), (5, 1), (9, 1)]), Some(5.5));
        assert_eq!(of(&[(3, 10), (118, 9)]), Some(3.5));
        assert_eq!(of(&[(3, 1), (118, 9)]), Some(172_800.0));
    }

    #[test]
    fn numbers_of_several_days_are_not_means_of_means() {
        let of = |sessions, ended, seconds: i128, viewed, single_page| Day {
            sessions,
            ended,
            duration_us: seconds * 1_000_000,
            viewed,
            single_page,
            ..Day::default()
        };
        let days = Days::from([(day("2026-11-23"), of(9, 3, 30, 18, 3)), (day("2026-11-25"), of(1, 1, 1_000, 7, 0))]);
        let totals = Totals::of(&days);
        assert_eq!((totals.sessions, totals.ended, totals.mean_seconds), (10, 4, Some(257.5)));
        assert_eq!((totals.pages_per_session, totals.single_page_percentage), (Some(2.5), Some(30.0)));
        let all = DayNumbers::all(&days, Window { first: day("2026-11-23"), last: day("2026-11-25") });
        assert_eq!(all.iter().map(|day| day.sessions).collect::<Vec<_>>(), [9, 0, 1]);
        assert_eq!(all[1].totals, Totals::default());
    }

    #[test]
    fn a_mean_below_zero_is_zero_and_shares_of_nothing_are_none() {
        let below = Day { sessions: 1, ended: 1, duration_us: -600_000_000, ..Day::default() };
        assert_eq!(Totals::sum([below].iter()).mean_seconds, Some(0.0));
        assert_eq!((percentage(1, 3), percentage(0, 0)), (33.33, 0.0));
        assert_eq!((growth(12.0, 10.0), growth(1.0, 0.0)), (Some(20.0), None));
    }
}
