//! § 3: texts and metadata.

use crate::{
    Case,
    site::{JSON, Site, encode, session, with},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("3", "strings are trimmed outside and kept inside; numbers become strings", strings),
    Case("2", "all eight types of interaction are taken", types),
    Case("3", "length counts characters", lengths),
    Case("3", "unknown keys, id and a nested session are ignored", ignored),
    Case("3", "an empty user_id stays empty", user_id),
    Case("3", "metadata is stored as sent, whatever JSON it is", metadata),
    Case("3", "metadata that cannot be kept is refused", no_metadata),
];

fn strings(site: &Site) {
    let id = site.session();
    site.accept_json(
        "sessions",
        &with(with(session(&format!(" \t{id}\n ")), "user_agent", json!("  a  b  ")), "user_id", json!(5)),
    );
    let found = site.session_when(&id, |_| true);
    assert_eq!((found["user_agent"].clone(), found["user_id"].clone()), (json!("a  b"), json!("5")));
    let id = site.session();
    let event = json!({"session_id": format!(" {id} "), "event_type": "click", "element": 1.5});
    let found = site.found("interactions", &site.accept_json("interactions", &event));
    assert_eq!((found["element"].clone(), found["session"]["session_id"].clone()), (json!("1.5"), json!(id)));
    let event = json!({"session_id": id, "event_type": "hover", "element": "a\u{1}\u{7f}b\u{85}c"});
    let found = site.found("interactions", &site.accept_json("interactions", &event));
    assert_eq!(found["element"], "a\u{1}\u{7f}b\u{85}c", "control characters are kept");
}

fn types(site: &Site) {
    let id = site.session();
    for event_type in
        ["click", "scroll", "mouse_move", "form_submit", "input_change", "page_resize", "keypress", "hover"]
    {
        let event = json!({"session_id": id, "event_type": event_type, "element": "b"});
        let found = site.found("interactions", &site.accept_json("interactions", &event));
        assert_eq!((&found["event_type"], &found["metadata"]), (&json!(event_type), &json!({})));
    }
}

fn lengths(site: &Site) {
    let too_long = |n: usize| json!([format!("Ensure this field has no more than {n} characters.")]);
    let pad = |n: usize| format!("{}{}", site.session(), "é".repeat(255)).chars().take(n).collect::<String>();
    site.accept_json("sessions", &session(&pad(255)));
    site.refuse("sessions", JSON, session(&pad(256)).to_string(), 400, &json!({"session_id": too_long(255)}));
    let id = site.session();
    site.accept_json("sessions", &with(session(&id), "user_id", json!("é".repeat(255))));
    let body = with(session(&id), "user_id", json!("é".repeat(256)));
    site.refuse("sessions", JSON, body.to_string(), 400, &json!({"user_id": too_long(255)}));
    let element = |n: usize| json!({"session_id": id, "event_type": "click", "element": "😀".repeat(n)});
    site.accept_json("interactions", &element(2_000));
    site.refuse("interactions", JSON, element(2_001).to_string(), 400, &json!({"element": too_long(2_000)}));
    let url = |n: usize| json!({"session_id": id, "url": format!("http://a.example/{}", "é".repeat(n - 17))});
    site.accept_json("pageviews", &url(2_000));
    site.refuse("pageviews", JSON, url(2_001).to_string(), 400, &json!({"url": too_long(2_000)}));
    site.accept_json("sessions", &with(session(&id), "user_agent", json!("u".repeat(100_000))));
}

fn ignored(site: &Site) {
    let id = site.session();
    let body =
        json!({"session_id": id, "url": "http://a.example/", "id": -7, "session": {"session_id": "x"}, "more": [1]});
    let taken = site.accept_json("pageviews", &body);
    assert_ne!(taken["id"], -7);
    assert_eq!(site.found("pageviews", &taken)["session"]["session_id"], id);
}

fn user_id(site: &Site) {
    for (given, kept) in [(json!(""), json!("")), (json!("   "), json!("")), (Value::Null, Value::Null)] {
        let id = site.session();
        site.accept_json("sessions", &with(session(&id), "user_id", given.clone()));
        assert_eq!(site.session_when(&id, |_| true)["user_id"], kept, "{given}");
    }
}

fn metadata(site: &Site) {
    let id = site.session();
    for value in [
        json!({}),
        json!([]),
        json!(""),
        json!(0),
        json!(false),
        json!({"a": {"b": [1, null, "x"]}}),
        json!("text"),
        json!(-1.5),
    ] {
        let body = json!({"session_id": id, "event_type": "scroll", "element": "b", "metadata": value});
        let taken = site.accept_json("interactions", &body);
        assert_eq!(site.found("interactions", &taken)["metadata"], value);
    }
    let big = "9".repeat(200);
    let body =
        format!(r#"{{"session_id":"{id}","event_type":"scroll","element":"b","metadata":{{"n":{big},"k":1,"k":2}}}}"#);
    let taken = site.accept("interactions", JSON, body);
    site.until(&format!("/interactions/?session_id={}", encode(&id)), |list| {
        (list["count"].as_i64()? >= 9).then_some(())
    });
    let text = site.get(&format!("/interactions/{}/", taken["id"].clone())).text();
    assert!(text.contains(&big) && !text.contains("\"k\": 1") && !text.contains("\"k\":1"), "{text}");
}

fn no_metadata(site: &Site) {
    let body =
        |metadata: &str| format!(r#"{{"session_id":"s","event_type":"scroll","element":"b","metadata":{metadata}}}"#);
    let told = |message: &str| json!({"metadata": [message]});
    site.refuse("interactions", JSON, body("null"), 400, &told("This field may not be null."));
    site.refuse("interactions", JSON, body("1e400"), 400, &told("Value must be valid JSON."));
    for metadata in
        [format!("{}1{}", "[".repeat(129), "]".repeat(129)), r#""\u0000""#.into(), r#"{"a":"\ud800"}"#.into()]
    {
        let answer = site.post("interactions", JSON, body(&metadata));
        assert_eq!(answer.status, 400, "{metadata}: {}", answer.text());
    }
    site.accept("interactions", JSON, body(&format!("{}1{}", "[".repeat(120), "]".repeat(120))));
    assert_eq!(site.post("interactions", JSON, body("NaN")).status, 400);
}
