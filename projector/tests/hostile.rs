//! Whatever ingest accepts, the projector can store.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono_tz::Tz;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use schema::{
    Envelope, Event, InteractionKind, InteractionRecorded, PageViewRecorded, SessionAnnounced, SessionId,
    limits::{MAX_ELEMENT_CHARS, MAX_SESSION_ID_CHARS, MAX_URL_CHARS},
};
use serde_json::value::RawValue;
use std::net::IpAddr;
use support::*;

/// Text that ingest takes: anything but NUL.
fn text(characters: std::ops::Range<usize>) -> impl Strategy<Value = String> + Clone {
    let character = prop_oneof![
        Just('\u{10ffff}'),
        Just('\u{1}'),
        Just('\u{7f}'),
        Just('\u{202e}'),
        Just('\\'),
        Just('"'),
        any::<char>().prop_filter("NUL is refused", |c| *c != '\0'),
    ];
    proptest::collection::vec(character, characters).prop_map(|characters| characters.into_iter().collect())
}

fn metadata() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        Just("1e-16000".to_owned()),
        Just("1e307".to_owned()),
        Just("-0.0".to_owned()),
        Just("1e131000".to_owned()),
        Just("9".repeat(100_000)),
        Just(format!("0.{}1", "0".repeat(16_000))),
        any::<i64>().prop_map(|n| n.to_string()),
    ];
    let nested = Just(format!("{}1{}", "[".repeat(127), "]".repeat(127)));
    let string = text(0..40).prop_map(|text| serde_json::to_string(&text).unwrap());
    prop_oneof![
        number.clone(),
        nested,
        string.clone(),
        (string, number).prop_map(|(key, value)| format!("{{{key}: {value}, {key}: [null, true]}}")),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let end =
        prop_oneof![Just("0001-01-01T00:00:00Z"), Just("9999-12-31T23:59:59.999999Z"), Just("2026-11-24T10:00:00Z")];
    let user_agent = prop_oneof![text(1..50), text(30_000..30_001), Just("x".repeat(100_000)), Just("(".repeat(2_000))];
    let announced = (user_agent, any::<IpAddr>(), proptest::option::of(text(0..256)), proptest::option::of(end))
        .prop_map(|(user_agent, ip_address, user_id, end_time)| {
            let end_time = end_time.map(|end| end.parse().unwrap());
            Event::SessionAnnounced(SessionAnnounced { user_agent, ip_address, user_id, end_time })
        });
    let url = prop_oneof![text(1..50), Just("\u{1f600}".repeat(MAX_URL_CHARS))];
    let element = prop_oneof![text(1..50), Just("\u{10ffff}".repeat(MAX_ELEMENT_CHARS))];
    let interaction = (element, metadata()).prop_map(|(element, metadata)| {
        let metadata = RawValue::from_string(metadata).unwrap();
        Event::InteractionRecorded(InteractionRecorded { kind: InteractionKind::Click, element, metadata })
    });
    prop_oneof![
        announced,
        Just(Event::SessionEnded),
        url.prop_map(|url| Event::PageViewRecorded(PageViewRecorded { url })),
        interaction
    ]
}

fn envelopes() -> impl Strategy<Value = Vec<Envelope>> {
    let session = prop_oneof![Just("\u{10ffff}".repeat(MAX_SESSION_ID_CHARS)), text(1..5)];
    let one = (session, event(), -2_000_000_i64..2_000_000, proptest::option::of(text(0..200)));
    proptest::collection::vec(one, 1..60).prop_map(|all| {
        let to_envelope = |(session, event, seconds, user_agent): (String, Event, i64, Option<String>)| {
            let mut envelope = envelope("s", seconds, event);
            envelope.session_id = SessionId::parse(session).unwrap();
            envelope.source.user_agent = user_agent;
            envelope
        };
        all.into_iter().map(to_envelope).collect()
    })
}

#[tokio::test]
async fn whatever_ingest_accepts_is_stored() {
    let fixture = Fixture::new(1, Tz::Asia__Tehran).await;
    let mut tape = Tape::new(1);
    let mut runner = TestRunner::new(Config::default());
    let mut total = 0;
    for _ in 0..25 {
        let envelopes = envelopes().new_tree(&mut runner).unwrap().current();
        total += i64::try_from(envelopes.len()).unwrap();
        fixture.project(envelopes.iter().map(|one| tape.put(one)).collect()).await.unwrap();
    }
    let letters =
        fixture.rows("SELECT \"offset\", error, left(encode(value, 'escape'), 500) AS value FROM dead_letter").await;
    assert_eq!(letters, Vec::<serde_json::Value>::new());
    assert_eq!(fixture.number("SELECT sum(events)::bigint FROM tally").await, total);
    fixture.assert_consistent().await;
}

#[tokio::test]
async fn a_hundred_sessions_may_end_in_the_year_9999() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let end = Some("9999-12-31T23:59:59.999999Z".parse().unwrap());
    let records = (0..100).map(|i| tape.put(&announced(&format!("s{i}"), 0, FIREFOX, end))).collect();
    fixture.project(records).await.unwrap();
    assert_eq!(fixture.number("SELECT (duration_us > 9223372036854775807)::int::bigint FROM daily_session").await, 1);
    fixture.assert_consistent().await;
}
