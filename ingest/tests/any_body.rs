//! Whatever is sent: a clear 4xx or a stored event, never a 500, never a dead process.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Bench, settings};
use proptest::{prelude::*, test_runner::TestRunner};
use schema::codec;

/// JSON text of any kind, valid for the most part, hostile on purpose.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|b| b.to_string()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_map(|n| serde_json::Number::from_f64(n).map_or("1e400".into(), |n| n.to_string())),
        ".{0,40}".prop_map(|s| serde_json::to_string(&s).unwrap()),
        "(\\\\u[0-9a-f]{4}|[a-z]|\\\\\\\\){0,12}".prop_map(|s| format!("\"{s}\"")),
        Just("\"\\u0000\"".to_owned()),
        Just("\"\\ud800\"".to_owned()),
        Just("1e-16000".to_owned()),
        Just("-1e-17000".to_owned()),
        Just("1e307".to_owned()),
        Just("NaN".to_owned()),
        Just("9".repeat(5_000)),
        Just("\"2026-11-24T10:00:00Z\"".to_owned()),
        Just("\"9999-12-31T23:59:59.999999-23:59\"".to_owned()),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((inner.clone(), inner), 0..6).prop_map(|fields| {
                let fields: Vec<String> =
                    fields.iter().map(|(k, v)| format!("{}:{v}", serde_json::to_string(k).unwrap())).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

/// A value that its field accepts, so that cases get past the first check.
fn good(field: &str) -> &'static str {
    match field {
        "session_id" => "\"s\"",
        "user_agent" => "\"ua\"",
        "ip_address" => "\"192.0.2.1\"",
        "url" => "\"http://a.example/\"",
        "event_type" => "\"click\"",
        "element" => "\"#b\"",
        "metadata" => "{}",
        "event_id" => "\"01890a5d-ac96-774b-bcce-b302099a8057\"",
        _ => "null",
    }
}

fn object() -> impl Strategy<Value = Vec<u8>> {
    let fields = [
        "session_id",
        "user_agent",
        "ip_address",
        "start_time",
        "end_time",
        "user_id",
        "url",
        "event_type",
        "element",
        "metadata",
        "timestamp",
        "event_id",
    ];
    let value = |field: &'static str| {
        prop_oneof![
            3 => Just(Some(good(field).to_owned())),
            1 => json().prop_map(Some),
            1 => Just(None),
        ]
    };
    fields
        .map(|field| value(field).prop_map(move |value| value.map(|value| format!("\"{field}\":{value}"))))
        .to_vec()
        .prop_map(|fields| format!("{{{}}}", fields.into_iter().flatten().collect::<Vec<_>>().join(",")).into_bytes())
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => object(),
        2 => json().prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (object(), any::<usize>(), any::<u8>()).prop_map(|(mut body, at, byte)| {
            let at = at % body.len();
            body[at] = byte;
            body
        }),
    ]
}

#[test]
fn any_body_is_a_clear_answer_and_what_was_accepted_is_on_the_log() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(Bench::new(settings(&[])));
    let accepted = std::cell::Cell::new(0_usize);
    let cases = (prop::sample::select(vec!["/sessions/", "/pageviews/", "/interactions/"]), body());
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() });
    runner
        .run(&cases, |(path, body)| {
            let (status, answer) = runtime.block_on(bench.post(path, "application/json", body));
            prop_assert!([202, 400].contains(&status), "{status} {answer}");
            if status == 202 {
                accepted.set(accepted.get() + 1);
            } else {
                prop_assert!(answer.as_object().is_some_and(|errors| !errors.is_empty()), "{answer}");
            }
            Ok(())
        })
        .unwrap();
    let records = runtime.block_on(bench.records());
    assert_eq!(records.len(), accepted.get(), "202 and the log differ");
    assert!(accepted.get() > 100, "the cases are too hostile to say anything: {}", accepted.get());
    for record in records {
        codec::decode(record.schema_version, &record.value).unwrap();
    }
}

#[test]
fn any_batch_has_a_result_for_each_event_and_what_was_accepted_is_on_the_log() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let bench = runtime.block_on(Bench::new(settings(&[])));
    let accepted = std::cell::Cell::new(0_usize);
    let types = prop::sample::select(vec!["session", "pageview", "interaction", "session_end", "other", ""]);
    let event = (types, body()).prop_map(|(kind, mut body)| {
        if body.first() == Some(&b'{') && !kind.is_empty() {
            let comma = if body.get(1) == Some(&b'}') { "" } else { "," };
            body.splice(1..1, format!("\"type\":\"{kind}\"{comma}").into_bytes());
        }
        body
    });
    // so that every run has events that are taken among those that are not
    let good = Just(br#"{"type":"pageview","session_id":"s","url":"http://a.example/"}"#.to_vec());
    let cases = prop::collection::vec(prop_oneof![3 => event, 1 => good], 0..12);
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() });
    runner
        .run(&cases, |events| {
            let count = |answer: &serde_json::Value| answer["results"].as_array().map(Vec::len);
            // bytes that break a line in two make two events of it, and a blank line none
            let lines: Vec<u8> = events.join(&b'\n');
            let expected = lines.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
            let (status, answer) = runtime.block_on(bench.post("/batch/", "application/x-ndjson", lines));
            prop_assert!([202, 207, 400].contains(&status), "{status} {answer}");
            if expected > 0 {
                prop_assert_eq!(count(&answer), Some(expected));
            }
            let taken = answer["results"].as_array().into_iter().flatten();
            accepted.set(accepted.get() + taken.filter(|result| result["status"] == "accepted").count());

            let document = [&b"{\"events\":["[..], &events.join(&b','), b"]}"].concat();
            let (status, answer) = runtime.block_on(bench.post("/batch/", "application/json", document));
            prop_assert!([202, 207, 400].contains(&status), "{status} {answer}");
            let taken = answer["results"].as_array().into_iter().flatten();
            accepted.set(accepted.get() + taken.filter(|result| result["status"] == "accepted").count());
            Ok(())
        })
        .unwrap();
    let records = runtime.block_on(bench.records());
    assert_eq!(records.len(), accepted.get(), "202 and the log differ");
    assert!(accepted.get() > 100, "the cases are too hostile to say anything: {}", accepted.get());
    for record in records {
        codec::decode(record.schema_version, &record.value).unwrap();
    }
}
