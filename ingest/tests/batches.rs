//! Batches over a real log.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use axum::{body::Body, http::Request, response::Response};
use common::{Bench, read, settings};
use flate2::{Compression, write::GzEncoder};
use schema::{Position, codec, limits::MAX_BATCH_BYTES};
use serde_json::{Value, json};
use std::io::Write;
use tower::ServiceExt;

fn page_view(session: &str, page: usize) -> Value {
    json!({"type": "pageview", "session_id": session, "url": format!("http://a.example/{page}")})
}

async fn send(bench: &Bench, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
    let mut request = Request::post("/batch/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    bench.app.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
}

async fn post(bench: &Bench, batch: &Value) -> (u16, Value) {
    bench.post("/batch/", "application/json", batch.to_string()).await
}

fn statuses(answer: &Value) -> Vec<&str> {
    answer["results"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_event_has_its_own_result_and_the_accepted_ones_are_on_the_log_under_their_ids() {
    let bench = Bench::new(settings(&[])).await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut repeated = page_view("a", 1);
    repeated["event_id"] = id.into();
    let session = json!({"type": "session", "session_id": "a", "user_agent": "u", "ip_address": "192.0.2.1"});
    let events =
        json!([session, page_view("b", 0), {"type": "pageview"}, repeated, repeated, {"type": "session_end"}, 5]);
    let (status, answer) = post(&bench, &json!({ "events": events })).await;
    assert_eq!(status, 207, "{answer}");
    let expected = ["accepted", "accepted", "rejected", "accepted", "duplicate", "rejected", "rejected"];
    assert_eq!(statuses(&answer), expected);
    let required = json!(["This field is required."]);
    let results = &answer["results"];
    assert_eq!(results[2]["errors"], json!({"url": required, "session_id": required}));
    assert_eq!(results[5]["errors"], json!({"session_id": required}));
    let no_object = "Invalid data. Expected a dictionary, but got int.";
    assert_eq!(results[6]["errors"], json!({"non_field_errors": [no_object]}));
    assert!(results[0].get("id").is_none(), "that of a session is not known: {answer}");
    assert_eq!((&results[3]["event_id"], &results[4]["id"]), (&json!(id), &results[3]["id"]));

    let records = bench.records().await;
    assert_eq!(records.len(), 3);
    for place in [1, 3] {
        let position = Position::from_id(results[place]["id"].as_i64().unwrap()).unwrap();
        let record = records.iter().find(|record| record.position == position).unwrap();
        let envelope = codec::decode(record.schema_version, &record.value).unwrap();
        assert_eq!(envelope.event_id.to_string(), results[place]["event_id"].as_str().unwrap());
    }
}

#[tokio::test]
async fn the_status_tells_whether_all_some_or_none_were_taken() {
    let bench = Bench::new(settings(&[])).await;
    let (good, bad) = (page_view("s", 0), json!({"type": "pageview"}));
    for (events, expected) in [
        (json!([]), 202),
        (json!([good, good]), 202),
        (json!([good, bad]), 207),
        (json!([bad, bad]), 400),
        (json!([null]), 400),
    ] {
        let (status, answer) = post(&bench, &json!({ "events": events })).await;
        assert_eq!((status, answer["results"].as_array().unwrap().len()), (expected, events.as_array().unwrap().len()));
    }
    for body in ["", "{}", "[]", "{\"events\":1}", "{", "{\"events\":[}"] {
        let (status, answer) = bench.post("/batch/", "application/json", body).await;
        assert_eq!(
            (status, answer["detail"].is_string(), answer.get("results")),
            (400, true, None),
            "{body}: {answer}"
        );
    }
    assert_eq!(bench.post("/batch/", "application/x-www-form-urlencoded", "events=[]").await.0, 415);
    assert_eq!(bench.records().await.len(), 3);
}

#[tokio::test]
async fn a_full_batch_is_taken_in_both_forms_and_every_encoding_and_keeps_its_order() {
    let bench = Bench::new(settings(&[])).await;
    let events: Vec<Value> = (0..2_000).map(|page| page_view("s", page)).collect();
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let document = json!({ "events": events }).to_string().into_bytes();
    let gzip = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&document).unwrap();
        encoder.finish().unwrap()
    };
    let deflate = {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&document).unwrap();
        encoder.finish().unwrap()
    };
    let brotli = {
        let mut out = Vec::new();
        brotli::BrotliCompress(&mut &document[..], &mut out, &brotli::enc::BrotliEncoderParams::default()).unwrap();
        out
    };
    let zstd = zstd::encode_all(&document[..], 0).unwrap();
    let json = "application/json";
    for (content_type, coding, body) in [
        (json, "identity", document.clone()),
        ("text/plain;charset=UTF-8", "", document),
        ("application/x-ndjson", "", lines.join("\r\n").into_bytes()),
        (json, "gzip", gzip),
        (json, "br", brotli),
        (json, "zstd", zstd),
        (json, "deflate", deflate),
    ] {
        let headers = [("content-type", content_type), ("content-encoding", coding)];
        let (status, answer) = read(send(&bench, &headers, body).await).await;
        assert_eq!(status, 202, "{content_type} {coding}");
        let ids: Vec<i64> =
            answer["results"].as_array().unwrap().iter().map(|result| result["id"].as_i64().unwrap()).collect();
        assert!(ids.len() == 2_000 && ids.is_sorted(), "{content_type} {coding}");
    }
    assert_eq!(bench.records().await.len(), 7 * 2_000);
}

#[tokio::test]
async fn what_is_too_much_is_refused_and_the_next_batch_is_taken() {
    let bench = Bench::new(settings(&[])).await;
    let many: Vec<Value> = (0..2_001).map(|page| page_view("s", page)).collect();
    let (status, answer) = post(&bench, &json!({ "events": many })).await;
    assert_eq!((status, answer), (413, json!({"detail": "A batch has at most 2000 events."})));

    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..100 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let headers = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let (status, answer) = read(send(&bench, &headers, bomb.finish().unwrap()).await).await;
    let told = format!("The request body is larger than {MAX_BATCH_BYTES} bytes.");
    assert_eq!((status, answer["detail"].as_str()), (413, Some(told.as_str())));
    let (status, _) = bench.post("/batch/", "application/json", vec![b' '; MAX_BATCH_BYTES + 1]).await;
    assert_eq!(status, 413);

    let response = send(&bench, &[("content-type", "application/json"), ("content-encoding", "lzma")], vec![1]).await;
    let told = response.headers()["accept-encoding"].to_str().unwrap();
    assert_eq!((response.status().as_u16(), told), (415, "gzip, br, zstd, deflate"));

    assert_eq!(post(&bench, &json!({"events": [page_view("s", 0)]})).await.0, 202);
    assert_eq!(bench.records().await.len(), 1);
}

#[tokio::test]
async fn an_event_that_the_log_will_never_take_is_rejected_alone() {
    let bench = Bench::new(settings(&[])).await;
    let mut large = json!({"type": "interaction", "session_id": "s", "event_type": "click", "element": "b"});
    large["metadata"] = "x".repeat(5 << 20).into();
    let (status, answer) = post(&bench, &json!({"events": [page_view("s", 0), large]})).await;
    assert_eq!((status, statuses(&answer)), (207, vec!["accepted", "rejected"]));
    assert_eq!(answer["results"][1]["errors"]["non_field_errors"][0], "The event is larger than the log takes.");
    assert_eq!(bench.records().await.len(), 1);
}

#[tokio::test]
async fn a_resource_that_is_closed_rejects_its_events_and_one_that_is_open_takes_its_own() {
    let session_end = json!({"type": "session_end", "session_id": "s"});
    let events = json!({"events": [page_view("s", 0), session_end]});
    let off = "The method \"POST\" is currently disabled for this endpoint. It can be changed in the settings.";
    let nobody = "Authentication credentials were not provided.";
    for (argument, value, told) in
        [("--pageviews-allow-create", "false", off), ("--pageviews-write-access", "user", nobody)]
    {
        let bench = Bench::new(settings(&[argument, value])).await;
        let (status, answer) = post(&bench, &events).await;
        assert_eq!((status, statuses(&answer)), (207, vec!["rejected", "accepted"]));
        assert_eq!(answer["results"][0]["errors"], json!({"non_field_errors": [told]}));
    }
    let bench = Bench::new(settings(&["--allow-create", "false"])).await;
    assert_eq!(post(&bench, &events).await, (405, json!({ "detail": off })));
    let bench = Bench::new(settings(&["--write-access", "staff"])).await;
    assert_eq!(post(&bench, &events).await, (401, json!({ "detail": nobody })));
}

#[tokio::test]
async fn a_time_that_cannot_be_taken_is_an_error_after_the_clients_clock_was_corrected() {
    let bench = Bench::new(settings(&[])).await;
    let mut old = page_view("s", 0);
    old["timestamp"] = "2001-01-01T00:00:00Z".into();
    let (status, answer) = post(&bench, &json!({"events": [old]})).await;
    let told = json!({"timestamp": ["Ensure this time is no more than 30 days in the past."]});
    assert_eq!((status, &answer["results"][0]["errors"]), (400, &told));
    // a clock that stands a minute after that time
    let (status, answer) = post(&bench, &json!({"events": [old], "sent_at": "2001-01-01T00:01:00Z"})).await;
    assert_eq!((status, answer["results"][0]["time_source"].as_str()), (202, Some("client")), "{answer}");
    let records = bench.records().await;
    let envelope = codec::decode(records[0].schema_version, &records[0].value).unwrap();
    let behind = envelope.recorded_at - envelope.occurred_at;
    assert!((59..=61).contains(&behind.num_seconds()), "{behind}");
}

#[tokio::test]
async fn the_header_that_is_repeated_with_every_event_is_bounded() {
    let bench = Bench::new(settings(&[])).await;
    let agent = "a".repeat(60_000);
    let events: Vec<Value> = (0..2_000).map(|page| page_view("s", page)).collect();
    let headers = [("content-type", "application/json"), ("user-agent", &agent)];
    let response = send(&bench, &headers, json!({ "events": events }).to_string().into_bytes()).await;
    assert_eq!(response.status(), 202);
    let largest = bench.records().await.iter().map(|record| record.value.len()).max().unwrap();
    assert!(largest < 3_000, "{largest}");
}
