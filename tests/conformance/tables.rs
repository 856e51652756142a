//! § 3 to 6, by many values: the rows of `tables/` are what Django REST framework and django-filter answer to them.

use crate::{
    Case,
    site::{JSON, Site, encode},
};
use serde_json::{Value, json};
use test_support::http::Answer;

pub const CASES: &[Case] = &[
    Case("3", "each field with every kind of value: kept as the original keeps it, or refused in its words", creating),
    Case("5", "lists asked in every way: the rows, the count and the errors of the original", asking),
];

/// A row: what is asked, and what has to come of it.
fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    table.lines().map(|line| line.split_once(" => ").unwrap_or_else(|| panic!("{line} has no =>")))
}

/// Fails once, with every row that does not hold.
fn all_hold(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} rows do not hold:\n{}", wrong.len(), wrong.join("\n"));
}

fn creating(site: &Site) {
    let (session, mut wrong) = (site.session(), Vec::new());
    for (asked, expected) in rows(include_str!("tables/creating.txt")) {
        let [resource, field, given] = asked.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
        let fields: &[(&str, String)] = match resource {
            "sessions" => {
                &[("session_id", site.session()), ("user_agent", "u".into()), ("ip_address", "1.2.3.4".into())]
            }
            "pageviews" => &[("session_id", session.clone()), ("url", "http://a.example/".into())],
            _ => &[("session_id", session.clone()), ("event_type", "click".into()), ("element", "b".into())],
        };
        let others = fields.iter().filter(|(name, _)| *name != field);
        let others: Vec<String> = others.map(|(name, value)| format!("\"{name}\":{},", json!(value))).collect();
        let others = others.concat();
        let answer = site.post(resource, JSON, format!("{{{others}\"{field}\":{given}}}"));
        let found = answer.json();
        let (status, found, expected) = match expected.strip_prefix("! ") {
            Some(messages) => (400, found, json!({ field: messages.parse::<Value>().unwrap() })),
            None => (202, found[field].clone(), expected.parse().unwrap()),
        };
        if (answer.status, &found) != (status, &expected) {
            wrong.push(format!("{asked}: {} {found}, not {expected}", answer.status));
        }
    }
    all_hold(&wrong);
}

/// `session_id`, `user_agent`, `ip_address`, `end_time`, `user_id`.
type Row = (&'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

const SESSIONS: [Row; 7] = [
    ("A", "Mozilla/5.0 Firefox/121.0", "192.0.2.1", None, None),
    ("a", "mozilla/5.0 firefox/121.0", "192.0.2.10", Some("2025-03-30T01:30:00.000001Z"), Some("")),
    ("s_1%", "a  b", "2001:db8::4", Some("2025-03-30T01:30:00Z"), Some("Ann")),
    ("7", "Ü \\ 100% 'q' \"d\"", "::ffff:1.2.3.4", Some("2025-03-29T23:59:59.999999Z"), Some("ann")),
    ("x,y z", "Grüße", "10.0.0.1", Some("2024-02-29T00:00:00Z"), Some("5")),
    ("00042", "Chrome", "fe80::1", Some("9999-12-31T23:59:59.999999Z"), Some("null")),
    ("日本", "😀 emoji", "0.0.0.0", Some("0001-01-01T00:00:00Z"), Some("true")),
];

const URLS: [&str; 12] = [
    "http://A.example/One?x=%_",
    "http://b.example/two",
    "http://b.example/Two",
    "https://ü.example/q",
    "http://a.example/'q'",
    "http://c.example/a,b",
    "http://c.example/a+b%20c",
    "http://d.example/日本",
    "ftp://x.example",
    "http://e.example/it's/10",
    "http://e.example/11",
    "http://e.example/12",
];

fn interactions() -> [(&'static str, &'static str, Value); 8] {
    [
        ("click", "#Buy", json!({"x": 3, "a": {"b": "c"}, "arr": [7, "k"]})),
        ("scroll", "#buy now", json!({"x": 4})),
        ("hover", ".100%_\\", json!({"x": 3.0})),
        ("keypress", "it's \"q\"", json!({"x": 3.5, "s": "a=b"})),
        ("form_submit", "Ünder, x", json!({"": "e", "u": "ü"})),
        ("input_change", "plain", json!({})),
        ("page_resize", "<b>", json!({"y": "z"})),
        ("mouse_move", "xxx", json!({"n": "none"})),
    ]
}

/// Sends the objects of the table, one after the other, and waits until they are seen.
fn fill(site: &Site, prefix: &str) {
    let first = format!("{prefix}A");
    for (session_id, user_agent, ip_address, end_time, user_id) in SESSIONS {
        let session_id = format!("{prefix}{session_id}");
        let body = json!({"session_id": session_id, "user_agent": user_agent, "ip_address": ip_address, "end_time": end_time, "user_id": user_id});
        site.accept_json("sessions", &body);
    }
    for url in URLS {
        site.accept_json("pageviews", &json!({"session_id": first, "url": url}));
    }
    for (event_type, element, metadata) in interactions() {
        let body = json!({"session_id": first, "event_type": event_type, "element": element, "metadata": metadata});
        site.accept_json("interactions", &body);
    }
    for (resource, count) in [("sessions", SESSIONS.len()), ("pageviews", URLS.len()), ("interactions", 8)] {
        let path = format!("/{resource}/?{}", scope(resource, prefix));
        site.until(&path, |list| (list["count"] == count).then_some(()));
    }
}

/// What keeps the objects of others out of a list.
fn scope(resource: &str, prefix: &str) -> String {
    if resource == "sessions" {
        format!("session_id_contains={}", encode(prefix))
    } else {
        format!("session_id={prefix}A")
    }
}

/// `count: 1 2 3`, the rows by their place in the table; the errors in their order; or the whole answer.
fn shown(resource: &str, prefix: &str, asked: &Answer) -> String {
    let answer = asked.json();
    let (field, names): (_, Vec<String>) = match resource {
        "sessions" => ("session_id", SESSIONS.iter().map(|session| format!("{prefix}{}", session.0)).collect()),
        "pageviews" => ("url", URLS.map(str::to_owned).to_vec()),
        _ => ("element", interactions().iter().map(|interaction| interaction.1.to_owned()).collect()),
    };
    let place =
        |object: &Value| names.iter().position(|name| object[field] == **name).map_or(0, |at| at + 1).to_string();
    match (asked.status, answer["results"].as_array()) {
        (200, Some(objects)) => {
            format!("{}: {}", answer["count"], objects.iter().map(place).collect::<Vec<_>>().join(" "))
        }
        (400, _) => format!("! {}", asked.text()),
        (status, _) => format!("{status} {answer}"),
    }
}

fn asking(site: &Site) {
    let (prefix, mut wrong) = (format!("{}-", site.session()), Vec::new());
    fill(site, &prefix);
    for (asked, expected) in rows(include_str!("tables/asking.txt")) {
        let (resource, query) = asked.split_once(' ').unwrap();
        let answer = site.get(&format!("/{resource}/?{query}&{}", scope(resource, &prefix)));
        let found = shown(resource, &prefix, &answer);
        if found != expected {
            wrong.push(format!("{asked}: {found}, not {expected}"));
        }
    }
    all_hold(&wrong);
}
