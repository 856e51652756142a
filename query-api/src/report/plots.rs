//! The charts of a report.

use super::{
    chart::{Bar, Unit, columns},
    format::{duration, grouped},
    links::Links,
    object::{HourNumbers, Report},
    rows::Days,
    totals::Totals,
    window::Window,
};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// With more days than this, a bar is a week.
const MOST_BARS: usize = 100;

/// A chart as the page shows it.
pub(crate) struct Plot {
    pub id: &'static str,
    pub title: String,
    /// Said beside the title.
    pub hint: &'static str,
    pub svg: String,
    /// It is of the whole site, whatever the filter.
    pub whole: bool,
    /// What its table has a row for: day, week or hour.
    pub unit: &'static str,
    /// The table, newest first.
    pub rows: Vec<PlotRow>,
    pub csv: String,
}

/// A bar in figures.
pub(crate) struct PlotRow {
    pub name: String,
    pub value: String,
    pub before: Option<String>,
    pub unfinished: bool,
}

/// Some time that a bar stands for.
struct Bin {
    /// In words, and below the axis.
    name: String,
    label: String,
    now: Totals,
    before: Option<Totals>,
    unfinished: bool,
    /// It has not begun.
    to_come: bool,
}

/// What a chart shows.
struct Shown {
    id: &'static str,
    title: &'static str,
    hint: &'static str,
    /// The report's key of the days.
    key: &'static str,
    unit: Unit,
    pick: fn(&Totals) -> i64,
}

const SHOWN: [Shown; 4] = [
    Shown {
        id: "page-views",
        title: "Page views",
        hint: "",
        key: "page_views",
        unit: Unit::Count,
        pick: |totals| totals.page_views,
    },
    Shown {
        id: "sessions",
        title: "Sessions",
        hint: "",
        key: "sessions_data",
        unit: Unit::Count,
        pick: |totals| totals.sessions,
    },
    Shown {
        id: "interactions",
        title: "Interactions",
        hint: "",
        key: "timestamps_data",
        unit: Unit::Count,
        pick: |totals| totals.interactions,
    },
    Shown {
        id: "durations",
        title: "Mean duration",
        hint: "sessions that have ended",
        key: "start_end_times_data",
        unit: Unit::Seconds,
        pick: |totals| seconds(totals.mean_seconds),
    },
];

/// What charts are drawn of.
pub(crate) struct Drawn<'a> {
    pub report: &'a Report,
    pub days: &'a Days,
    pub before: Option<&'a Days>,
    pub window: Window,
    pub today: NaiveDate,
    pub now: DateTime<Utc>,
    pub zone: Tz,
    pub links: Links<'a>,
}

/// The charts: by day or week, or by hour of a single day; how long sessions last is not kept by hour.
pub(crate) fn plots(drawn: &Drawn<'_>) -> Vec<Plot> {
    let by_hour = drawn.window.length() == 1;
    let bins = if by_hour { hours(drawn) } else { bins(drawn) };
    let (unit, table) = match bins.len() < usize::from(drawn.window.length()) {
        _ if by_hour => ("hour", "hours"),
        true => ("week", "days"),
        false => ("day", "days"),
    };
    let article = if by_hour { "an" } else { "a" };
    let plot = |shown: &Shown| {
        let title = format!("{} {article} {unit}", shown.title);
        let bars: Vec<Bar> = bins.iter().map(|bin| bar(bin, shown, unit)).collect();
        let text = |totals: &Totals| in_words((shown.pick)(totals), shown.unit);
        let row = |bin: &Bin| PlotRow {
            name: bin.name.clone(),
            value: text(&bin.now),
            before: bin.before.as_ref().map(text),
            unfinished: bin.unfinished,
        };
        Plot {
            id: shown.id,
            hint: shown.hint,
            svg: columns(&bars, &title, shown.unit),
            title,
            whole: drawn.links.state.leaves_whole(if by_hour { "hours" } else { shown.key }),
            unit,
            rows: bins.iter().rev().filter(|bin| !bin.to_come).map(row).collect(),
            csv: drawn.links.csv(table),
        }
    };
    SHOWN.iter().filter(|shown| !by_hour || shown.id != "durations").map(plot).collect()
}

fn in_words(value: i64, unit: Unit) -> String {
    match unit {
        Unit::Count => grouped(value),
        Unit::Seconds => duration(super::totals::float(value)),
    }
}

/// `each` is what it stands for: a day, week or hour.
fn bar(bin: &Bin, Shown { title: what, unit, pick, .. }: &Shown, each: &str) -> Bar {
    let value = pick(&bin.now);
    let text = |value: i64| in_words(value, *unit);
    let mut title = match unit {
        _ if bin.to_come => format!("{}: still to come", bin.name),
        Unit::Count => format!("{}: {} {}", bin.name, text(value), what.to_lowercase()),
        Unit::Seconds => format!("{}: {}", bin.name, text(value)),
    };
    if bin.unfinished {
        title += " so far";
    }
    let before = bin.before.as_ref().map(pick);
    if let Some(before) = before {
        title = format!("{title}; {} in the period before", text(before));
        if bin.unfinished {
            title = format!("{title}, in the whole {each}");
        }
    }
    Bar { label: bin.label.clone(), title, value, before, unfinished: bin.unfinished }
}

/// The hours of a single day, those that are still to come as well, beside the same hours of the day before.
fn hours(drawn: &Drawn<'_>) -> Vec<Bin> {
    let (tail, zone) = (&drawn.report.tail, drawn.zone);
    let totals = |hour: &HourNumbers| Totals {
        page_views: hour.page_views,
        sessions: hour.sessions,
        interactions: hour.interactions,
        ..Totals::default()
    };
    let by_time = |hours: &[HourNumbers]| -> BTreeMap<DateTime<Utc>, Totals> {
        let of = |hour: &HourNumbers| Some((hour.timestamp.parse().ok()?, totals(hour)));
        hours.iter().filter_map(of).collect()
    };
    let mut found = by_time(&tail.hours);
    let mut all = super::window::hours(drawn.window.first, zone);
    all.extend(found.keys());
    all.sort_unstable();
    all.dedup();
    let earlier: BTreeMap<u32, Totals> = match &tail.before {
        Some(before) => {
            let mut sums: BTreeMap<u32, Totals> = BTreeMap::new();
            for (at, totals) in by_time(&before.hours) {
                let sum = sums.entry(at.with_timezone(&zone).hour()).or_default();
                sum.page_views += totals.page_views;
                sum.sessions += totals.sessions;
                sum.interactions += totals.interactions;
            }
            sums
        }
        None => BTreeMap::new(),
    };
    let clocks_change = all.len() != 24;
    all.into_iter()
        .map(|at| {
            let local = at.with_timezone(&zone);
            let (to_come, over) = (at > drawn.now, at + TimeDelta::hours(1) <= drawn.now);
            Bin {
                // what comes twice is told apart by its offset
                name: local.format(if clocks_change { "%H:%M (%:z)" } else { "%H:%M" }).to_string(),
                label: local.format("%H").to_string(),
                now: found.remove(&at).unwrap_or_default(),
                before: tail.before.is_some().then(|| earlier.get(&local.hour()).cloned().unwrap_or_default()),
                unfinished: !to_come && !over,
                to_come,
            }
        })
        .collect()
}

fn bins(drawn: &Drawn<'_>) -> Vec<Bin> {
    let Drawn { days, before, window, today, .. } = *drawn;
    let all: Vec<NaiveDate> = window.days().collect();
    let earlier: Vec<NaiveDate> = window.before().days().collect();
    let weekly = all.len() > MOST_BARS;
    let numbered: Vec<(usize, NaiveDate)> = all.iter().copied().enumerate().collect();
    let same_bin =
        |one: &(usize, NaiveDate), other: &(usize, NaiveDate)| weekly && one.1.iso_week() == other.1.iso_week();
    let sum = |days: &Days, dates: &[NaiveDate]| Totals::sum(dates.iter().filter_map(|date| days.get(date)));
    let bins: Vec<(NaiveDate, Bin)> = numbered
        .chunk_by(same_bin)
        .map(|part| {
            let (first, last) = (part[0], part[part.len() - 1]);
            let bin = Bin {
                name: if first.1 == last.1 {
                    first.1.format("%A, %-d %B").to_string()
                } else {
                    format!("{} – {}", first.1.format("%-d %B"), last.1.format("%-d %B"))
                },
                label: String::new(),
                now: sum(days, &all[first.0..=last.0]),
                before: before.map(|before| sum(before, &earlier[first.0..=last.0])),
                unfinished: last.1 == today,
                to_come: false,
            };
            (first.1, bin)
        })
        .collect();
    let format = if bins.len() <= 8 { "%a %-d" } else { "%-d %b" };
    bins.into_iter().map(|(first, bin)| Bin { label: first.format(format).to_string(), ..bin }).collect()
}

/// Whole seconds.
#[expect(clippy::cast_possible_truncation, reason = "durations are far below 2^53 seconds")]
fn seconds(duration: Option<f64>) -> i64 {
    duration.map_or(0, |seconds| seconds.round() as i64)
}
