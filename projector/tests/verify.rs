//! Verification finds what was broken on purpose, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use event_log::postgres::{PostgresLog, PostgresLogSettings};
use projector::{Progress, VerifyOptions, VerifyReport, verify};
use schema::{Event, InteractionCorrected, InteractionKind, PageViewCorrected, Position};
use sqlx::Executor;
use std::io::Write;
use support::{random::any_envelope, running::*, *};
use test_support::seeded;

/// A read model with all kinds of events in it, and the acknowledged ones in a file.
async fn filled() -> (Running, tempfile::NamedTempFile) {
    let mut running = Running::prepare(3).await;
    running.start(&[]);
    let mut events = Vec::new();
    for i in 0..40_u32 {
        let session = format!("s{}", i % 7);
        let second = i64::from(i);
        events.push(given(page_view(&session, second, &format!("http://a.example/{}", i % 5)), u128::from(i)));
        events.push(interaction(&session, second, InteractionKind::Click, "{}"));
        events.push(announced(&session, second, FIREFOX, Some(at(second + 60))));
    }
    // sent again
    events.extend_from_within(..9);
    events.push(envelope("s3", 100, Event::SessionDeleted));
    events.push(page_view("s3", 101, "http://a.example/again"));
    let positions = running.append(&events).await;
    let of_s1 = (positions[3].id(), positions[4].id());
    running
        .append(&[
            envelope(
                "s1",
                200,
                Event::PageViewCorrected(PageViewCorrected { id: of_s1.0, url: "http://c.example/".into() }),
            ),
            envelope("s1", 200, Event::InteractionDeleted { id: of_s1.1 }),
        ])
        .await;
    running.append_raw(vec![garbage(1)]).await;
    let all = i64::try_from(events.len()).unwrap() + 3;
    running.until("all are counted", "SELECT sum(events)::bigint FROM tally", all).await;
    running.stop().await;

    let mut file = tempfile::NamedTempFile::new().unwrap();
    for event in &events {
        let line = serde_json::json!({"event_id": event.event_id, "session_id": event.session_id.as_str(), "type": "pageview"});
        writeln!(file, "{line}").unwrap();
    }
    (running, file)
}

async fn verified(running: &Running, acknowledged: Option<&std::path::Path>) -> VerifyReport {
    let options = VerifyOptions { acknowledged: acknowledged.map(Into::into), ..VerifyOptions::default() };
    verify(&running.database, &*running.log, &options, &Progress::silent()).await.unwrap()
}

/// What differs after a statement.
async fn after(running: &Running, sql: &str) -> Vec<String> {
    running.pool.execute(sql).await.unwrap();
    let report = verified(running, None).await;
    assert!(!report.ok, "{sql} was not noticed");
    assert!(report.to_string().contains("DIFFERENCE"));
    report.differences.into_iter().map(|difference| difference.what).collect()
}

#[tokio::test]
async fn a_read_model_that_is_right_is_said_to_be_right() {
    let (running, file) = filled().await;
    let report = verified(&running, Some(file.path())).await;
    assert!(report.ok, "{report}");
    assert_eq!(report.records, 134);
    assert_eq!(report.tally.values().sum::<i64>(), 134);
    let count = |event_type: &str, outcome: &str| report.tally.get(&(event_type.into(), outcome.into())).copied();
    assert_eq!(count("page_view.recorded", "duplicate"), Some(3));
    assert_eq!(count("unknown", "dead"), Some(1));
    assert!(count("interaction.recorded", "removed") > Some(1));
    assert!(report.to_string().contains("everything is accounted for"));
}

#[tokio::test]
async fn each_kind_of_damage_to_rows_is_found() {
    for (sql, expected) in [
        ("DELETE FROM page_view WHERE id = (SELECT max(id) FROM page_view)", "events without a row"),
        ("DELETE FROM session WHERE id = (SELECT min(id) FROM session)", "sessions without a row"),
        (
            "UPDATE page_view SET \"timestamp\" = \"timestamp\" + interval '1 microsecond' WHERE id = (SELECT max(id) FROM page_view)",
            "rows of another time",
        ),
        (
            "UPDATE interaction SET event_type = 'hover' WHERE id = (SELECT max(id) FROM interaction)",
            "rows that hold something else than their event",
        ),
        (
            "INSERT INTO page_view SELECT id + 1000000, session, url_id, \"timestamp\", recorded_at FROM page_view LIMIT 1",
            "rows without an event",
        ),
        (
            "UPDATE page_view SET url_id = 1 WHERE url_id = (SELECT id FROM url WHERE text = 'http://c.example/')",
            "rows that hold something else than their correction",
        ),
        (
            "UPDATE session SET id = id + 1 WHERE id = (SELECT max(id) FROM session)",
            "sessions whose row is not that of their first event",
        ),
        ("DELETE FROM dead_letter", "records that are no events and no dead letters"),
        (
            "UPDATE interaction SET metadata = '{\"a\": 2}' WHERE id = (SELECT max(id) FROM interaction)",
            "interactions with other metadata than their event's",
        ),
        ("UPDATE session SET user_id = 'eve' WHERE session_id = 's0'", "what their events fold into: user_id"),
        (
            "UPDATE session SET ip_address = '10.0.0.9' WHERE session_id = 's0'",
            "what their events fold into: ip_address",
        ),
        (
            "UPDATE session SET start_time = start_time + interval '1 microsecond' WHERE session_id = 's0'",
            "what their events fold into: start_time",
        ),
        ("UPDATE session SET end_time = NULL WHERE session_id = 's0'", "what their events fold into: end_time"),
        ("UPDATE user_agent SET text = text || '.'", "what their events fold into: user_agent"),
        (
            "UPDATE session SET last_event_at = start_time, first_recorded_at = start_time - interval '1 day'
             WHERE session_id = 's0'",
            "what their events fold into: last_event_at, first_recorded_at",
        ),
    ] {
        let (running, _file) = filled().await;
        let found = after(&running, sql).await;
        assert!(found.iter().any(|what| what.contains(expected)), "{expected} not in {found:?}");
    }
}

#[tokio::test]
async fn each_kind_of_damage_to_counters_is_found() {
    for (sql, expected) in [
        ("UPDATE row_count SET rows = rows * 2 WHERE resource = 'page_view'", "row_count"),
        ("UPDATE daily_page_view SET page_views = page_views + 1", "daily_page_view"),
        ("UPDATE daily_interaction SET event_type = 'hover'", "daily_interaction"),
        ("UPDATE daily_session SET duration_us = duration_us + 1", "daily_session"),
        ("UPDATE daily_session SET single_page = single_page + 1", "daily_session"),
        ("DELETE FROM daily_duration", "daily_duration"),
        ("UPDATE daily_client_page_view SET client_id = client_id + 100", "daily_client_page_view"),
        ("DELETE FROM daily_client_interaction", "daily_client_interaction"),
        ("UPDATE daily_element SET interactions = interactions + 1", "daily_element"),
        ("UPDATE hourly SET hour = hour + interval '1 hour'", "hourly"),
        ("DELETE FROM daily_change", "daily_change"),
        ("UPDATE client SET device = 'tablet'", "clients of user agents"),
        (
            "UPDATE session SET page_views = page_views + 1 WHERE id = (SELECT max(id) FROM session)",
            "counters of sessions",
        ),
        ("UPDATE tally SET events = events + 1 WHERE outcome = 'duplicate'", "tally"),
    ] {
        let (running, _file) = filled().await;
        let found = after(&running, sql).await;
        assert!(found.iter().any(|what| what.contains(expected)), "{expected} not in {found:?}");
    }
}

#[tokio::test]
async fn an_acknowledged_event_that_is_not_on_the_log_is_named() {
    let (running, mut file) = filled().await;
    let lost = r#"{"event_id": "00000000-0000-0000-0000-0000000000ff", "session_id": "s\"1", "type": "session"}"#;
    writeln!(file, "{lost}").unwrap();
    let report = verified(&running, Some(file.path())).await;
    assert!(!report.ok);
    assert_eq!((report.differences.len(), report.differences[0].count), (1, 1));
    assert_eq!(report.differences[0].examples, [lost]);
}

#[tokio::test]
async fn after_any_sequence_of_events_everything_is_accounted_for() {
    let mut random = seeded("after_any_sequence_of_events_everything_is_accounted_for");
    let mut running = Running::prepare(2).await;
    running.start(&["--projector-batch-records", "37"]);
    let mut made: Vec<i64> = Vec::new();
    for _ in 0..40 {
        let events: Vec<_> = (0..50).map(|_| any_envelope(&mut random, &made)).collect();
        made.extend(running.append(&events).await.into_iter().map(Position::id));
    }
    running.until("all are counted", "SELECT sum(events)::bigint FROM tally", 2_000).await;
    running.stop().await;
    // all sessions at a time, and so few that the log is read again and again
    for sessions_at_a_time in [VerifyOptions::default().sessions_at_a_time, 1] {
        let options = VerifyOptions { acknowledged: None, sessions_at_a_time };
        let report = verify(&running.database, &*running.log, &options, &Progress::silent()).await.unwrap();
        assert!(report.ok, "{report}");
        assert_eq!(report.tally.values().sum::<i64>(), 2_000);
    }
}

#[tokio::test]
async fn damage_is_found_however_few_sessions_are_folded_at_a_time() {
    let (running, _file) = filled().await;
    running.pool.execute("UPDATE session SET user_id = 'eve' WHERE session_id IN ('s0', 's3', 's6')").await.unwrap();
    for sessions_at_a_time in [1, 2, 100] {
        let options = VerifyOptions { acknowledged: None, sessions_at_a_time };
        let report = verify(&running.database, &*running.log, &options, &Progress::silent()).await.unwrap();
        let found: i64 = report.differences.iter().map(|difference| difference.count).sum();
        assert_eq!(found, 3, "{sessions_at_a_time}: {report}");
    }
}

#[tokio::test]
async fn metadata_is_compared_by_its_value_and_with_its_last_correction() {
    let mut running = Running::prepare(1).await;
    running.start(&[]);
    let sent = r#"{ "b": [1.50, "\u00e4"], "a": 1, "a": 2 }"#;
    let positions = running.append(&[interaction("s", 0, InteractionKind::Click, sent)]).await;
    running.until("it is stored", "SELECT count(*) FROM interaction", 1).await;
    assert!(verified(&running, None).await.ok);
    for metadata in ["[1]", r#"{"corrected": true}"#] {
        let metadata = Some(serde_json::value::RawValue::from_string(metadata.to_owned()).unwrap());
        let (kind, element) = (None, None);
        let corrected = InteractionCorrected { id: positions[0].id(), kind, element, metadata };
        running.append(&[envelope("s", 1, Event::InteractionCorrected(corrected))]).await;
    }
    running.until("it is corrected", "SELECT count(*) FROM interaction WHERE metadata ? 'corrected'", 1).await;
    running.stop().await;
    let report = verified(&running, None).await;
    assert!(report.ok, "{report}");
    let found = after(&running, "UPDATE interaction SET metadata = '[1]'").await;
    assert!(found.iter().any(|what| what.contains("something else than their correction")), "{found:?}");
}

#[tokio::test]
async fn what_may_repeat_an_event_that_is_no_longer_on_the_log_is_no_difference() {
    let mut running = Running::prepare(1).await;
    running.start(&[]);
    let first = given(page_view("s", 0, "http://a.example/"), 1);
    let mut late = given(page_view("s", 0, "http://a.example/"), 2);
    late.recorded_at = at(30 * 86_400);
    running
        .append(&[
            first.clone(),
            page_view("other", 1, "http://a.example/"),
            first,
            announced("s", 2, FIREFOX, None),
            late,
        ])
        .await;
    running.until("all are counted", "SELECT sum(events)::bigint FROM tally", 5).await;
    running.stop().await;
    let settings = PostgresLogSettings { partitions: 1, writer: false, ..PostgresLogSettings::default() };
    PostgresLog::open(running.test_database.options(), settings).await.unwrap().trim(0, 1, 10).await.unwrap();
    let report = verified(&running, None).await;
    assert!(report.ok, "{report}");
    assert!(report.notes.iter().any(|note| note.contains("1 events without a row may repeat")), "{report}");
    // one that is too late for a repetition is missed all the same
    let found = after(&running, "DELETE FROM page_view WHERE id = 5").await;
    assert!(found.iter().any(|what| what.contains("events without a row")), "{found:?}");
}
