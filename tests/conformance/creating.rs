//! § 3.

use crate::{
    Case,
    site::{FORM, JSON, Site, encode, session, with},
};
use serde_json::{Value, json};

pub const CASES: &[Case] = &[
    Case("3", "strings are trimmed outside and kept inside; numbers become strings", strings),
    Case("3", "length counts characters", lengths),
    Case("3", "unknown keys, id and a nested session are ignored", ignored),
    Case("3", "an empty user_id stays empty", user_id),
    Case("3", "end_time takes every form of time that the contract names", times),
    Case("3", "end_time refuses the forms that it names", no_times),
    Case("3", "addresses are canonicalised", addresses),
    Case("3", "what is no address is refused", no_addresses),
    Case("3", "URLs are stored as sent", urls),
    Case("3", "what is no URL is refused", no_urls),
    Case("3", "metadata is stored as sent, whatever JSON it is", metadata),
    Case("3", "metadata that cannot be kept is refused", no_metadata),
    Case("3", "of repeated keys the last one wins, in JSON as in forms", repeated),
    Case("3", "forms and multipart say the same as JSON", forms),
    Case("3", "a session announced again stays one row and fills in", announced_again),
    Case("3", "an event for a session that nobody announced makes a provisional one", provisional),
    Case("3", "a body over 2,621,440 bytes is 413 in JSON", too_large),
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

/// Sent as `end_time`, and what is shown of it in UTC.
const TIMES: &[(&str, &str)] = &[
    ("2025-03-01T12:00:00Z", "2025-03-01T12:00:00Z"),
    ("2025-03-01 12:00:00Z", "2025-03-01T12:00:00Z"),
    ("2025-03-01T12:00:00+03:30", "2025-03-01T08:30:00Z"),
    ("2025-03-01T12:00:00-0330", "2025-03-01T15:30:00Z"),
    ("2025-03-01T12:00:00+03", "2025-03-01T09:00:00Z"),
    ("2025-03-01T12:00", "2025-03-01T12:00:00Z"),
    ("2025-03-01T12:00:00.5Z", "2025-03-01T12:00:00.500000Z"),
    ("2025-03-01T12:00:00.123456789Z", "2025-03-01T12:00:00.123456Z"),
    ("2025-03-01", "2025-03-01T00:00:00Z"),
    ("2025-3-1 4:05", "2025-03-01T04:05:00Z"),
    ("20250301T120000Z", "2025-03-01T12:00:00Z"),
    ("2025-W09-6", "2025-03-01T00:00:00Z"),
    ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
    ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
];

fn times(site: &Site) {
    for (given, shown) in TIMES {
        let id = site.session();
        site.accept_json("sessions", &with(session(&id), "end_time", json!(given)));
        assert_eq!(site.session_when(&id, |_| true)["end_time"], *shown, "{given}");
    }
}

const WRONG_TIME: &str =
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

fn no_times(site: &Site) {
    for given in [
        json!("2025-03-01t12:00:00Z"),
        json!("2025-03-01T12:00:00z"),
        json!("2025-03-01T24:00:00Z"),
        json!(1_740_830_400),
        json!("1740830400"),
        json!(""),
        json!("yesterday"),
        json!(true),
        json!([]),
        json!("2025-02-30T00:00:00Z"),
        json!("2025-13-01"),
    ] {
        let body = with(session(&site.session()), "end_time", given);
        site.refuse("sessions", JSON, body.to_string(), 400, &json!({"end_time": [WRONG_TIME]}));
    }
}

fn addresses(site: &Site) {
    for (given, kept) in [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("2001:DB8:0:0::4", "2001:db8::4"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("::FFFF:102:304", "1.2.3.4"),
        ("0.0.0.0", "0.0.0.0"),
        ("::", "::"),
        ("fe80::1%eth0", "fe80::1"),
    ] {
        let id = site.session();
        site.accept_json("sessions", &with(session(&id), "ip_address", json!(given)));
        assert_eq!(site.session_when(&id, |_| true)["ip_address"], kept, "{given}");
    }
}

fn no_addresses(site: &Site) {
    for given in [
        json!("192.0.2.07"),
        json!("192.0.2.0/24"),
        json!("192.0.2.7:80"),
        json!("[::1]"),
        json!("192.0.2"),
        json!("256.0.0.1"),
        json!("example.org"),
        json!(":::"),
        json!("2001:db8::/32"),
        json!(5),
        json!(false),
        json!(["1.2.3.4"]),
        json!({"a": 1}),
    ] {
        let body = with(session(&site.session()), "ip_address", given);
        site.refuse(
            "sessions",
            JSON,
            body.to_string(),
            400,
            &json!({"ip_address": ["Enter a valid IPv4 or IPv6 address."]}),
        );
    }
}

fn urls(site: &Site) {
    let id = site.session();
    for url in [
        "http://a.example",
        "HTTPS://a.example/",
        "ftp://a.example/x",
        "ftps://a.example/x",
        "http://localhost/",
        "http://localhost:8000",
        "http://127.0.0.1:65535/",
        "http://[2001:db8::1]:80/x",
        "http://bücher.example/ü",
        "http://a.example./",
        "http://intranet/",
        "http://a_b.example/",
        "http://user:pass@a.example/",
        "http://a.example?query",
        "http://a.example#fragment",
        "http://a.example/<\"%zz\\",
        "http://xn--bcher-kva.example/",
    ] {
        let taken = site.accept_json("pageviews", &json!({"session_id": id, "url": format!(" {url} ")}));
        assert_eq!(site.found("pageviews", &taken)["url"], url);
    }
}

fn no_urls(site: &Site) {
    let label = format!("http://{}.example/", "a".repeat(64));
    for url in [
        json!("a.example"),
        json!("/relative"),
        json!("//a.example/"),
        json!("javascript:alert(1)"),
        json!("mailto:a@a.example"),
        json!("http://"),
        json!("http:///x"),
        json!("http://-a.example/"),
        json!("http://a-.example/"),
        json!(label),
        json!("http://a.example/a b"),
        json!("http://a.example/a\nb"),
        json!("http://a.example:123456/"),
        json!("http://[::1/"),
        json!("http://256.0.0.1.1.example:x/"),
        json!(5),
        json!(true),
        json!([]),
    ] {
        let body = json!({"session_id": "s", "url": url});
        site.refuse("pageviews", JSON, body.to_string(), 400, &json!({"url": ["Enter a valid URL."]}));
    }
    let nul = json!({"session_id": "s", "url": "http://a.example/\0"});
    site.refuse("pageviews", JSON, nul.to_string(), 400, &json!({"url": ["Null characters are not allowed."]}));
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

fn announced_again(site: &Site) {
    let id = site.session();
    site.accept_json("sessions", &with(session(&id), "end_time", json!("2025-01-01T00:00:00Z")));
    let again = json!({"session_id": id, "user_agent": "other", "ip_address": "198.51.100.1", "user_id": "ann", "end_time": "2025-01-02T00:00:00Z"});
    site.accept_json("sessions", &again);
    site.accept_json("sessions", &with(session(&id), "end_time", Value::Null));
    let found = site.session_when(&id, |session| session["user_id"] == "ann");
    assert_eq!(
        (&found["user_agent"], &found["ip_address"], &found["end_time"]),
        (&json!("Mozilla/5.0 Firefox/121.0"), &json!("192.0.2.1"), &json!("2025-01-02T00:00:00Z"))
    );
    assert_eq!(site.get(&format!("/sessions/?session_id={}", encode(&id))).json()["count"], 1);
}

fn provisional(site: &Site) {
    let id = site.session();
    let body = json!({"session_id": id, "url": "http://a.example/"}).to_string();
    let headers = [("Content-Type", JSON), ("User-Agent", "The Browser/1.0")];
    let taken = site.send("POST", "/pageviews/", &headers, body.as_bytes()).json();
    let found = site.found("pageviews", &taken);
    assert_eq!(found["session"]["user_agent"], "The Browser/1.0");
    assert_eq!(found["session"]["start_time"], found["timestamp"]);
    site.accept_json("sessions", &with(session(&id), "user_id", json!("ann")));
    let announced = site.session_when(&id, |session| session["user_id"] == "ann");
    assert_eq!(
        (&announced["user_agent"], &announced["ip_address"]),
        (&json!("Mozilla/5.0 Firefox/121.0"), &json!("192.0.2.1"))
    );
    assert_eq!(announced["start_time"], found["timestamp"], "the earlier one of both");
    assert_eq!(announced["id"], found["session"]["id"], "it is the same row");
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
