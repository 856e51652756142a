//! The projector as a process runs it, on the log in PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono_tz::Tz;
use clap::Parser;
use event_log::NewRecord;
use projector::{dead_letters, run};
use schema::{Event, Position, SessionCorrected, codec};
use service::lifecycle::Shutdown;
use sqlx::Executor;
use std::time::Duration;
use support::{running::*, *};
use test_support::eventually;

#[tokio::test]
async fn what_is_appended_becomes_rows() {
    let mut running = Running::prepare(12).await;
    running.start(&[]);
    let positions =
        running.append(&[page_view("a", 0, "http://a.example/"), page_view("b", 1, "http://a.example/")]).await;
    running.until("both page views are stored", "SELECT count(*) FROM page_view", 2).await;
    let id = positions[0].id();
    assert_eq!(running.number(&format!("SELECT count(*) FROM page_view WHERE id = {id}")).await, 1);
    running
        .until(
            "the end of every partition is noted",
            "SELECT count(*) FROM checkpoint WHERE caught_up_at IS NOT NULL",
            12,
        )
        .await;
    assert_eq!(running.readiness.missing(), []);
    running.stop().await;
}

#[tokio::test]
async fn a_partition_that_never_rests_notes_what_it_has_passed() {
    let mut running = Running::prepare(1).await;
    let work = async {
        loop {
            running.append(&[page_view("s", 0, "http://a.example/")]).await;
        }
    };
    let noted = async {
        running.append(&[page_view("s", 0, "http://a.example/")]).await;
        running.start(&[]);
        let noted = "SELECT count(*) FROM checkpoint WHERE caught_up_at IS NOT NULL";
        running.until("it is noted though there is always more to do", noted, 1).await;
    };
    tokio::select! { () = noted => {}, () = work => {} }
    running.stop().await;
}

#[tokio::test]
async fn a_time_beyond_the_calendar_is_a_dead_letter_wherever_it_stands() {
    const TIME: &str = "2030-01-01T00:00:00Z";
    let mut running = Running::prepare(1).await;
    running.start(&[]);
    let end = Some(TIME.parse().unwrap());
    let corrected = SessionCorrected { end_time: Some(end), ..SessionCorrected::default() };
    let mut occurred = page_view("s", 0, "http://a.example/");
    let mut recorded = occurred.clone();
    (occurred.occurred_at, recorded.recorded_at) = (TIME.parse().unwrap(), TIME.parse().unwrap());
    let mut foreign = Vec::new();
    for event in
        [announced("s", 0, FIREFOX, end), envelope("s", 0, Event::SessionCorrected(corrected)), occurred, recorded]
    {
        for year in ["+200000", "200000", "-0001", "0000", "+262142", "+10000"] {
            let text = String::from_utf8(codec::encode(&event)).unwrap();
            assert!(text.contains(TIME), "{text}");
            let value = text.replace(TIME, &TIME.replacen("2030", year, 1)).into_bytes();
            foreign.push(NewRecord { value, ..garbage(1) });
        }
    }
    let dead = i64::try_from(foreign.len()).unwrap();
    running.append_raw(foreign).await;
    running.append(&[page_view("s", 0, "http://a.example/")]).await;
    running.until("what comes after them is stored", "SELECT count(*) FROM page_view", 1).await;
    assert_eq!(running.number("SELECT count(*) FROM dead_letter").await, dead);
    assert_eq!(running.readiness.missing(), []);
    running.stop().await;
}

#[tokio::test]
async fn garbage_is_a_dead_letter_and_everything_after_it_is_processed() {
    let mut running = Running::prepare(1).await;
    running.start(&[]);
    running.append_raw(vec![garbage(1)]).await;
    running.append(&[page_view("s", 0, "http://a.example/")]).await;
    running.until("the page view is stored", "SELECT count(*) FROM page_view", 1).await;
    let letters = dead_letters::list(&running.pool, None, 10).await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].reason.as_str(), letters[0].value.as_slice()), ("malformed", b"garbage".as_slice()));
    assert_eq!(dead_letters::list(&running.pool, Some(letters[0].position), 10).await.unwrap(), []);
    running.stop().await;
}

#[tokio::test]
async fn a_record_of_a_newer_program_waits_until_it_is_skipped() {
    let mut running = Running::prepare(1).await;
    running.start(&[]);
    running.append(&[page_view("s", 0, "http://a.example/")]).await;
    let parked = running.append_raw(vec![garbage(codec::SCHEMA_VERSION + 1)]).await[0];
    running.append(&[page_view("s", 1, "http://a.example/")]).await;
    let says_so =
        async || running.readiness.missing().iter().any(|(_, why)| why.contains("newer Footfall")).then_some(());
    eventually("readiness tells of the waiting", SOON, says_so).await;
    assert_eq!(running.number("SELECT count(*) FROM page_view").await, 1);

    let passed = dead_letters::skip(&running.pool, Position::new(0, 0)).await.unwrap_err();
    assert_eq!(passed.to_string(), "0/0 has been processed already: partition 0 has come to offset 1");
    let ahead = dead_letters::skip(&running.pool, Position::new(0, parked.offset + 1)).await.unwrap_err();
    let told = ahead.to_string();
    assert!(told.contains("0/2 has not been reached") && told.contains("has come to offset 1"), "{told}");
    dead_letters::skip(&running.pool, parked).await.unwrap();
    running.until("the next one is stored", "SELECT count(*) FROM page_view", 2).await;
    running.until("the skipped one is dead", "SELECT count(*) FROM dead_letter WHERE reason = 'skipped'", 1).await;
    let letters = dead_letters::list(&running.pool, None, 10).await.unwrap();
    assert_eq!(letters[0].error, format!("passed over by an operator (schema version {})", codec::SCHEMA_VERSION + 1));
    assert_eq!(running.readiness.missing(), []);
    running.stop().await;
}

#[tokio::test]
async fn too_many_dead_letters_in_a_row_stop_the_partition() {
    let mut running = Running::prepare(1).await;
    running.append_raw((0..5).map(|_| garbage(1)).collect()).await;
    running.append(&[page_view("s", 0, "http://a.example/")]).await;
    running.start(&["--projector-max-dead-letters", "3"]);
    let says_so =
        async || running.readiness.missing().iter().any(|(_, why)| why.contains("dead letters")).then_some(());
    eventually("readiness tells of it", SOON, says_so).await;
    assert_eq!(running.number("SELECT next_offset FROM checkpoint").await, 3);
    running.stop().await;
}

#[tokio::test]
async fn too_many_refused_records_stop_the_partition_even_when_they_come_one_by_one() {
    let mut running = Running::prepare(1).await;
    running.start(&["--projector-max-dead-letters", "3"]);
    for refused in 1..=3 {
        // PostgreSQL keeps no NUL in a text
        running.append(&[page_view("s", 0, "http://a.example/\0")]).await;
        running.until("it is a dead letter", "SELECT count(*) FROM dead_letter", refused).await;
    }
    let says_so =
        async || running.readiness.missing().iter().any(|(_, why)| why.contains("last 3 records")).then_some(());
    eventually("readiness tells of it", SOON, says_so).await;
    running.stop().await;
}

#[tokio::test]
async fn a_database_that_ends_all_connections_again_and_again_loses_and_doubles_nothing() {
    let mut running = Running::prepare(2).await;
    running.start(&["--projector-batch-records", "20"]);
    let killer = running.pool.clone();
    let kills = tokio::spawn(async move {
        for _ in 0..20 {
            let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name = 'footfall projector'";
            killer.execute(kill).await.unwrap();
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    });
    for round in 0..100 {
        let events: Vec<_> =
            (0..20).map(|i| page_view(&format!("s{i}"), round * 20 + i, "http://a.example/")).collect();
        running.append(&events).await;
    }
    kills.await.unwrap();
    running.until("all are stored", "SELECT count(*) FROM page_view", 2_000).await;
    running.until("all are counted", "SELECT sum(events)::bigint FROM tally", 2_000).await;
    let mut connection = running.pool.acquire().await.unwrap();
    assert_eq!(projector::verify::tables::differences(&mut connection, Tz::UTC).await.unwrap(), []);
    drop(connection);
    running.stop().await;
}

#[tokio::test]
async fn another_log_or_zone_refuses_to_start_and_says_the_way_out() {
    let mut running = Running::prepare(1).await;
    running.start(&[]);
    running.append(&[page_view("s", 0, "http://a.example/")]).await;
    running.until("it is stored", "SELECT count(*) FROM page_view", 1).await;
    running.stop().await;
    let Running { database, pool, log, readiness, test_database: _kept, .. } = running;

    let settings = Command::parse_from(["projector"]).settings;
    let again = async |zone| {
        let shutdown = Shutdown::new(Duration::from_secs(10));
        run(&settings, zone, database.clone(), log.clone(), readiness.component("projector"), &shutdown)
            .await
            .unwrap_err()
            .to_string()
    };
    let error = again(Tz::Europe__Berlin).await;
    assert!(error.contains("the time zone UTC") && error.contains("footfall rebuild"), "{error}");

    pool.execute("UPDATE checkpoint SET last_digest = 'x' WHERE last_offset IS NOT NULL").await.unwrap();
    let error = again(Tz::UTC).await;
    assert!(error.contains("holds another record") && error.contains("footfall rebuild"), "{error}");

    pool.execute("UPDATE checkpoint SET next_offset = 100 WHERE last_offset IS NOT NULL").await.unwrap();
    let error = again(Tz::UTC).await;
    assert!(error.contains("ends at offset 1"), "{error}");

    pool.execute("UPDATE read_model SET log_id = 'another'").await.unwrap();
    let error = again(Tz::UTC).await;
    assert!(error.contains("made for the log another"), "{error}");

    pool.execute("DROP SCHEMA footfall CASCADE").await.unwrap();
    let error = again(Tz::UTC).await;
    assert!(error.contains("footfall migrate"), "{error}");
}
