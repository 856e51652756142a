//! The report as a page.

use super::{
    Report,
    chart::{Bar, columns, grouped},
    model::{OfDay, Window},
};
use askama::Template;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::HashMap;

#[derive(Template)]
#[template(path = "report.html")]
pub(crate) struct Page<'a> {
    base: &'a str,
    name: Option<&'a str>,
    /// Of the form that signs out.
    token: String,
    zone: String,
    first: String,
    last: String,
    as_of: String,
    newest: String,
    totals: Vec<(&'static str, String)>,
    days: Vec<Day<'a>>,
    charts: Charts,
    report: &'a Report,
    /// The report's numbers, safe inside of a script element.
    data: String,
}

struct Charts {
    page_views: String,
    sessions: String,
    interactions: String,
    durations: String,
}

/// A day's numbers, in the tables.
struct Day<'a> {
    label: String,
    today: bool,
    page_views: i64,
    sessions: i64,
    interactions: i64,
    /// Mean, in minutes; none when no session of the day has ended.
    minutes: Option<&'a str>,
}

impl<'a> Page<'a> {
    pub fn new(report: &'a Report, base: &'a str, zone: Tz, name: Option<&'a str>, token: String) -> Self {
        let now: DateTime<Utc> = report.as_of.parse().unwrap_or_default();
        let window = Window::of_seven_days(now, zone);
        let days = days(report, window, zone);
        let sum = |pick: fn(&Day<'_>) -> i64| grouped(days.iter().map(pick).sum());
        let chart = |title: &str, unit: &str, pick: fn(&Day<'_>) -> i64| {
            let bar = |day: &Day<'_>| Bar { label: day.label.clone(), value: pick(day), unfinished: day.today };
            columns(&days.iter().map(bar).collect::<Vec<_>>(), title, unit)
        };
        let minutes = |day: &Day<'_>| day.minutes.and_then(|minutes| minutes.parse().ok()).unwrap_or(0);
        Self {
            base,
            name,
            token,
            zone: zone.to_string(),
            first: window.first.format("%-d %B %Y").to_string(),
            last: window.last.format("%-d %B %Y").to_string(),
            as_of: in_words(now, zone),
            newest: report
                .newest_event_at
                .as_deref()
                .and_then(|time| time.parse::<DateTime<Utc>>().ok())
                .map_or_else(|| "none yet".to_owned(), |time| in_words(time, zone)),
            totals: vec![
                ("Page views", sum(|day| day.page_views)),
                ("Sessions", sum(|day| day.sessions)),
                ("Interactions", sum(|day| day.interactions)),
            ],
            charts: Charts {
                page_views: chart("Page views a day", "page views", |day| day.page_views),
                sessions: chart("Sessions a day", "sessions", |day| day.sessions),
                interactions: chart("Interactions a day", "interactions", |day| day.interactions),
                durations: chart("Mean duration of sessions a day, in minutes", "minutes", minutes),
            },
            days,
            report,
            data: embeddable(report),
        }
    }

    /// How many URLs of a day are not listed.
    fn left_out(&self, timestamp: &str) -> i64 {
        self.report.urls_left_out.iter().find(|day| day.timestamp == timestamp).map_or(0, |day| day.count)
    }
}

/// Every day of the window, oldest first; one on which nothing happened is a row of zeros.
fn days(report: &Report, window: Window, zone: Tz) -> Vec<Day<'_>> {
    let by_start =
        |days: &[OfDay]| days.iter().map(|day| (day.timestamp.clone(), day.count)).collect::<HashMap<_, _>>();
    let (interactions, sessions) = (by_start(&report.timestamps_data), by_start(&report.sessions_data));
    let page_views: HashMap<_, _> = report.page_views.iter().map(|day| (day.timestamp.clone(), day.count)).collect();
    let minutes: HashMap<_, _> =
        report.start_end_times_data.iter().map(|day| (day.timestamp.clone(), day.duration.as_str())).collect();
    let of = |day: NaiveDate| {
        let start = super::model::start(day, zone);
        let count = |counts: &HashMap<String, i64>| counts.get(&start).copied().unwrap_or(0);
        Day {
            label: day.format("%a %-d %b").to_string(),
            today: day == window.last,
            page_views: count(&page_views),
            sessions: count(&sessions),
            interactions: count(&interactions),
            minutes: minutes.get(&start).copied(),
        }
    };
    window.days().map(of).collect()
}

fn in_words(time: DateTime<Utc>, zone: Tz) -> String {
    time.with_timezone(&zone).format("%-d %B %Y, %H:%M:%S").to_string()
}

/// JSON that cannot end the script element around it.
fn embeddable(report: &Report) -> String {
    let json = serde_json::to_string(report).unwrap_or_else(|_| "null".to_owned());
    json.replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// Filters of the templates.
mod filters {
    #![expect(
        clippy::inline_always,
        clippy::trivially_copy_pass_by_ref,
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "the signatures that askama asks for and makes"
    )]

    /// A number with its thousands apart.
    #[askama::filter_fn]
    pub fn grouped(number: &i64, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(super::grouped(*number))
    }
}
