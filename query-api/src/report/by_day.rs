//! A day's numbers as a row: of the page's table and of the CSV.

use super::{
    format,
    format::{decimal, duration, grouped},
    object::Report,
    state::State,
    totals::{DayNumbers, Totals, float},
};
use chrono::NaiveDate;

/// A number that every day has.
struct Column {
    /// In the object and the CSV.
    name: &'static str,
    /// On the page; empty for what only the CSV has.
    title: &'static str,
    /// A filter touches it when it touches this key of the report.
    key: &'static str,
    pick: fn(&Totals) -> Option<f64>,
    text: fn(f64) -> String,
    /// Also told of the period before, on the page; the CSV tells all of it.
    compared: bool,
}

const COLUMNS: [Column; 8] = [
    Column {
        name: "page_views",
        title: "Page views",
        key: "page_views",
        pick: |totals| Some(float(totals.page_views)),
        text: count,
        compared: true,
    },
    Column {
        name: "sessions",
        title: "Sessions",
        key: "sessions_data",
        pick: |totals| Some(float(totals.sessions)),
        text: count,
        compared: true,
    },
    Column {
        name: "interactions",
        title: "Interactions",
        key: "timestamps_data",
        pick: |totals| Some(float(totals.interactions)),
        text: count,
        compared: true,
    },
    Column {
        name: "ended",
        title: "",
        key: "start_end_times_data",
        pick: |totals| Some(float(totals.ended)),
        text: count,
        compared: false,
    },
    Column {
        name: "pages_per_session",
        title: "Pages a session",
        key: "sessions_data",
        pick: |totals| totals.pages_per_session,
        text: decimal,
        compared: false,
    },
    Column {
        name: "single_page_percentage",
        title: "Single page",
        key: "sessions_data",
        pick: |totals| totals.single_page_percentage,
        text: |share| format!("{share:.0} %"),
        compared: false,
    },
    Column {
        name: "mean_seconds",
        title: "Mean duration",
        key: "start_end_times_data",
        pick: |totals| totals.mean_seconds,
        text: duration,
        compared: false,
    },
    Column {
        name: "median_seconds",
        title: "Median",
        key: "start_end_times_data",
        pick: |totals| totals.median_seconds,
        text: duration,
        compared: false,
    },
];

#[expect(clippy::cast_possible_truncation, reason = "counts came from whole numbers")]
fn count(number: f64) -> String {
    grouped(number as i64)
}

/// What ends the name of a column of a CSV that the filter of the report leaves as it is.
const OF_ALL: &str = "_whole_site";

/// A column's name in a CSV: one that is of the whole site, although there is a filter, says so.
pub(super) fn named(name: &str, whole: bool) -> String {
    format!("{name}{}", if whole { OF_ALL } else { "" })
}

/// The members of a day's numbers that the filter leaves as they are.
pub(super) fn not_narrowed(state: &State) -> Vec<&'static str> {
    COLUMNS.iter().filter(|column| state.leaves_whole(column.key)).map(|column| column.name).collect()
}

/// The names of the CSV's columns; `of` tells those of the period before.
pub(super) fn names(state: &State, of: &str) -> String {
    let columns = COLUMNS.iter().map(|column| named(&format!("{}{of}", column.name), state.leaves_whole(column.key)));
    [format!("day{of}")].into_iter().chain(columns).collect::<Vec<_>>().join(",")
}

/// A day as a line of the CSV, without its end.
pub(super) fn line(day: &DayNumbers) -> String {
    let number = |column: &Column| (column.pick)(day).map(|number| number.to_string()).unwrap_or_default();
    [day.date.to_string()].into_iter().chain(COLUMNS.iter().map(number)).collect::<Vec<_>>().join(",")
}

/// What stands above the numbers of a day on the page.
pub(crate) struct Heading {
    pub title: String,
    /// It is of the whole site, whatever the filter.
    pub whole: bool,
}

/// In the order of the numbers of a [`Row`].
pub(crate) fn headings(state: &State) -> Vec<Heading> {
    let whole = |column: &Column| state.leaves_whole(column.key);
    let now = shown().map(|column| Heading { title: column.title.to_owned(), whole: whole(column) });
    let before = shown().filter(|column| state.compare && column.compared);
    now.chain(before.map(|column| Heading { title: format!("{} before", column.title), whole: whole(column) }))
        .collect()
}

/// A day of the page's table.
pub(crate) struct Row {
    pub label: String,
    pub unfinished: bool,
    pub numbers: Vec<String>,
}

/// Every day, newest first.
pub(crate) fn rows(report: &Report, today: NaiveDate) -> Vec<Row> {
    let before = report.tail.before.as_ref().map(|before| before.days.as_slice());
    let text = |column: &Column, day: &DayNumbers| {
        (column.pick)(day).map_or_else(|| "–".to_owned(), |number| (column.text)(number))
    };
    let of = |(place, day): (usize, &DayNumbers)| {
        let mut numbers: Vec<String> = shown().map(|column| text(column, day)).collect();
        if let Some(before) = before.and_then(|days| days.get(place)) {
            numbers.extend(shown().filter(|column| column.compared).map(|column| text(column, before)));
        }
        Row { label: format::day(day.date), unfinished: day.date == today, numbers }
    };
    let mut rows: Vec<Row> = report.tail.days.iter().enumerate().map(of).collect();
    rows.reverse();
    rows
}

fn shown() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().filter(|column| !column.title.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::state::{By, Filter};

    fn of(by: Option<By>, compare: bool) -> State {
        let filter = by.map(|by| Filter { by, value: "x".to_owned() });
        State { compare, filter, ..State::default() }
    }

    #[test]
    fn every_column_is_a_member_of_the_object_of_the_same_name() {
        let serde_json::Value::Object(members) = serde_json::to_value(Totals::default()).unwrap() else { panic!() };
        let (mut names, mut expected): (Vec<&str>, Vec<&String>) =
            (COLUMNS.iter().map(|column| column.name).collect(), members.keys().collect());
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected);
    }

    #[test]
    fn only_a_filter_that_leaves_a_column_alone_is_said_of_it() {
        for by in [None, Some(By::Browser), Some(By::Family), Some(By::System), Some(By::Device)] {
            assert!(headings(&of(by, true)).iter().all(|heading| !heading.whole), "{by:?}");
            assert!(!names(&of(by, true), "_before").contains(OF_ALL), "{by:?}");
        }
        let url = of(Some(By::Url), true);
        let narrowed: Vec<String> =
            headings(&url).into_iter().filter(|heading| !heading.whole).map(|heading| heading.title).collect();
        assert_eq!(narrowed, ["Page views", "Page views before"]);
        assert_eq!(not_narrowed(&url).len(), COLUMNS.len() - 1);
        assert!(names(&url, "_before").starts_with("day_before,page_views_before,sessions_before_whole_site,"));
    }
}
