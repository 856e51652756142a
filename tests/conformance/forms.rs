//! § 3: bodies, of forms as of JSON.

use crate::{
    Case,
    site::{FORM, JSON, Site, encode},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("3", "of repeated keys the last one wins, in JSON as in forms", repeated),
    Case("3", "forms and multipart say the same as JSON", forms),
    Case("4", "a file is no text, and nothing that any other field takes", files),
    Case("3", "a body over 2,621,440 bytes is 413 in JSON", too_large),
];

fn repeated(site: &Site) {
    let id = site.session();
    let json = format!(r#"{{"session_id":"other","session_id":"{id}","url":5,"url":"http://a.example/last"}}"#);
    let form = format!("session_id=other&session_id={id}&url=5&url=http%3A%2F%2Fa.example%2Flast");
    for (content_type, body) in [(JSON, json), (FORM, form)] {
        let found = site.found("pageviews", &site.accept("pageviews", content_type, body));
        assert_eq!((&found["url"], &found["session"]["session_id"]), (&json!("http://a.example/last"), &json!(id)));
    }
}

fn multipart(fields: &[(&str, &str)]) -> (&'static str, String) {
    let parts = fields
        .iter()
        .map(|(name, value)| format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    ("multipart/form-data; boundary=xyz", parts.collect::<String>() + "--xyz--\r\n")
}

fn urlencoded(fields: &[(&str, &str)]) -> (&'static str, String) {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    (FORM, pairs.join("&"))
}

fn forms(site: &Site) {
    for write in [multipart, urlencoded] {
        let id = site.session();
        let (content_type, body) = write(&[
            ("session_id", &format!(" {id} ")),
            ("user_agent", "Ü b"),
            ("ip_address", "::ffff:1.2.3.4"),
            ("end_time", ""),
            ("user_id", ""),
        ]);
        site.accept("sessions", content_type, body);
        let found = site.session_when(&id, |_| true);
        assert_eq!(
            (&found["user_agent"], &found["ip_address"], &found["end_time"], &found["user_id"]),
            (&json!("Ü b"), &json!("1.2.3.4"), &Value::Null, &json!(""))
        );
        for (metadata, kept) in [("{\"a\": [1, 2]}", json!({"a": [1, 2]})), ("null", json!({})), ("\"x\"", json!("x"))]
        {
            let fields =
                [("session_id", id.as_str()), ("event_type", "keypress"), ("element", "#q"), ("metadata", metadata)];
            let (content_type, body) = write(&fields);
            let found = site.found("interactions", &site.accept("interactions", content_type, body));
            assert_eq!((&found["metadata"], &found["event_type"]), (&kept, &json!("keypress")));
        }
        let (content_type, body) =
            write(&[("session_id", "s"), ("event_type", "x"), ("element", " "), ("metadata", "{")]);
        let told = json!({
            "event_type": ["\"x\" is not a valid choice."],
            "element": ["This field may not be blank."],
            "metadata": ["Value must be valid JSON."],
        });
        site.refuse("interactions", content_type, body, 400, &told);
        let (content_type, body) = write(&[("unknown", "1")]);
        let required = json!(["This field is required."]);
        let told = json!({"url": required, "session_id": required});
        site.refuse("pageviews", content_type, body, 400, &told);
    }
}

fn files(site: &Site) {
    let file = |resource: &str, field: &str, message: &str| {
        let part = |name: &str, more: &str, text: &str| {
            format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{text}\r\n")
        };
        let whole = [
            ("session_id", "s"),
            ("user_agent", "u"),
            ("ip_address", "192.0.2.1"),
            ("user_id", "u"),
            ("url", "http://a.example/"),
            ("event_type", "click"),
            ("element", "b"),
        ];
        let others = whole.iter().filter(|(name, _)| *name != field).map(|(name, text)| part(name, "", text));
        let body = others.collect::<String>() + &part(field, "; filename=\"a.txt\"", "192.0.2.1") + "--xyz--\r\n";
        site.refuse(resource, "multipart/form-data; boundary=xyz", body, 400, &json!({ field: [message] }));
    };
    for (resource, field) in [
        ("sessions", "session_id"),
        ("sessions", "user_agent"),
        ("sessions", "user_id"),
        ("pageviews", "session_id"),
        ("interactions", "element"),
    ] {
        file(resource, field, "Not a valid string.");
    }
    file("sessions", "ip_address", "Enter a valid IPv4 or IPv6 address.");
    file("pageviews", "url", "Enter a valid URL.");
    file("interactions", "event_type", "\"a.txt\" is not a valid choice.");
    file("interactions", "metadata", "Value must be valid JSON.");
}

fn too_large(site: &Site) {
    let body = |bytes: usize| {
        let rest = r#"{"session_id":"s","event_type":"click","element":"b","x":""}"#.len();
        format!(r#"{{"session_id":"s","event_type":"click","element":"b","x":"{}"}}"#, "x".repeat(bytes - rest))
    };
    site.accept("interactions", JSON, body(2_621_440));
    let answer = site.post("interactions", JSON, body(2_621_441));
    assert_eq!(answer.status, 413);
    assert!(answer.json()["detail"].is_string());
}
