//! The report's numbers: a pure function of the roll-ups' rows.

use super::rows::Rows;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

/// Whole calendar days, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
}

impl Window {
    /// Today in the zone and the six days before it.
    pub fn of_seven_days(now: DateTime<Utc>, zone: Tz) -> Self {
        let last = now.with_timezone(&zone).date_naive();
        Self { first: last.checked_sub_days(Days::new(6)).unwrap_or(last), last }
    }

    /// Every day, oldest first.
    pub fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.first.iter_days().take_while(move |day| *day <= self.last)
    }
}

/// What `/report/data/` answers: the keys and items of the original, then what Footfall adds.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Report {
    /// Interactions by type, by type name.
    pub interaction_data: Vec<OfType>,
    /// Interactions a day, newest first, days without any missing.
    pub timestamps_data: Vec<OfDay>,
    /// Page views a day, with their URLs.
    pub page_views: Vec<PageViewsOfDay>,
    /// Mean durations of the sessions that have an end.
    pub start_end_times_data: Vec<DurationOfDay>,
    /// All sessions by browser, most used first.
    pub browser_data: Vec<OfBrowser>,
    /// Ours: sessions a day.
    pub sessions_data: Vec<OfDay>,
    /// Ours: how many URLs of a day are not listed above.
    pub urls_left_out: Vec<OfDay>,
    /// Ours: when this was read.
    pub as_of: String,
    /// Ours: when the newest event in it was taken; null before the first one.
    pub newest_event_at: Option<String>,
}

/// A count of a type of interaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfType {
    pub interaction: String,
    pub count: i64,
}

/// A count of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfDay {
    pub day: String,
    pub count: i64,
    pub timestamp: String,
}

/// Page views of a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PageViewsOfDay {
    pub day: String,
    pub count: i64,
    pub timestamp: String,
    pub urls: Vec<OfUrl>,
}

/// Page views of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfUrl {
    pub url: String,
    pub count: i64,
}

/// Mean duration of a day's sessions, in whole minutes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DurationOfDay {
    pub day: String,
    pub duration: String,
    pub count: i64,
    pub timestamp: String,
}

/// Sessions of a browser.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct OfBrowser {
    pub browser: String,
    pub count: i64,
    pub percentage: f64,
}

impl Report {
    /// Puts the rows into the shape of the contract.
    pub(crate) fn of(rows: Rows, window: Window, zone: Tz, now: DateTime<Utc>) -> Self {
        debug_assert!(rows.sessions.iter().all(|row| (window.first..=window.last).contains(&row.day)));
        let of_day = |day: NaiveDate, count| OfDay { day: name(day), count, timestamp: start(day, zone) };
        let total: i64 = rows.browsers.iter().map(|(_, count)| count).sum();
        let mut page_views = Vec::new();
        let mut left_out = Vec::new();
        let mut urls = rows.urls.into_iter().peekable();
        for row in rows.page_views_by_day {
            let mut listed = Vec::new();
            while let Some((_, url, count)) = urls.next_if(|(day, ..)| *day == row.day) {
                listed.push(OfUrl { url, count });
            }
            left_out.push(of_day(row.day, row.urls - i64::try_from(listed.len()).unwrap_or(row.urls)));
            let OfDay { day, count, timestamp } = of_day(row.day, row.page_views);
            page_views.push(PageViewsOfDay { day, count, timestamp, urls: listed });
        }
        let ended = rows.sessions.iter().filter(|row| row.ended > 0);
        Self {
            interaction_data: rows
                .interactions_by_type
                .into_iter()
                .map(|(interaction, count)| OfType { interaction, count })
                .collect(),
            timestamps_data: newest_first(rows.interactions_by_day.into_iter().map(|(day, n)| of_day(day, n))),
            page_views: newest_first(page_views),
            start_end_times_data: newest_first(ended.map(|row| DurationOfDay {
                day: name(row.day),
                duration: row.mean_minutes.clone(),
                count: row.ended,
                timestamp: start(row.day, zone),
            })),
            browser_data: rows
                .browsers
                .into_iter()
                .map(|(browser, count)| OfBrowser { browser, count, percentage: percentage(count, total) })
                .collect(),
            sessions_data: newest_first(rows.sessions.iter().map(|row| of_day(row.day, row.sessions))),
            urls_left_out: newest_first(left_out),
            as_of: service::time_format::show(schema::to_micros(now), zone),
            newest_event_at: rows.newest_event_at.map(|time| service::time_format::show(time, zone)),
        }
    }
}

fn newest_first<T>(days: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut days: Vec<T> = days.into_iter().collect();
    days.reverse();
    days
}

fn name(day: NaiveDate) -> String {
    day.format("%A").to_string()
}

/// The first moment of a day in the zone, with its offset; where summer time skips midnight, the first one after it.
pub(crate) fn start(day: NaiveDate, zone: Tz) -> String {
    let mut quarters = (0..12).map(|quarter| TimeDelta::minutes(15 * quarter));
    let first = quarters.find_map(|later| zone.from_local_datetime(&(day.and_time(NaiveTime::MIN) + later)).earliest());
    first.map_or_else(|| day.to_string(), |time| time.to_rfc3339())
}

/// Of `total`, with two decimals.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn percentage(count: i64, total: i64) -> f64 {
    if total == 0 { 0.0 } else { (count as f64 * 10_000.0 / total as f64).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::super::rows::{DayOfPageViews, DayOfSessions};
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn seven_whole_days_of_the_zone_today_included() {
        let now = "2026-11-23T23:30:00Z".parse().unwrap();
        let window = Window::of_seven_days(now, Tz::Europe__Berlin);
        assert_eq!((window.first, window.last), (day("2026-11-18"), day("2026-11-24")));
        assert_eq!(window.days().count(), 7);
    }

    #[test]
    fn a_day_starts_with_its_zones_offset_even_where_midnight_is_skipped() {
        assert_eq!(start(day("2026-11-23"), Tz::UTC), "2026-11-23T00:00:00+00:00");
        assert_eq!(start(day("2026-07-01"), Tz::Europe__Berlin), "2026-07-01T00:00:00+02:00");
        assert_eq!(start(day("2018-11-04"), Tz::America__Sao_Paulo), "2018-11-04T01:00:00-02:00");
    }

    #[test]
    fn the_numbers_have_the_shape_of_the_contract() {
        let (monday, tuesday) = (day("2026-11-23"), day("2026-11-24"));
        let rows = Rows {
            interactions_by_type: vec![("click".into(), 3), ("keypress".into(), 1)],
            interactions_by_day: vec![(monday, 3), (tuesday, 1)],
            page_views_by_day: vec![DayOfPageViews { day: monday, page_views: 9, urls: 5 }],
            urls: vec![(monday, "http://a.example/".into(), 4), (monday, "http://b.example/".into(), 3)],
            sessions: vec![
                DayOfSessions { day: monday, sessions: 3, ended: 2, mean_minutes: "7".into() },
                DayOfSessions { day: tuesday, sessions: 1, ended: 0, mean_minutes: "0".into() },
            ],
            browsers: vec![("Chrome".into(), 2), ("Unknown".into(), 1)],
            newest_event_at: None,
        };
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let report = Report::of(rows, Window::of_seven_days(now, Tz::UTC), Tz::UTC, now);
        let json = serde_json::to_string(&report).unwrap();
        let (monday, tuesday) = ("2026-11-23T00:00:00+00:00", "2026-11-24T00:00:00+00:00");
        let expected = [
            r#""interaction_data":[{"interaction":"click","count":3},{"interaction":"keypress","count":1}]"#.to_owned(),
            format!(r#""timestamps_data":[{{"day":"Tuesday","count":1,"timestamp":"{tuesday}"}},{{"day":"Monday","count":3,"timestamp":"{monday}"}}]"#),
            format!(r#""page_views":[{{"day":"Monday","count":9,"timestamp":"{monday}","urls":[{{"url":"http://a.example/","count":4}},{{"url":"http://b.example/","count":3}}]}}]"#),
            format!(r#""start_end_times_data":[{{"day":"Monday","duration":"7","count":2,"timestamp":"{monday}"}}]"#),
            r#""browser_data":[{"browser":"Chrome","count":2,"percentage":66.67},{"browser":"Unknown","count":1,"percentage":33.33}]"#.to_owned(),
            format!(r#""urls_left_out":[{{"day":"Monday","count":3,"timestamp":"{monday}"}}]"#),
        ];
        for part in expected {
            assert!(json.contains(&part), "{part}\nis not in\n{json}");
        }
    }
}
