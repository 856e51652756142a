//! The report against a slow model, after random events of all kinds around the days on which the clocks change. The
//! seed is printed.

mod expected;
mod facts;

use crate::common::{Setup, Site, encode, events::*};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use expected::Question;
use facts::{AGENTS, Facts};
use rand::{RngExt, rngs::StdRng};
use schema::{Envelope, Event, InteractionCorrected, InteractionKind, PageViewCorrected, SessionCorrected};
use serde_json::Value;
use std::collections::BTreeMap;
use test_support::seeded;

/// Zones, and the days on which their clocks change; Lord Howe's by half an hour.
const CHANGES: [(Tz, [&str; 2]); 3] = [
    (Tz::Europe__Berlin, ["2026-03-29", "2025-10-26"]),
    (Tz::America__New_York, ["2026-03-08", "2025-11-02"]),
    (Tz::Australia__Lord_Howe, ["2026-04-05", "2025-10-05"]),
];

/// Within four days of the change, often right at a midnight.
fn moment(random: &mut StdRng, zone: Tz, change: NaiveDate) -> DateTime<Utc> {
    let day = change + TimeDelta::days(random.random_range(-4..=4));
    let midnight = day.and_hms_opt(0, 0, 0).unwrap().and_local_timezone(zone).earliest().unwrap().to_utc();
    if random.random_bool(0.3) {
        return midnight + TimeDelta::microseconds(random.random_range(-2..=2));
    }
    midnight + TimeDelta::seconds(random.random_range(0..90_000))
}

fn url(random: &mut StdRng) -> String {
    let site = ["http://a.example/", "http://a.example/shop/", "http://b.example/"][random.random_range(0..3)];
    format!("{site}{}", random.random_range(0..3))
}

fn kind(random: &mut StdRng) -> InteractionKind {
    InteractionKind::ALL[random.random_range(0..InteractionKind::ALL.len())]
}

fn agent(random: &mut StdRng) -> &'static str {
    AGENTS[random.random_range(0..AGENTS.len())][0]
}

/// An event of any kind. Corrections and deletions name something that is there, or was.
fn any_event(random: &mut StdRng, zone: Tz, change: NaiveDate, made: &[(i64, String)]) -> Envelope {
    let at = moment(random, zone, change);
    let name = format!("s{}", random.random_range(0..40));
    let end = |random: &mut StdRng| {
        let most = 10_i64.pow(random.random_range(3..9));
        let length = TimeDelta::milliseconds(random.random_range(-100_000..most));
        random.random_bool(0.7).then(|| at + length)
    };
    let of = |name: &str, event| Envelope { event, ..session(name, at, None) };
    let (known, of_known) = match made.get(random.random_range(0..made.len().max(1))) {
        Some((id, session)) => (*id, session.clone()),
        None => (77, name.clone()),
    };
    match random.random_range(0..40) {
        0..8 => announced(&name, at, agent(random), end(random), None),
        8..10 => of(&name, Event::SessionEnded),
        10..12 => {
            let user_agent = random.random_bool(0.6).then(|| agent(random).to_owned());
            let end_time = random.random_bool(0.6).then(|| end(random).map(schema::to_micros));
            let event = SessionCorrected { user_agent, end_time, ..SessionCorrected::default() };
            of(&name, Event::SessionCorrected(event))
        }
        12 => of(&name, Event::SessionDeleted),
        13 => of(&of_known, Event::PageViewCorrected(PageViewCorrected { id: known, url: url(random) })),
        14 => {
            let kind = random.random_bool(0.6).then(|| kind(random));
            let element = random.random_bool(0.6).then(|| "#corrected".to_owned());
            let event = InteractionCorrected { id: known, kind, element, metadata: None };
            of(&of_known, Event::InteractionCorrected(event))
        }
        15 => of(&of_known, Event::PageViewDeleted { id: known }),
        16 => of(&of_known, Event::InteractionDeleted { id: known }),
        17..30 => page_view(&name, at, &url(random)),
        _ => interaction(&name, at, kind(random), ["#a", "#b"][random.random_range(0..2)], "{}"),
    }
}

/// Names (with the type, of elements) and counts of a list of the report.
fn list(report: &Value, key: &str) -> Vec<(Vec<String>, i64)> {
    assert_eq!(report[key]["more"], 0, "{key}");
    let rows = report[key]["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        let texts = ["name", "interaction"].into_iter().filter_map(|key| row[key].as_str());
        (texts.map(str::to_owned).collect(), row["count"].as_i64().unwrap())
    })
    .collect()
}

/// Page views, sessions and interactions by hour, as far as there are any.
fn by_hour(hours: &Value) -> BTreeMap<DateTime<Utc>, [i64; 3]> {
    let of = |hour: &Value| {
        let at: DateTime<Utc> = hour["timestamp"].as_str().unwrap().parse().unwrap();
        (at, ["page_views", "sessions", "interactions"].map(|key| hour[key].as_i64().unwrap()))
    };
    hours.as_array().unwrap().iter().map(of).filter(|(_, counts)| *counts != [0; 3]).collect()
}

/// The lists have at most 15 rows, so only so much of a longer one is compared.
fn begins_alike(found: &Value, key: &str, expected: &[(Vec<String>, i64)]) {
    let more = usize::try_from(found[key]["more"].as_i64().unwrap()).unwrap();
    let mut cut = found.clone();
    cut[key]["more"] = 0.into();
    let rows = list(&cut, key);
    assert_eq!((rows.as_slice(), rows.len() + more), (&expected[..rows.len()], expected.len()), "{key}: {found}");
}

async fn compare(site: &Site, question: &Question<'_>, query: &str) {
    let length = Days::new(u64::try_from((question.last - question.first).num_days() + 1).unwrap());
    let path = format!("/report/data/?from={}&to={}&compare=1{query}", question.first, question.last);
    let found = site.get_as_staff(&path).await.json();
    let follows = question.visitor.is_none();
    let (first, last) = (question.first, question.last);
    question.sums(first, last).assert_are(&found["totals"], follows, &path);
    question.sums(first - length, last - length).assert_are(&found["before"]["totals"], follows, &path);
    let days = found["days"].as_array().unwrap();
    assert_eq!(days.len(), first.iter_days().take_while(|day| *day <= last).count());
    for (date, day) in first.iter_days().zip(days) {
        assert_eq!(day["date"], date.to_string());
        question.sums(date, date).assert_are(day, follows, &format!("{date} of {path}"));
    }
    assert_eq!(found["interaction_data"], question.types(), "{path}");
    let hours = if first == last { question.hours() } else { BTreeMap::new() };
    assert_eq!(by_hour(&found["hours"]), hours, "{path}");
    assert_eq!(list(&found, "pages"), question.pages(), "{path}");
    begins_alike(&found, "elements", &question.elements());
    assert_eq!(list(&found, "families"), question.visitors(2, Some(false)), "{path}");
    assert_eq!(list(&found, "systems"), question.visitors(3, Some(false)), "{path}");
    assert_eq!(list(&found, "devices"), question.visitors(4, Some(false)), "{path}");
    assert_eq!(list(&found, "bots"), question.visitors(2, Some(true)), "{path}");
    let browsers = question.visitors(1, None).into_iter();
    let browsers: Vec<_> = browsers.map(|(name, count)| serde_json::json!([name[0], count])).collect();
    let told = found["browser_data"].as_array().unwrap().iter();
    assert_eq!(told.map(|of| serde_json::json!([of["browser"], of["count"]])).collect::<Vec<_>>(), browsers, "{path}");
}

#[tokio::test]
async fn every_range_and_filter_tells_what_a_slow_model_counts_around_the_change_of_the_clocks() {
    let mut random = seeded("every_range_and_filter_tells_what_a_slow_model_counts_around_the_change_of_the_clocks");
    for (zone, change) in CHANGES.into_iter().flat_map(|(zone, days)| days.map(|day| (zone, day))) {
        let change: NaiveDate = change.parse().unwrap();
        // with days that were added up before, and without any
        let arguments: &[&str] = if random.random_bool(0.7) { &[] } else { &["--report-cache-mb", "0"] };
        let mut site = Site::with(Setup { zone, partitions: 3, arguments, ..Setup::default() }).await;
        let mut facts = Facts::default();
        let mut made: Vec<(i64, String)> = Vec::new();
        for _ in 0..5 {
            let events: Vec<Envelope> =
                (0..random.random_range(1..150)).map(|_| any_event(&mut random, zone, change, &made)).collect();
            let ids = site.project(&events).await;
            for (id, event) in ids.into_iter().zip(&events) {
                facts.apply(id, event);
                made.push((id, event.session_id.as_str().to_owned()));
            }
            let first = change - Days::new(random.random_range(0..5));
            let last = change + Days::new(random.random_range(0..5));
            let all = |url, visitor| Question { facts: &facts, zone, first, last, url, visitor };
            compare(&site, &all(None, None), "").await;
            compare(&site, &Question { first: change, last: change, ..all(None, None) }, "").await;
            for url in ["http://a.example/shop", "http://nowhere.example/"] {
                compare(&site, &all(Some(url), None), &format!("&url={}", encode(url))).await;
            }
            let told = AGENTS[random.random_range(0..AGENTS.len())];
            for (place, name) in [(1, "browser"), (2, "family"), (3, "os"), (4, "device")] {
                let query = format!("&{name}={}", encode(told[place]));
                compare(&site, &all(None, Some((place, told[place]))), &query).await;
            }
        }
        let mut connection = site.pool.acquire().await.unwrap();
        let differences = projector::verify::tables::differences(&mut connection, zone).await.unwrap();
        assert!(differences.is_empty(), "roll-ups against SQL over the facts: {differences:#?}");
    }
}
