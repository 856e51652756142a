//! The report as a page.

use super::{
    cards::{Card, cards, device_in_words},
    format::{change, days as in_days, decimal, duration, duration_in_short, grouped, time},
    links::Links,
    object::Report,
    plots::{Drawn, Plot, TableRow, columns_of, plots, table},
    rows::Days,
    state::{By, LENGTHS, Problems, Range, State},
    totals::{Totals, float, growth},
    window::Window,
};
use crate::freshness::Behind;
use askama::Template;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// Behind by as many seconds, the page says so at the top.
const LATE_SECONDS: i64 = 60;

/// Days whose table is open from the start.
const OPEN_DAYS: u16 = 14;

/// Everything that a page is made from.
pub(crate) struct Given<'a> {
    pub report: &'a Report,
    pub days: &'a Days,
    pub before: Option<&'a Days>,
    pub state: &'a State,
    pub problems: &'a Problems,
    pub window: Window,
    pub today: NaiveDate,
    pub now: DateTime<Utc>,
    pub zone: Tz,
    pub behind: Behind,
    pub base: &'a str,
    pub site: &'a str,
    pub name: Option<&'a str>,
    /// Whether there is an admin for who is in.
    pub admin: bool,
    /// Of the form that signs out.
    pub token: String,
}

#[derive(Template)]
#[template(path = "report.html")]
pub(crate) struct Page<'a> {
    base: &'a str,
    site: &'a str,
    name: Option<&'a str>,
    admin: bool,
    /// Of the form that signs out.
    token: String,
    links: Links<'a>,
    state: &'a State,
    problems: &'a Problems,
    window: Window,
    today: NaiveDate,
    earliest: NaiveDate,
    title: String,
    before: Option<String>,
    zone: String,
    as_of: String,
    newest: Option<String>,
    behind: String,
    late: bool,
    ranges: Vec<Choice>,
    filtered: Option<(&'static str, String)>,
    tiles: Vec<Tile>,
    plots: Vec<Plot>,
    columns: Vec<&'static str>,
    days: Vec<TableRow>,
    open: bool,
    cards: Vec<Card>,
    /// The report's numbers, safe inside of a script element.
    data: String,
}

/// A range that can be chosen.
struct Choice {
    text: String,
    link: String,
    chosen: bool,
}

/// A number in large letters.
struct Tile {
    label: &'static str,
    value: String,
    /// What is said below it.
    note: String,
    /// Of the whole site, whatever the filter.
    whole: bool,
}

impl<'a> Page<'a> {
    pub fn new(given: &Given<'a>) -> Self {
        let Given { report, state, window, today, now, zone, behind, .. } = *given;
        let links = Links { base: given.base, state };
        let newest = report.tail.newest_event_at.as_deref().and_then(|time| time.parse::<DateTime<Utc>>().ok());
        Self {
            base: given.base,
            site: given.site,
            name: given.name,
            admin: given.admin,
            token: given.token.clone(),
            links,
            state,
            problems: given.problems,
            window,
            today,
            earliest: NaiveDate::from_ymd_opt(1900, 1, 1).unwrap_or(today),
            title: in_days(window),
            before: state.compare.then(|| in_days(window.before())),
            zone: zone.to_string(),
            as_of: time(now, now, zone),
            newest: newest.map(|newest| time(newest, now, zone)),
            behind: in_words(behind),
            late: is_late(behind),
            ranges: ranges(links),
            filtered: state.filter.as_ref().map(|filter| {
                let value = if filter.by == By::Device { device_in_words(&filter.value) } else { &filter.value };
                (by_in_words(filter.by), value.to_owned())
            }),
            tiles: tiles(report, state),
            plots: plots(&Drawn { report, days: given.days, before: given.before, window, today, now, zone, links }),
            columns: columns_of(state.compare),
            days: table(report, today),
            open: window.length() <= OPEN_DAYS,
            cards: cards(report, links),
            data: embeddable(report),
        }
    }

    fn compare_link(&self) -> String {
        self.links.compare(!self.state.compare)
    }

    fn live_link(&self) -> String {
        self.links.live(!self.state.live)
    }

    /// The page views behind a report of some URLs, in the admin.
    fn page_views_link(&self) -> Option<String> {
        // quoted, since a comma in it would part what is looked for
        let search = format!("\"{}\"", self.state.url()?.replace('"', ""));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("search", &search);
        query.append_pair("timestamp_from", &self.window.first.to_string());
        query.append_pair("timestamp_to", &self.window.last.to_string());
        Some(format!("{}/admin/pageviews/?{}", self.base, query.finish()))
    }

    fn for_ever_link(&self) -> String {
        self.links.for_ever(self.window)
    }

    /// How many days, in words.
    fn length(&self) -> String {
        match self.window.length() {
            1 => "day".to_owned(),
            days => format!("{days} days"),
        }
    }
}

fn ranges(links: Links<'_>) -> Vec<Choice> {
    let mut ranges: Vec<(String, Range)> = LENGTHS
        .into_iter()
        .map(|days| (if days == 1 { "Today".to_owned() } else { format!("{days} days") }, Range::Last(days)))
        .collect();
    ranges.insert(1, ("Yesterday".to_owned(), Range::Yesterday));
    let choice = |(text, range)| Choice { text, link: links.range(range), chosen: links.state.range == range };
    ranges.into_iter().map(choice).collect()
}

fn by_in_words(by: By) -> &'static str {
    match by {
        By::Url => "URLs that begin with",
        By::Browser | By::Family => "Browser:",
        By::System => "Operating system:",
        By::Device => "Device:",
    }
}

fn tiles(report: &Report, state: &State) -> Vec<Tile> {
    let (now, before) = (&report.tail.totals, report.tail.before.as_ref().map(|before| &before.totals));
    let narrowed_by_url = state.url().is_some();
    let tile = |label, value: String, pick: fn(&Totals) -> Option<f64>, text: fn(f64) -> String| {
        let note = before.map(|before| match (pick(before), pick(now)) {
            (Some(was), Some(is)) => match growth(is, was) {
                Some(percent) => format!("{} · {} before", change(percent), text(was)),
                None => format!("{} before", text(was)),
            },
            _ => "nothing before".to_owned(),
        });
        Tile { label, value, note: note.unwrap_or_default(), whole: narrowed_by_url && label != "Page views" }
    };
    let or_none = |number: Option<String>| number.unwrap_or_else(|| "–".to_owned());
    #[expect(clippy::cast_possible_truncation, reason = "counts came from whole numbers")]
    let count = |number: f64| grouped(number as i64);
    let mut median = tile(
        "Median duration",
        or_none(now.median_seconds.map(duration_in_short)),
        |totals| totals.median_seconds,
        duration_in_short,
    );
    let mean = or_none(now.mean_seconds.map(duration_in_short));
    let more = if median.note.is_empty() { String::new() } else { format!(" · {}", median.note) };
    median.note = if state.client().is_some() {
        format!("not known under this filter; mean {mean}")
    } else {
        format!("mean {mean}{more}")
    };
    vec![
        tile("Page views", grouped(now.page_views), |totals| Some(float(totals.page_views)), count),
        tile("Sessions", grouped(now.sessions), |totals| Some(float(totals.sessions)), count),
        tile("Interactions", grouped(now.interactions), |totals| Some(float(totals.interactions)), count),
        tile(
            "Pages a session",
            or_none(now.pages_per_session.map(decimal)),
            |totals| totals.pages_per_session,
            decimal,
        ),
        tile(
            "Single-page sessions",
            or_none(now.single_page_percentage.map(|share| format!("{} %", decimal(share)))),
            |totals| totals.single_page_percentage,
            |share| format!("{} %", decimal(share)),
        ),
        median,
    ]
}

/// Events wait, and have done so for a while or for nobody knows how long.
fn is_late(behind: Behind) -> bool {
    behind.records.is_some_and(|records| records > 0) && behind.seconds.is_none_or(|seconds| seconds >= LATE_SECONDS)
}

fn in_words(behind: Behind) -> String {
    let events = |records: i64| match records {
        1 => "1 event waits".to_owned(),
        records => format!("{} events wait", grouped(records)),
    };
    match (behind.records, behind.seconds) {
        (Some(0), _) => "up to date".to_owned(),
        (Some(records), Some(seconds)) => format!("{} behind, {}", duration(float(seconds)), events(records)),
        (Some(records), None) => events(records),
        (None, _) => "how far behind is not known, as the log does not say".to_owned(),
    }
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
