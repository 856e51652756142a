//! The report's numbers: a pure function of the roll-ups' rows. Contract § 9.

use super::{
    object::{
        Before, DurationOfDay, Filtered, Head, OfBrowser, OfDay, OfType, OfUrl, PageViewsOfDay, Period, RankedRow,
        Ranking, Report, Tail,
    },
    rows::{Days, Ranked, Rows},
    state::{By, State},
    totals::{DayNumbers, Totals, percentage},
    window::{Window, start},
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// What a filter leaves as it is.
fn not_narrowed(by: By) -> &'static [&'static str] {
    match by {
        By::Url => &[
            "interaction_data",
            "timestamps_data",
            "start_end_times_data",
            "browser_data",
            "sessions_data",
            "elements",
            "families",
            "systems",
            "devices",
            "bots",
        ],
        By::Browser | By::Family | By::System | By::Device => &["pages", "elements"],
    }
}

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
                        not_narrowed: not_narrowed(filter.by),
                    }),
                },
                before: rows.before.as_ref().map(|days| {
                    let Window { first, last } = window.before();
                    Before { first, last, totals: Totals::of(days), days: DayNumbers::all(days, window.before()) }
                }),
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
            duration: day.mean_minutes.clone(),
            count: day.ended,
            timestamp: start(*date, zone),
        })
        .collect()
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
