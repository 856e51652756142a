//! A small shop and its visitors: events that look like those of a real site, the same for the same day.

use crate::http;
use chrono::{DateTime, Datelike, Duration, SubsecRound, Utc};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use std::io;

/// Events of one request.
const BATCH: usize = 1_500;

/// User agents, and how many of a hundred visitors have them.
const VISITORS: [(&str, u32); 10] = [
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        33,
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
        18,
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        15,
    ),
    ("Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", 9),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
        8,
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
        7,
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
        3,
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        2,
    ),
    ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 3),
    ("curl/8.5.0", 2),
];

/// Types of interactions, and how many of a hundred there are.
const INTERACTIONS: [(&str, u32); 8] = [
    ("click", 31),
    ("scroll", 26),
    ("mouse_move", 10),
    ("hover", 9),
    ("keypress", 9),
    ("input_change", 8),
    ("form_submit", 5),
    ("page_resize", 2),
];

const ELEMENTS: [&str; 8] =
    ["a.product", "button.cart", "#buy", "#menu", "form#search", "#newsletter", "img.gallery", "footer a.imprint"];

/// The days up to now of a shop.
pub struct Shop {
    /// Days before today.
    pub days: u32,
    /// Visits on a working day.
    pub visits: u32,
}

impl Shop {
    /// Sends everything to `host:port`: the number of events.
    ///
    /// # Errors
    /// When a batch is not taken as a whole.
    pub fn open(&self, address: &str) -> io::Result<usize> {
        let now = Utc::now().trunc_subsecs(3);
        let mut random = StdRng::seed_from_u64(20_261_125);
        let (mut events, mut sent) = (Vec::new(), 0);
        for ago in (0..=self.days).rev() {
            let day = (now - Duration::days(ago.into())).date_naive();
            let weekend = day.weekday().num_days_from_monday() > 4;
            let visits = (if weekend { self.visits / 2 } else { self.visits }) * random.random_range(85..115) / 100;
            for number in 0..visits {
                let begin = day.and_hms_opt(0, 0, 0).expect("midnight is a time").and_utc() + daytime(&mut random);
                visit(&mut events, &mut random, &format!("visit-{}-{number:03}", day.format("%m%d")), begin, now);
                if events.len() >= BATCH {
                    sent += send(address, &mut events)?;
                }
            }
        }
        Ok(sent + send(address, &mut events)?)
    }
}

/// Some time of a day, more of them in the afternoon than at night.
fn daytime(random: &mut impl Rng) -> Duration {
    let hours: u32 = (0..3).map(|_| random.random_range(0..8_000)).sum();
    Duration::milliseconds(i64::from(hours) * 3_600)
}

/// Adds the events of one session, as far as they have happened.
fn visit(events: &mut Vec<Value>, random: &mut impl Rng, name: &str, begin: DateTime<Utc>, now: DateTime<Utc>) {
    if begin >= now {
        return;
    }
    let customer = random.random_ratio(3, 10).then(|| format!("customer-{}", random.random_range(1..400)));
    let address = if random.random_ratio(1, 5) {
        format!("2001:db8::{:x}", random.random_range(1..9_999))
    } else {
        format!("192.0.2.{}", random.random_range(1..250))
    };
    events.push(json!({
        "type": "session", "session_id": name, "user_agent": one_of(&VISITORS, random), "ip_address": address,
        "start_time": begin, "user_id": customer,
    }));
    let mut at = begin;
    let pages = if random.random_ratio(2, 5) { 1 } else { random.random_range(2..8) };
    for _ in 0..pages {
        if at >= now {
            return;
        }
        events.push(json!({"type": "pageview", "session_id": name, "url": page(random), "timestamp": at}));
        for _ in 0..random.random_range(0..3) {
            at = now.min(at + Duration::milliseconds(random.random_range(400..25_000)));
            let element = ELEMENTS.choose(random).expect("there are elements");
            let metadata =
                json!({"x": random.random_range(0..1_400), "y": random.random_range(0..900), "text": "Add to basket"});
            events.push(json!({
                "type": "interaction", "session_id": name, "event_type": one_of(&INTERACTIONS, random),
                "element": element, "metadata": metadata, "timestamp": at,
            }));
        }
        at += Duration::milliseconds(random.random_range(2_000..70_000));
    }
    if at < now && random.random_ratio(4, 5) {
        events.push(json!({"type": "session_end", "session_id": name, "timestamp": at}));
    }
}

/// A few pages that most see, and many that few see.
fn page(random: &mut impl Rng) -> String {
    let path = match random.random_range(0..100) {
        0..18 => "/".to_owned(),
        18..26 => "/cart".to_owned(),
        26..31 => "/checkout?step=1".to_owned(),
        31..34 => "/checkout?step=2".to_owned(),
        34..37 => "/about".to_owned(),
        rest => {
            let kind = if rest % 3 == 0 { "articles" } else { "products" };
            // the product of two evenly spread numbers is mostly small
            format!("/{kind}/{:04}", random.random_range(1..12) * random.random_range(1..12))
        }
    };
    format!("https://shop.example{path}")
}

fn one_of<'a>(choices: &[(&'a str, u32)], random: &mut impl Rng) -> &'a str {
    choices.choose_weighted(random, |(_, weight)| *weight).expect("there are choices").0
}

fn send(address: &str, events: &mut Vec<Value>) -> io::Result<usize> {
    let events = std::mem::take(events);
    if events.is_empty() {
        return Ok(0);
    }
    let body = json!({"events": events}).to_string();
    let answer = http::send(address, "POST", "/batch/", &[("Content-Type", "application/json")], body.as_bytes())?;
    if answer.status == 202 { Ok(events.len()) } else { Err(io::Error::other(answer.text())) }
}
