//! The report's numbers against a slow and obviously right computation over the facts. Contract § 9.

use crate::common::{Setup, Site, events::*};
use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use rand::{RngExt, rngs::StdRng};
use schema::{Envelope, Event, InteractionKind};
use serde_json::{Value, json};
use std::{cmp::Reverse, collections::BTreeMap};
use test_support::seeded;

const BROWSERS: [(&str, &str); 8] = [
    ("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.0.0", "Edge"),
    ("Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.0.0 Safari/537.36 OPR/106.0", "Opera"),
    ("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 CriOS/120.0 Mobile/15E148 Safari/604.1", "Chrome"),
    ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.0.0 Safari/537.36", "Chrome"),
    (FIREFOX, "Firefox"),
    ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.1 Safari/605.1.15", "Safari"),
    ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer"),
    ("curl/8.5.0", "Unknown"),
];

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// Within ten days of now on both sides, often within seconds of a midnight of the zone.
fn moment(random: &mut StdRng, zone: Tz) -> DateTime<Utc> {
    let any = Utc::now() + TimeDelta::seconds(random.random_range(-864_000..864_000));
    if random.random_bool(0.6) {
        return any;
    }
    let midnight = any.with_timezone(&zone).date_naive().and_hms_opt(0, 0, 0).unwrap();
    let midnight = midnight.and_local_timezone(zone).earliest().map_or(any, |time| time.to_utc());
    midnight + TimeDelta::microseconds(random.random_range(-2..=2))
}

fn event(random: &mut StdRng, zone: Tz) -> Envelope {
    let name = format!("s{}", random.random_range(0..60));
    let at = moment(random, zone);
    match random.random_range(0..10) {
        0..4 => {
            let minutes = random.random_range(-30.0..120.0_f64);
            #[expect(clippy::cast_possible_truncation, reason = "a few hours in microseconds")]
            let end = random.random_bool(0.7).then(|| at + TimeDelta::microseconds((minutes * 6e7) as i64));
            announced(&name, at, BROWSERS[random.random_range(0..BROWSERS.len())].0, end, None)
        }
        4 => {
            let mut ended = session(&name, at, None);
            ended.event = Event::SessionEnded;
            ended
        }
        5..8 => page_view(&name, at, &format!("http://a.example/{}", random.random_range(0..7))),
        _ => {
            let kind = InteractionKind::ALL[random.random_range(0..InteractionKind::ALL.len())];
            interaction(&name, at, kind, "#a", "{}")
        }
    }
}

/// User agent, start and end.
type Session = (String, DateTime<Utc>, Option<DateTime<Utc>>);

/// The facts, as the lists have them.
struct Facts {
    sessions: Vec<Session>,
    page_views: Vec<(String, DateTime<Utc>)>,
    interactions: Vec<(String, DateTime<Utc>)>,
}

const SESSIONS: &str = "SELECT a.text, start_time, end_time FROM session s JOIN user_agent a ON a.id = s.user_agent_id";
const PAGE_VIEWS: &str = "SELECT u.text, \"timestamp\" FROM page_view JOIN url u ON u.id = url_id";
const INTERACTIONS: &str = "SELECT event_type, \"timestamp\" FROM interaction";

/// Days of a report, in a zone.
struct Week {
    today: NaiveDate,
    zone: Tz,
}

impl Week {
    /// What happened on each of the days, newest first; days without anything missing.
    fn days<T>(&self, all: impl IntoIterator<Item = (T, DateTime<Utc>)>) -> Vec<(NaiveDate, Vec<T>)> {
        let mut days = BTreeMap::<NaiveDate, Vec<T>>::new();
        for (what, at) in all {
            let day = at.with_timezone(&self.zone).date_naive();
            if (self.today - Days::new(6)..=self.today).contains(&day) {
                days.entry(day).or_default().push(what);
            }
        }
        days.into_iter().rev().collect()
    }

    fn item(&self, day: NaiveDate, count: usize) -> Value {
        let start = day.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(self.zone).unwrap();
        let name = DAYS[usize::try_from(day.weekday().num_days_from_monday()).unwrap()];
        json!({"day": name, "count": count, "timestamp": start.to_rfc3339()})
    }
}

/// How often each of them is there, by name.
fn counts<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// The mean in whole minutes, cut, never negative.
fn minutes(lengths: &[i64]) -> String {
    let mean = lengths.iter().sum::<i64>() / i64::try_from(lengths.len()).unwrap();
    (mean / 60_000_000).max(0).to_string()
}

impl Facts {
    async fn of(site: &Site) -> Self {
        Self {
            sessions: sqlx::query_as(SESSIONS).fetch_all(&site.pool).await.unwrap(),
            page_views: sqlx::query_as(PAGE_VIEWS).fetch_all(&site.pool).await.unwrap(),
            interactions: sqlx::query_as(INTERACTIONS).fetch_all(&site.pool).await.unwrap(),
        }
    }

    /// The report as the contract describes it: key and items.
    fn report(&self, week: &Week) -> [(&'static str, Vec<Value>); 6] {
        let interactions = week.days(self.interactions.iter().map(|(kind, at)| (kind.as_str(), *at)));
        let types = counts(interactions.iter().flat_map(|(_, kinds)| kinds.iter().copied()));
        let types = types.into_iter().map(|(kind, count)| json!({"interaction": kind, "count": count}));
        let by_day = interactions.iter().map(|(day, kinds)| week.item(*day, kinds.len()));

        let page_views = week.days(self.page_views.iter().map(|(url, at)| (url.as_str(), *at)));
        let page_views = page_views.into_iter().map(|(day, urls)| {
            let mut item = week.item(day, urls.len());
            item["urls"] = counts(urls).into_iter().map(|(url, count)| json!({"url": url, "count": count})).collect();
            item
        });

        let sessions = week.days(self.sessions.iter().map(|session| (session, session.1)));
        let sessions_a_day = sessions.iter().map(|(day, sessions)| week.item(*day, sessions.len()));
        let durations = sessions.iter().filter_map(|(day, sessions)| {
            let length = |(_, start, end): &&Session| (end.as_ref()?.signed_duration_since(start)).num_microseconds();
            let lengths: Vec<i64> = sessions.iter().filter_map(length).collect();
            let mut item = week.item(*day, lengths.len());
            item["duration"] = (!lengths.is_empty()).then(|| minutes(&lengths))?.into();
            Some(item)
        });
        let browser = |(user_agent, ..): &Session| BROWSERS.iter().find(|known| known.0 == user_agent).unwrap().1;
        let browsers =
            counts(sessions.iter().flat_map(|(_, sessions)| sessions.iter().map(|session| browser(session))));
        let all: usize = browsers.values().sum();
        let mut browsers: Vec<_> = browsers.into_iter().collect();
        browsers.sort_by_key(|(name, count)| (Reverse(*count), *name));
        let browsers = browsers.into_iter().map(|(browser, count)| {
            let hundredths = u32::try_from((count * 20_000 + all) / (2 * all)).unwrap();
            json!({"browser": browser, "count": count, "percentage": f64::from(hundredths) / 100.0})
        });
        [
            ("interaction_data", types.collect()),
            ("timestamps_data", by_day.collect()),
            ("page_views", page_views.collect()),
            ("start_end_times_data", durations.collect()),
            ("browser_data", browsers.collect()),
            ("sessions_data", sessions_a_day.collect()),
        ]
    }
}

#[tokio::test]
async fn the_numbers_are_those_of_the_facts_in_any_zone() {
    let mut random = seeded("the_numbers_are_those_of_the_facts_in_any_zone");
    for zone in [Tz::Europe__Berlin, Tz::America__St_Johns, Tz::Pacific__Kiritimati] {
        let mut site = Site::with(Setup { zone, partitions: 4, ..Setup::default() }).await;
        for _ in 0..6 {
            let events: Vec<Envelope> = (0..random.random_range(1..200)).map(|_| event(&mut random, zone)).collect();
            site.project(&events).await;
            let facts = Facts::of(&site).await;
            let found = site.get_as_staff("/report/data/").await.json();
            let today = DateTime::parse_from_rfc3339(found["as_of"].as_str().unwrap()).unwrap().date_naive();
            for (key, expected) in facts.report(&Week { today, zone }) {
                assert_eq!(found[key], Value::from(expected), "{key} in {zone}");
            }
        }
    }
}
