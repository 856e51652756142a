//! § 3: sessions that are announced once, again or late.

use crate::{
    Case,
    site::{JSON, Site, encode, session, with},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("3", "a session announced again stays one row and fills in", announced_again),
    Case("3", "of all that gave an end_time the last one wins, the end of a session counts like one", ends),
    Case("3", "an event for a session that nobody announced makes a provisional one", provisional),
];

fn announced_again(site: &Site) {
    let id = site.session();
    site.accept_json("sessions", &with(session(&id), "end_time", json!("2025-01-01T00:00:00Z")));
    let first = site.session_when(&id, |_| true);
    let again = json!({"session_id": id, "user_agent": "other", "ip_address": "198.51.100.1", "user_id": "ann", "end_time": "2025-01-02T00:00:00Z"});
    site.accept_json("sessions", &again);
    site.accept_json("sessions", &with(session(&id), "end_time", Value::Null));
    let found = site.session_when(&id, |session| session["user_id"] == "ann");
    assert_eq!(
        (&found["user_agent"], &found["ip_address"], &found["end_time"]),
        (&json!("Mozilla/5.0 Firefox/121.0"), &json!("192.0.2.1"), &json!("2025-01-02T00:00:00Z"))
    );
    assert_eq!((&found["id"], &found["start_time"]), (&first["id"], &first["start_time"]));
    assert_eq!(site.get(&format!("/sessions/?session_id={}", encode(&id))).json()["count"], 1);
}

fn ends(site: &Site) {
    let id = site.session();
    let now = chrono::Utc::now();
    let ago = |minutes| (now - chrono::TimeDelta::minutes(minutes)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let announced = |end: Value| site.accept_json("sessions", &with(session(&id), "end_time", end));
    let is = |end: &str| site.session_when(&id, |session| session["end_time"] == end);
    announced(json!(ago(30)));
    is(&ago(30));
    let end = json!({"timestamp": ago(10)}).to_string();
    let path = format!("/sessions/{id}/end/");
    assert_eq!(site.send("POST", &path, &[("Content-Type", JSON)], end.as_bytes()).status, 202);
    is(&ago(10));
    // the last one, not the latest
    announced(json!(ago(20)));
    is(&ago(20));
    announced(Value::Null);
    let event = json!({"type": "session_end", "session_id": id, "timestamp": ago(5)});
    site.accept_json("batch", &json!({ "events": [event] }));
    is(&ago(5));
    announced(Value::Null);
    let last = site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/"}));
    assert_eq!(site.found("pageviews", &last)["session"]["end_time"], ago(5), "null erases nothing");
}

fn provisional(site: &Site) {
    let id = site.session();
    let body = json!({"session_id": id, "url": "http://a.example/"}).to_string();
    let headers = [("Content-Type", JSON), ("User-Agent", "The Browser/1.0")];
    let taken = site.send("POST", "/pageviews/", &headers, body.as_bytes()).json();
    let found = site.found("pageviews", &taken);
    assert_eq!(found["session"]["user_agent"], "The Browser/1.0");
    let address = found["session"]["ip_address"].as_str().unwrap();
    assert!(address != "192.0.2.1" && address.parse::<std::net::IpAddr>().is_ok(), "{address}");
    assert_eq!((&found["session"]["user_id"], &found["session"]["end_time"]), (&Value::Null, &Value::Null));
    assert_eq!(found["session"]["start_time"], found["timestamp"]);
    site.accept_json("sessions", &with(session(&id), "user_id", json!("ann")));
    let announced = site.session_when(&id, |session| session["user_id"] == "ann");
    assert_eq!(
        (&announced["user_agent"], &announced["ip_address"]),
        (&json!("Mozilla/5.0 Firefox/121.0"), &json!("192.0.2.1"))
    );
    assert_eq!(announced["start_time"], found["timestamp"], "the earlier one of both");
    assert_eq!(announced["id"], found["session"]["id"], "it is the same row");
    let id = site.session();
    site.found("pageviews", &site.accept_json("pageviews", &json!({"session_id": id, "url": "http://a.example/"})));
    let earlier = (chrono::Utc::now() - chrono::TimeDelta::hours(1)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    site.accept_json("sessions", &with(session(&id), "start_time", json!(earlier)));
    site.session_when(&id, |session| session["start_time"] == earlier && session["ip_address"] == "192.0.2.1");
}
