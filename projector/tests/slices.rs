//! Months and days: made ahead, made on demand, dropped when every partition is past them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono::{DateTime, Months, TimeDelta, Timelike, Utc};
use chrono_tz::Tz;
use projector::{
    checkpoint,
    patience::Pulse,
    slices::{Slice, drop_passed_days, make_ahead},
};
use sqlx::Executor;
use std::time::Duration;
use support::*;

async fn tables(fixture: &Fixture, like: &str) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class WHERE relname LIKE $1 AND relispartition AND relkind = 'r' ORDER BY 1",
    )
    .bind(like)
    .fetch_all(&fixture.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn this_month_and_the_next_two_are_made_ahead_and_twice_is_no_harm() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    for _ in 0..2 {
        make_ahead(&fixture.model, at(0)).await.unwrap();
        fixture.model.forget();
    }
    assert_eq!(
        tables(&fixture, "page\\_view\\_%").await,
        ["page_view_2026_11", "page_view_2026_12", "page_view_2027_01"]
    );
    assert_eq!(tables(&fixture, "interaction\\_%").await.len(), 3);
    assert_eq!(tables(&fixture, "seen\\_event\\_%").await, ["seen_event_2026_11_24", "seen_event_2026_11_25"]);
}

#[tokio::test]
async fn two_projectors_that_need_the_same_month_at_once_both_get_it() {
    let fixture = Fixture::new(4, Tz::UTC).await;
    let mut tape = Tape::new(4);
    let mut batches = vec![Vec::new(); 4];
    for i in 0..40 {
        let record = tape.put(&given(page_view(&format!("s{i}"), i, "http://a.example/"), 1));
        batches[usize::from(record.position.partition)].push(record);
    }
    let projected = batches.into_iter().map(|records| fixture.project(records));
    for outcome in futures::future::join_all(projected).await {
        outcome.unwrap();
    }
    assert_eq!(fixture.number("SELECT count(*) FROM page_view_2026_11").await, 40);
}

#[tokio::test]
async fn many_months_at_once_are_made_some_at_a_time_and_written_in_more_than_one_transaction() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let months = (0..70).map(|months| at(0) - Months::new(months));
    // a server that cannot make so many in one go
    for statement in [
        "CREATE FUNCTION too_many() RETURNS event_trigger LANGUAGE plpgsql AS
         $$ BEGIN
             IF (SELECT count(*) FROM pg_class WHERE relname LIKE 'page_view_2%' AND relkind = 'r') > 40 THEN
                 RAISE EXCEPTION 'too many';
             END IF;
         END $$",
        "CREATE EVENT TRIGGER too_many ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION too_many()",
    ] {
        fixture.pool.execute(statement).await.unwrap();
    }
    let wanted = months.clone().map(Slice::page_views).collect();
    let ensured = fixture.model.slices.ensure(&fixture.pool, &wanted, &Pulse::default()).await;
    assert!(ensured.unwrap_err().to_string().contains("too many"));
    assert_eq!(tables(&fixture, "page\\_view\\_%").await.len(), 32, "what was made before stays");

    fixture.pool.execute("DROP EVENT TRIGGER too_many").await.unwrap();
    let records = months.map(|month| {
        let mut event = page_view("s", 0, "http://a.example/");
        event.occurred_at = month;
        tape.put(&event)
    });
    fixture.project(records.collect()).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 70);
    let transactions = "SELECT count(DISTINCT xmin::text) FROM page_view";
    assert_eq!(fixture.number(transactions).await, 2, "neither all locks at once nor one event at a time");
}

#[tokio::test]
async fn the_ends_of_the_calendar_have_a_month() {
    let fixture = Fixture::new(1, Tz::America__New_York).await;
    let mut tape = Tape::new(1);
    let mut records = Vec::new();
    for time in ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-11-30T23:59:59.999999Z"] {
        let mut event = page_view("s", 0, "http://a.example/");
        event.occurred_at = time.parse::<DateTime<Utc>>().unwrap();
        records.push(tape.put(&event));
    }
    fixture.project(records).await.unwrap();
    assert_eq!(
        tables(&fixture, "page\\_view\\_%").await,
        ["page_view_0001_01", "page_view_2026_11", "page_view_9999_12"]
    );
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 3);
    fixture.assert_consistent().await;
}

#[tokio::test]
async fn a_day_of_seen_ids_is_dropped_when_every_partition_has_passed_it_by_the_window_and_a_day() {
    let fixture = Fixture::new(2, Tz::UTC).await;
    let mut tape = Tape::new(2);
    // both sessions have events on the first day; later only one partition goes on
    let sessions: Vec<String> = (0..20).map(|i| format!("s{i}")).collect();
    let of = |partition| sessions.iter().find(|s| schema::partition_for(s.as_bytes(), 2) == partition).unwrap();
    for partition in 0..2 {
        fixture.project(vec![tape.put(&given(page_view(of(partition), 0, "http://a.example/"), 1))]).await.unwrap();
    }
    let days = i64::from(DAYS);
    let pass = async |partition: i32, day: i64| {
        sqlx::query("UPDATE checkpoint SET caught_up_at = $1 WHERE partition = $2")
            .bind(at(0) + TimeDelta::days(day))
            .bind(partition)
            .execute(&fixture.pool)
            .await
            .unwrap();
    };
    pass(0, days + 30).await;
    assert_eq!(drop_passed_days(&fixture.model).await.unwrap(), Vec::<String>::new(), "partition 1 may still need it");
    pass(1, days + 1).await;
    assert_eq!(drop_passed_days(&fixture.model).await.unwrap(), Vec::<String>::new(), "not a day past the window yet");
    pass(1, days + 2).await;
    assert_eq!(drop_passed_days(&fixture.model).await.unwrap(), ["seen_event_2026_11_24"]);
    assert_eq!(tables(&fixture, "seen\\_event\\_%").await, Vec::<String>::new());

    // one that was never heard of has passed nothing
    fixture.project(vec![tape.put(&given(page_view(of(0), 0, "http://a.example/"), 2))]).await.unwrap();
    fixture.pool.execute("UPDATE checkpoint SET caught_up_at = NULL WHERE partition = 1").await.unwrap();
    assert_eq!(drop_passed_days(&fixture.model).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_host_whose_clock_is_ahead_does_not_end_the_search_for_repetitions() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let today = (Utc::now() - at(0)).num_seconds();
    let view = |seconds, event_id| given(page_view("s", seconds, "http://a.example/"), event_id);
    fixture.project(vec![tape.put(&view(today, 1)), tape.put(&view(today + 400 * 86_400, 2))]).await.unwrap();
    checkpoint::passed(&fixture.model, 0, 2, at(today)).await.unwrap();
    assert_eq!(drop_passed_days(&fixture.model).await.unwrap(), Vec::<String>::new());
    fixture.project(vec![tape.put(&view(today + 60, 1))]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 2, "the repetition is found");
}

#[tokio::test]
async fn what_has_been_passed_is_noted_when_it_has_been_projected_and_never_ahead_of_the_servers_clock() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    let noted = async || checkpoint::read(&fixture.pool, 0).await.unwrap().caught_up_at;
    fixture.project(vec![tape.put(&page_view("s", 0, "http://a.example/"))]).await.unwrap();
    let hour_ago = (Utc::now() - TimeDelta::hours(1)).with_nanosecond(0).unwrap();
    checkpoint::passed(&fixture.model, 0, 2, hour_ago).await.unwrap();
    assert_eq!(noted().await, None, "a record that was on the log then is not projected");
    checkpoint::passed(&fixture.model, 0, 1, hour_ago).await.unwrap();
    assert_eq!(noted().await, Some(hour_ago));
    checkpoint::passed(&fixture.model, 0, 1, hour_ago - TimeDelta::hours(1)).await.unwrap();
    assert_eq!(noted().await, Some(hour_ago), "it does not go back");
    checkpoint::passed(&fixture.model, 0, 1, hour_ago + TimeDelta::days(400)).await.unwrap();
    assert!(noted().await.unwrap() < hour_ago + TimeDelta::hours(2));
}

#[tokio::test]
async fn a_day_that_somebody_reads_is_dropped_later_and_keeps_no_batch_waiting() {
    let fixture = Fixture::new(1, Tz::UTC).await;
    let mut tape = Tape::new(1);
    fixture.project(vec![tape.put(&given(page_view("s", 0, "http://a.example/"), 1))]).await.unwrap();
    sqlx::query("UPDATE checkpoint SET caught_up_at = $1")
        .bind(at(0) + TimeDelta::days(i64::from(DAYS) + 2))
        .execute(&fixture.pool)
        .await
        .unwrap();
    // as a dump of the database does
    let mut reading = fixture.pool.begin().await.unwrap();
    reading.execute("SELECT count(*) FROM seen_event").await.unwrap();
    let dropped = tokio::time::timeout(Duration::from_mins(1), drop_passed_days(&fixture.model)).await;
    assert_eq!(dropped.expect("it gives up by itself").unwrap(), Vec::<String>::new());
    fixture.project(vec![tape.put(&given(page_view("s", 1, "http://a.example/"), 1))]).await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM page_view").await, 1, "the repetition is still found");
    reading.rollback().await.unwrap();
    assert_eq!(drop_passed_days(&fixture.model).await.unwrap(), ["seen_event_2026_11_24"]);
}
