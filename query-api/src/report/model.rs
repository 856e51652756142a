//! The report's numbers: a pure function of the roll-ups' rows. Contract § 9.

use super::{
    by_day,
    day::Hour,
    object::{
        Before, DurationOfDay, Filtered, Head, HourNumbers, OfBrowser, OfDay, OfType, OfUrl, PageViewsOfDay, Period,
        RankedRow, Ranking, Report, Tail,
    },
    ranking::Ranked,
    rows::{Day, Days, Rows},
    state::State,
    totals::{DayNumbers, Totals, percentage},
    window::{Window, hours, start},
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

impl Report {
    /// Puts the rows into the shape of the contract.
    pub(crate) fn of(rows: Rows, state: &State, window: Window, zone: Tz, now: DateTime<Utc>) -> Self {
        let of_day = |day: NaiveDate, count| OfDay { day: name(day), count, timestamp: start(day, zone) };
        let newest_first = |count: fn(&DayNumbers) -> i64, days: &[DayNumbers]| -> Vec<OfDay> {
            let days = days.iter().rev().filter(|day| count(day) > 0);
            days.map(|day| of_day(day.date, count(day))).collect()
        };
        let days = DayNumbers::all(&rows.days, window);
        let totals = Totals::of(&rows.days);
        let mut urls: BTreeMap<NaiveDate, Vec<OfUrl>> = BTreeMap::new();
        for (day, url, count) in rows.urls {
            urls.entry(day).or_default().push(OfUrl { url, count });
        }
        let mut page_views = Vec::new();
        let mut urls_left_out = Vec::new();
        for DayNumbers { date, totals } in days.iter().rev().filter(|day| day.page_views > 0) {
            let urls = urls.remove(date).unwrap_or_default();
            let listed = i64::try_from(urls.len()).unwrap_or(i64::MAX);
            urls_left_out.push(of_day(*date, rows.urls_of.get(date).map_or(0, |of| of - listed)));
            let OfDay { day, count, timestamp } = of_day(*date, totals.page_views);
            page_views.push(PageViewsOfDay { day, count, timestamp, urls });
        }
        let all_sessions = totals.sessions;
        Self {
            head: Head {
                interaction_data: by_type(&rows.days),
                timestamps_data: newest_first(|day| day.interactions, &days),
            },
            page_views,
            tail: Tail {
                start_end_times_data: durations(&rows.days, zone),
                browser_data: rows
                    .browsers
                    .rows
                    .into_iter()
                    .map(|row| OfBrowser {
                        percentage: percentage(row.count, all_sessions),
                        browser: row.name,
                        count: row.count,
                    })
                    .collect(),
                sessions_data: newest_first(|day| day.sessions, &days),
                urls_left_out,
                as_of: service::time_format::show(schema::to_micros(now), zone),
                newest_event_at: rows.newest_event_at.map(|time| service::time_format::show(time, zone)),
                period: Period {
                    first: window.first,
                    last: window.last,
                    time_zone: zone.to_string(),
                    filter: state.filter.as_ref().map(|filter| Filtered {
                        by: filter.by.name(),
                        value: filter.value.clone(),
                        not_narrowed: filter.by.not_narrowed(),
                        members_not_narrowed: by_day::not_narrowed(state),
                    }),
                },
                before: rows.before.as_ref().map(|days| {
                    let Window { first, last } = window.before();
                    Before {
                        first,
                        last,
                        totals: Totals::of(days),
                        days: DayNumbers::all(days, window.before()),
                        hours: of_hours(&rows.hours_before, window.before(), zone, now),
                    }
                }),
                hours: of_hours(&rows.hours, window, zone, now),
                pages: ranking(rows.pages, None),
                elements: ranking(rows.elements, None),
                families: ranking(rows.families, None),
                systems: ranking(rows.systems, None),
                devices: ranking(rows.devices, None),
                bots: ranking(rows.bots, Some(all_sessions)),
                totals,
                days,
            },
        }
    }
}

pub(super) fn by_type(days: &Days) -> Vec<OfType> {
    let mut types: BTreeMap<&str, i64> = BTreeMap::new();
    for (interaction, count) in days.values().flat_map(|day| &day.interactions) {
        *types.entry(interaction).or_default() += count;
    }
    types.into_iter().map(|(interaction, count)| OfType { interaction: interaction.to_owned(), count }).collect()
}

fn durations(days: &Days, zone: Tz) -> Vec<DurationOfDay> {
    let ended = days.iter().rev().filter(|(_, day)| day.ended > 0);
    ended
        .map(|(date, day)| DurationOfDay {
            day: name(*date),
            duration: mean_minutes(day),
            count: day.ended,
            timestamp: start(*date, zone),
        })
        .collect()
}

/// Their mean in whole minutes, cut; 0 when it would be negative.
fn mean_minutes(day: &Day) -> String {
    (day.duration_us / (i128::from(day.ended.max(1)) * 60_000_000)).max(0).to_string()
}

/// The hours of a single day that have begun, and what has happened in them.
fn of_hours(rows: &[Hour], window: Window, zone: Tz, now: DateTime<Utc>) -> Vec<HourNumbers> {
    if window.length() > 1 {
        return Vec::new();
    }
    let begun = hours(window.first, zone).into_iter().filter(|hour| *hour <= now);
    let mut all: BTreeMap<DateTime<Utc>, [i64; 3]> = begun.map(|hour| (hour, [0; 3])).collect();
    all.extend(rows.iter().map(|row| (row.hour, [row.page_views, row.sessions, row.interactions])));
    let of = |(hour, [page_views, sessions, interactions]): (DateTime<Utc>, [i64; 3])| HourNumbers {
        timestamp: hour.with_timezone(&zone).to_rfc3339(),
        page_views,
        sessions,
        interactions,
    };
    all.into_iter().map(of).collect()
}

/// With shares of `whole`; without one, of the list's own total.
fn ranking(ranked: Ranked, whole: Option<i64>) -> Ranking {
    let whole = whole.unwrap_or(ranked.total);
    let more = ranked.of - i64::try_from(ranked.rows.len()).unwrap_or(ranked.of);
    let rows = ranked.rows.into_iter().map(|row| RankedRow {
        percentage: percentage(row.count, whole),
        name: row.name,
        interaction: row.kind,
        count: row.count,
    });
    Ranking { rows: rows.collect(), more, total: ranked.total }
}

fn name(day: NaiveDate) -> String {
    day.format("%A").to_string()
}
