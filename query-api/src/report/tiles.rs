//! The numbers in large letters.

use super::{
    format::{change, decimal, duration_in_short, grouped},
    object::Report,
    state::State,
    totals::{Totals, float, growth},
    window::Window,
};
use chrono::NaiveDate;

/// One of them.
pub(crate) struct Tile {
    pub label: &'static str,
    pub value: String,
    /// How it was before, and what is said beside that; each may be empty.
    pub before: String,
    pub note: String,
    /// It is of the whole site, whatever the filter.
    pub whole: bool,
}

/// What a tile shows.
struct Shown {
    label: &'static str,
    /// A filter touches it when it touches this key of the report.
    key: &'static str,
    pick: fn(&Totals) -> Option<f64>,
    text: fn(f64) -> String,
    /// It grows while a day goes on.
    adds_up: bool,
}

const SHOWN: [Shown; 6] = [
    Shown {
        label: "Page views",
        key: "page_views",
        pick: |totals| Some(float(totals.page_views)),
        text: count,
        adds_up: true,
    },
    Shown {
        label: "Sessions",
        key: "sessions_data",
        pick: |totals| Some(float(totals.sessions)),
        text: count,
        adds_up: true,
    },
    Shown {
        label: "Interactions",
        key: "timestamps_data",
        pick: |totals| Some(float(totals.interactions)),
        text: count,
        adds_up: true,
    },
    Shown {
        label: "Pages a session",
        key: "sessions_data",
        pick: |totals| totals.pages_per_session,
        text: decimal,
        adds_up: false,
    },
    Shown {
        label: "Single-page sessions",
        key: "sessions_data",
        pick: |totals| totals.single_page_percentage,
        text: |share| format!("{} %", decimal(share)),
        adds_up: false,
    },
    Shown {
        label: MEDIAN,
        key: "start_end_times_data",
        pick: |totals| totals.median_seconds,
        text: duration_in_short,
        adds_up: false,
    },
];

const MEDIAN: &str = "Median duration";

#[expect(clippy::cast_possible_truncation, reason = "counts came from whole numbers")]
fn count(number: f64) -> String {
    grouped(number as i64)
}

/// All of them, in the order of the page.
pub(crate) fn tiles(report: &Report, state: &State, window: Window, today: NaiveDate) -> Vec<Tile> {
    let (now, before) = (&report.tail.totals, report.tail.before.as_ref().map(|before| &before.totals));
    let or_none = |number: Option<String>| number.unwrap_or_else(|| "–".to_owned());
    let tile = |shown: &Shown| {
        let (is_median, unknown) = (shown.label == MEDIAN, state.client().is_some());
        let mean = || format!("mean {}", or_none(now.mean_seconds.map(duration_in_short)));
        Tile {
            label: shown.label,
            value: or_none((shown.pick)(now).map(shown.text)),
            before: match before {
                Some(before) if !(is_median && unknown) => compare(shown, now, before, window, today),
                _ => String::new(),
            },
            note: match is_median {
                true if unknown => format!("not known under this filter; {}", mean()),
                true => mean(),
                false => String::new(),
            },
            whole: state.leaves_whole(shown.key),
        }
    };
    SHOWN.iter().map(tile).collect()
}

/// Beside the period before. A sum over days of which one is not over says so, and part of a day is no percentage of a
/// whole one: that would tell what time it is.
fn compare(shown: &Shown, now: &Totals, before: &Totals, window: Window, today: NaiveDate) -> String {
    let Some(was) = (shown.pick)(before) else { return "nothing before".to_owned() };
    let text = (shown.text)(was);
    let so_far = shown.adds_up && window.last == today;
    match (shown.pick)(now).and_then(|is| growth(is, was)).map(change) {
        _ if so_far && window.length() == 1 => format!("so far · {text} in all of yesterday"),
        Some(change) if so_far => format!("{change} so far · {text} before"),
        Some(change) => format!("{change} · {text} before"),
        None if so_far => format!("so far · {text} before"),
        None => format!("{text} before"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[rstest]
    #[case::the_day_goes_on("2026-11-25", 1, ["so far · 400 in all of yesterday", "−50 % · 4.0 before"])]
    #[case::the_last_day_goes_on("2026-11-25", 7, ["−75 % so far · 400 before", "−50 % · 4.0 before"])]
    #[case::the_day_is_over("2026-11-26", 1, ["−75 % · 400 before", "−50 % · 4.0 before"])]
    #[case::all_days_are_over("2026-11-26", 7, ["−75 % · 400 before", "−50 % · 4.0 before"])]
    fn part_of_a_day_is_not_compared_with_a_whole_one_in_silence(
        #[case] today: &str,
        #[case] days: u16,
        #[case] expected: [&str; 2],
    ) {
        let now = Totals { page_views: 100, pages_per_session: Some(2.0), ..Totals::default() };
        let before = Totals { page_views: 400, pages_per_session: Some(4.0), ..Totals::default() };
        let window = Window::of_last(days, day("2026-11-25"));
        for (label, expected) in ["Page views", "Pages a session"].into_iter().zip(expected) {
            let shown = SHOWN.iter().find(|shown| shown.label == label).unwrap();
            assert_eq!(compare(shown, &now, &before, window, day(today)), expected);
        }
    }

    #[test]
    fn nothing_before_is_no_growth() {
        let (now, before) = (Totals { page_views: 5, ..Totals::default() }, Totals::default());
        let today = day("2026-11-25");
        let of = |shown: &Shown, days| compare(shown, &now, &before, Window::of_last(days, today), today);
        assert_eq!(of(&SHOWN[0], 7), "so far · 0 before");
        assert_eq!(of(&SHOWN[0], 1), "so far · 0 in all of yesterday");
        assert_eq!(of(&SHOWN[3], 7), "nothing before");
        let before = Totals { pages_per_session: Some(2.0), ..Totals::default() };
        assert_eq!(compare(&SHOWN[3], &now, &before, Window::of_last(7, today), today), "2.0 before", "nothing now");
    }
}
