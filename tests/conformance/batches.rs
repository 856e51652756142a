//! § 12: batches.

use crate::{
    Case,
    site::{JSON, Site, session},
};
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use serde_json::{Value, json};
use std::io::Write;

pub const CASES: &[Case] = &[
    Case("12", "a batch takes all four types, in order, and tells each event's result and id", types),
    Case("12", "a batch may be one JSON object a line", lines),
    Case("12", "a batch may be compressed by gzip, br, zstd or deflate; what is not known is 415", compressed),
    Case("12", "202 when all were taken, 207 when results differ, 400 when all were rejected", statuses),
    Case("12", "an event_id that stands earlier in the batch for its session is a duplicate", duplicates),
    Case("12", "a batch has at most 2,000 events and 10 MB after inflation", limits),
    Case("12", "a batch that is none is 400 with detail, another content type 415", broken),
    Case("12", "in a batch a client's time is taken or an error, corrected by sent_at", times),
];

fn page_view(id: &str, page: &str) -> Value {
    json!({"type": "pageview", "session_id": id, "url": format!("http://a.example/{page}")})
}

fn statuses_of(answer: &Value) -> Vec<&str> {
    answer["results"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap()).collect()
}

fn types(site: &Site) {
    let id = site.session();
    let mut announced = session(&id);
    announced["type"] = "session".into();
    let events = json!([
        announced,
        page_view(&id, "1"),
        {"type": "interaction", "session_id": id, "event_type": "click", "element": "#b"},
        {"type": "session_end", "session_id": id},
    ]);
    let answer = site.accept_json("batch", &json!({ "events": events }));
    assert_eq!(statuses_of(&answer), ["accepted"; 4], "{answer}");
    assert_eq!(site.found("pageviews", &answer["results"][1])["url"], "http://a.example/1");
    assert_eq!(site.found("interactions", &answer["results"][2])["element"], "#b");
    site.session_when(&id, |session| session["end_time"].is_string() && session["ip_address"] == "192.0.2.1");
}

fn lines(site: &Site) {
    let id = site.session();
    let text = format!("{}\r\n\n{}\n", page_view(&id, "1"), page_view(&id, "2"));
    let answer = site.accept("batch", "application/x-ndjson", text);
    assert_eq!(statuses_of(&answer), ["accepted"; 2]);
    site.found("pageviews", &answer["results"][1]);
    let text = format!("{{broken\n{}\n[]\n", page_view(&id, "3"));
    let answer = site.post("batch", "application/x-ndjson", text);
    assert_eq!((answer.status, statuses_of(&answer.json())), (207, vec!["rejected", "accepted", "rejected"]));
}

/// A text in every coding that a batch may have.
fn encoded(text: &[u8]) -> [(&'static str, Vec<u8>); 4] {
    let (mut gzip, mut deflate) =
        (GzEncoder::new(Vec::new(), Compression::fast()), ZlibEncoder::new(Vec::new(), Compression::fast()));
    gzip.write_all(text).unwrap();
    deflate.write_all(text).unwrap();
    let mut br = Vec::new();
    brotli::BrotliCompress(&mut &*text, &mut br, &brotli::enc::BrotliEncoderParams::default()).unwrap();
    [
        ("gzip", gzip.finish().unwrap()),
        ("br", br),
        ("zstd", zstd::encode_all(text, 0).unwrap()),
        ("deflate", deflate.finish().unwrap()),
    ]
}

fn compressed(site: &Site) {
    let send = |coding: &str, body: &[u8]| {
        site.send("POST", "/batch/", &[("Content-Type", JSON), ("Content-Encoding", coding)], body)
    };
    let id = site.session();
    let text = json!({"events": [page_view(&id, "1")]}).to_string();
    for (coding, body) in encoded(text.as_bytes()) {
        let answer = send(coding, &body);
        assert_eq!(answer.status, 202, "{coding}: {}", answer.text());
        site.found("pageviews", &answer.json()["results"][0]);
        for broken in [text.as_bytes(), &body[..body.len() - 1], &[&body[..], b"behind"].concat()] {
            assert_eq!(send(coding, broken).status, 400, "{coding} {broken:?}");
        }
    }
    assert_eq!(send("identity", text.as_bytes()).status, 202);
    for unknown in ["compress", "gzip, br", "x"] {
        assert_eq!(send(unknown, text.as_bytes()).status, 415, "{unknown}");
    }
    // a line is a line, compressed or not
    let lines = format!("{}\n{}\n", page_view(&id, "2"), page_view(&id, "3"));
    for (coding, body) in encoded(lines.as_bytes()) {
        let headers = [("Content-Type", "application/x-ndjson"), ("Content-Encoding", coding)];
        assert_eq!(site.send("POST", "/batch/", &headers, &body).json()["results"].as_array().unwrap().len(), 2);
    }
}

fn statuses(site: &Site) {
    let (good, bad) = (page_view(&site.session(), "1"), json!({"type": "pageview", "session_id": ""}));
    for (events, status) in
        [(json!([good, good]), 202), (json!([good, bad]), 207), (json!([bad, {"type": "x"}]), 400), (json!([]), 202)]
    {
        let answer = site.post("batch", JSON, json!({ "events": events }).to_string());
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.json()["results"].as_array().unwrap().len(), events.as_array().unwrap().len());
    }
    let answer = site.post("batch", JSON, json!({ "events": [bad] }).to_string()).json();
    let errors = json!({"url": ["This field is required."], "session_id": ["This field may not be blank."]});
    assert_eq!(answer["results"][0]["errors"], errors);
}

fn duplicates(site: &Site) {
    let (id, other) = (site.session(), site.session());
    let given = |session: &str, page: &str| {
        let mut event = page_view(session, page);
        event["event_id"] = "01890a5d-ac96-774b-bcce-b302099a8057".into();
        event
    };
    let events = json!([given(&id, "1"), given(&id, "2"), given(&other, "3"), page_view(&id, "last")]);
    let answer = site.accept_json("batch", &json!({ "events": events }));
    assert_eq!(statuses_of(&answer), ["accepted", "duplicate", "accepted", "accepted"]);
    site.found("pageviews", &answer["results"][3]);
    assert_eq!(site.get(&format!("/pageviews/?session_id={id}")).json()["count"], 2);
    // across requests it is the projector that finds it
    site.accept_json("batch", &json!({"events": [given(&id, "4")]}));
    let last = site.accept_json("batch", &json!({"events": [page_view(&id, "very-last")]}));
    site.found("pageviews", &last["results"][0]);
    assert_eq!(site.get(&format!("/pageviews/?session_id={id}")).json()["count"], 3);
}

fn limits(site: &Site) {
    let id = site.session();
    let events = |count: usize| json!({"events": vec![page_view(&id, "many"); count]}).to_string();
    let answer = site.post("batch", JSON, events(2_000));
    assert_eq!((answer.status, answer.json()["results"].as_array().unwrap().len()), (202, 2_000));
    let told = json!({"detail": "A batch has at most 2000 events."});
    site.refuse("batch", JSON, events(2_001), 413, &told);
    let blanks = vec![b' '; 11 << 20];
    for (coding, bomb) in encoded(&blanks) {
        let headers = [("Content-Type", JSON), ("Content-Encoding", coding)];
        assert_eq!(site.send("POST", "/batch/", &headers, &bomb).status, 413, "{coding}");
    }
    let answer = site.post("batch", JSON, &blanks);
    assert_eq!(answer.status, 413);
    assert!(answer.json()["detail"].is_string(), "{}", answer.text());
}

fn broken(site: &Site) {
    for (body, detail) in [
        ("", "events: This field is required."),
        ("{}", "events: This field is required."),
        ("{\"events\": {}}", "events: Expected a list of events."),
        ("[]", "Invalid data. Expected a dictionary, but got list."),
        ("null", "No data provided"),
    ] {
        site.refuse("batch", JSON, body, 400, &json!({ "detail": detail }));
    }
    let answer = site.post("batch", JSON, "{\"events\": [}").json();
    assert!(answer["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{answer}");
    let told = json!({"detail": "Unsupported media type \"text/csv\" in request."});
    site.refuse("batch", "text/csv", "a,b", 415, &told);
    let answer = site.get("/batch/");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST, OPTIONS")));
}

fn times(site: &Site) {
    let id = site.session();
    let mut event = page_view(&id, "1");
    event["timestamp"] = "2001-01-01T00:00:00Z".into();
    let answer = site.post("batch", JSON, json!({"events": [event]}).to_string());
    let errors = json!({"timestamp": ["Ensure this time is no more than 30 days in the past."]});
    assert_eq!((answer.status, &answer.json()["results"][0]["errors"]), (400, &errors));
    let answer = site.accept_json("batch", &json!({"events": [event], "sent_at": "2001-01-01T01:00:00Z"}));
    let shown = site.found("pageviews", &answer["results"][0])["timestamp"].clone();
    let shown: chrono::DateTime<chrono::Utc> = shown.as_str().unwrap().parse().unwrap();
    let ago = (chrono::Utc::now() - shown).num_minutes();
    assert!((59..=62).contains(&ago), "{ago} minutes ago");
    for wrong in [json!(null), json!(""), json!("yesterday")] {
        event["timestamp"] = wrong;
        let answer = site.post("batch", JSON, json!({"events": [event]}).to_string());
        assert_eq!(answer.status, 400, "{event}");
    }
}
