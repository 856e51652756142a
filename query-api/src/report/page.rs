//! The report as a page.

use super::{
    by_day,
    by_day::{Heading, Row},
    cards::{Card, cards, device_in_words},
    embed,
    format::{days as in_days, duration, grouped, time},
    links::Links,
    object::Report,
    plots::{Drawn, Plot, plots},
    rows::Days,
    state::{By, LENGTHS, Problems, Range, State},
    tiles::{Tile, tiles},
    totals::float,
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
    headings: Vec<Heading>,
    days: Vec<Row>,
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
            tiles: tiles(report, state, window, today),
            plots: plots(&Drawn { report, days: given.days, before: given.before, window, today, now, zone, links }),
            headings: by_day::headings(state),
            days: by_day::rows(report, today),
            open: window.length() <= OPEN_DAYS,
            cards: cards(report, links),
            data: embed::embedded(report),
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

    /// Today is one of the days.
    fn unfinished(&self) -> bool {
        self.window.last == self.today
    }

    fn has_whole_columns(&self) -> bool {
        self.headings.iter().any(|heading| heading.whole)
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

/// Events wait, and have done so for a while or for nobody knows how long.
fn is_late(behind: Behind) -> bool {
    behind.records.is_some_and(|records| records > 0) && behind.seconds.is_none_or(|seconds| seconds >= LATE_SECONDS)
}

/// How far the numbers are behind the log.
pub(super) fn in_words(behind: Behind) -> String {
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
