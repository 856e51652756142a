//! The charts of a report.

use super::{
    chart::{Bar, Unit, columns},
    format::{duration, grouped},
    object::Report,
    rows::Days,
    totals::{DayNumbers, Totals},
    window::Window,
};
use chrono::{Datelike, NaiveDate};

/// With more days than this, a bar is a week.
const MOST_BARS: usize = 100;

/// A chart as the page shows it.
pub(crate) struct Plot {
    pub id: &'static str,
    pub title: &'static str,
    /// Said beside the title.
    pub hint: &'static str,
    pub svg: String,
    /// It is of the whole site, whatever the filter.
    pub whole: bool,
}

/// Some days that a bar stands for.
struct Bin {
    first: NaiveDate,
    last: NaiveDate,
    now: Totals,
    before: Option<Totals>,
    unfinished: bool,
}

/// The four charts; none of a single day, which the totals tell already.
pub(crate) fn plots(
    report: &Report,
    days: &Days,
    before: Option<&Days>,
    window: Window,
    today: NaiveDate,
) -> Vec<Plot> {
    if window.length() < 2 {
        return Vec::new();
    }
    let bins = bins(days, before, window, today);
    let weeks = bins.len() < usize::from(window.length());
    let not_narrowed = report.tail.period.filter.as_ref().map_or(&[][..], |filter| filter.not_narrowed);
    let plot = |id, [by_day, by_week]: [&'static str; 2], hint, key: &str, unit, pick: fn(&Totals) -> i64| {
        let title = if weeks { by_week } else { by_day };
        let of = |bin: &Bin| bar(bin, bins.len(), unit, title, pick);
        let svg = columns(&bins.iter().map(of).collect::<Vec<_>>(), title, unit);
        Plot { id, title, hint, svg, whole: not_narrowed.contains(&key) }
    };
    let mean = |totals: &Totals| seconds(totals.mean_seconds);
    vec![
        plot("page-views", ["Page views a day", "Page views a week"], "", "page_views", Unit::Count, |t| t.page_views),
        plot("sessions", ["Sessions a day", "Sessions a week"], "", "sessions_data", Unit::Count, |t| t.sessions),
        plot("interactions", ["Interactions a day", "Interactions a week"], "", "timestamps_data", Unit::Count, |t| {
            t.interactions
        }),
        plot(
            "durations",
            ["Mean duration a day", "Mean duration a week"],
            "sessions that have ended",
            "start_end_times_data",
            Unit::Seconds,
            mean,
        ),
    ]
}

fn bar(bin: &Bin, bins: usize, unit: Unit, what: &str, pick: fn(&Totals) -> i64) -> Bar {
    let value = pick(&bin.now);
    let text = |value: i64| match unit {
        Unit::Count => grouped(value),
        Unit::Seconds => duration(super::totals::float(value)),
    };
    let days = if bin.first == bin.last {
        bin.first.format("%A, %-d %B").to_string()
    } else {
        format!("{} – {}", bin.first.format("%-d %B"), bin.last.format("%-d %B"))
    };
    let what = what.trim_end_matches(" a day").trim_end_matches(" a week").to_lowercase();
    let mut title = match unit {
        Unit::Count => format!("{days}: {} {what}", text(value)),
        Unit::Seconds => format!("{days}: {}", text(value)),
    };
    if bin.unfinished {
        title += " so far";
    }
    let before = bin.before.as_ref().map(pick);
    if let Some(before) = before {
        title = format!("{title}; {} in the period before", text(before));
    }
    let label = bin.first.format(if bins <= 8 { "%a %-d" } else { "%-d %b" }).to_string();
    Bar { label, title, value, before, unfinished: bin.unfinished }
}

fn bins(days: &Days, before: Option<&Days>, window: Window, today: NaiveDate) -> Vec<Bin> {
    let all: Vec<NaiveDate> = window.days().collect();
    let earlier: Vec<NaiveDate> = window.before().days().collect();
    let weekly = all.len() > MOST_BARS;
    let numbered: Vec<(usize, NaiveDate)> = all.iter().copied().enumerate().collect();
    let same_bin =
        |one: &(usize, NaiveDate), other: &(usize, NaiveDate)| weekly && one.1.iso_week() == other.1.iso_week();
    let sum = |days: &Days, dates: &[NaiveDate]| Totals::sum(dates.iter().filter_map(|date| days.get(date)));
    numbered
        .chunk_by(same_bin)
        .map(|part| {
            let (first, last) = (part[0], part[part.len() - 1]);
            Bin {
                first: first.1,
                last: last.1,
                now: sum(days, &all[first.0..=last.0]),
                before: before.map(|before| sum(before, &earlier[first.0..=last.0])),
                unfinished: last.1 == today,
            }
        })
        .collect()
}

/// Whole seconds.
#[expect(clippy::cast_possible_truncation, reason = "durations are far below 2^53 seconds")]
fn seconds(duration: Option<f64>) -> i64 {
    duration.map_or(0, |seconds| seconds.round() as i64)
}

/// A day of the table.
pub(crate) struct TableRow {
    pub label: String,
    pub unfinished: bool,
    pub now: Vec<String>,
}

/// Every day, newest first, with the numbers in the order of [`columns_of`].
pub(crate) fn table(report: &Report, today: NaiveDate) -> Vec<TableRow> {
    let before = report.tail.before.as_ref().map(|before| before.days.as_slice());
    let of = |(place, day): (usize, &DayNumbers)| {
        let mut now = numbers(day);
        if let Some(before) = before.and_then(|days| days.get(place)) {
            now.extend([before.page_views, before.sessions, before.interactions].map(grouped));
        }
        TableRow { label: super::format::day(day.date), unfinished: day.date == today, now }
    };
    let mut rows: Vec<TableRow> = report.tail.days.iter().enumerate().map(of).collect();
    rows.reverse();
    rows
}

/// What stands above the numbers of a day.
pub(crate) fn columns_of(compares: bool) -> Vec<&'static str> {
    let mut names =
        vec!["Page views", "Sessions", "Interactions", "Pages a session", "Single page", "Mean duration", "Median"];
    if compares {
        names.extend(["Page views before", "Sessions before", "Interactions before"]);
    }
    names
}

fn numbers(totals: &Totals) -> Vec<String> {
    let none = || "–".to_owned();
    vec![
        grouped(totals.page_views),
        grouped(totals.sessions),
        grouped(totals.interactions),
        totals.pages_per_session.map_or_else(none, super::format::decimal),
        totals.single_page_percentage.map_or_else(none, |share| format!("{share:.0} %")),
        totals.mean_seconds.map_or_else(none, duration),
        totals.median_seconds.map_or_else(none, duration),
    ]
}
