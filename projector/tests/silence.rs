//! A database that does not answer, or not yet: told in time, and never waited for without end.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use service::database::Database;
use sqlx::Executor;
use std::time::Duration;
use support::{running::*, *};
use test_support::{DatabaseLine, eventually};

const LONG: Duration = Duration::from_mins(1);

/// A server is given a second for a statement, and the attempt is given up a few seconds later.
const IMPATIENT: &[&str] = &["--projector-statement-timeout-seconds", "1"];

fn view(seconds: i64) -> schema::Envelope {
    page_view("s", seconds, "http://a.example/")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_falls_silent_during_a_batch_is_told_and_given_up() {
    let mut running = Running::prepare(1).await;
    let line = DatabaseLine::to(&running.test_database).await;
    running.database = Database::new(line.options());
    running.start(IMPATIENT);
    running.append(&[view(0)]).await;
    running.until("the first one is stored", "SELECT count(*) FROM page_view", 1).await;
    for round in 1..3 {
        line.fall_silent();
        running.append(&[view(round)]).await;
        eventually("readiness says so", LONG, async || {
            format!("{:?}", running.readiness.missing()).contains("has not been committed").then_some(())
        })
        .await;
        // what was connected never speaks again, and the server is not told that nobody is there
        line.speak_on_new_connections();
        let stored = async || (running.number("SELECT count(*) FROM page_view").await == 1 + round).then_some(());
        eventually("the batch is stored on another connection", LONG, stored).await;
        eventually("it is ready again", LONG, async || running.readiness.missing().is_empty().then_some(())).await;
    }
    assert_eq!(running.number("SELECT sum(events)::bigint FROM tally").await, 3, "each counts once");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_falls_silent_between_the_log_and_its_readers_is_told_and_given_up() {
    // more partitions than the readers have connections
    let (mut running, line) = Running::prepare_on_a_line(8).await;
    running.start(IMPATIENT);
    let views =
        |round: i64| (0..16).map(|i| page_view(&format!("s{i}"), round, "http://a.example/")).collect::<Vec<_>>();
    running.append(&views(0)).await;
    running.until("the first ones are stored", "SELECT count(*) FROM page_view", 16).await;
    for round in 1..3 {
        line.fall_silent();
        eventually("readiness says so", LONG, async || {
            format!("{:?}", running.readiness.missing()).contains("log is not reachable").then_some(())
        })
        .await;
        // what was connected never speaks again, and the server is not told that nobody is there
        line.speak_on_new_connections();
        eventually("the log takes records again", LONG, async || running.writer.ready().ok()).await;
        running.append(&views(round)).await;
        let stored =
            async || (running.number("SELECT count(*) FROM page_view").await == 16 * (1 + round)).then_some(());
        eventually("what comes now is read on other connections", LONG, stored).await;
        eventually("it is ready again", LONG, async || running.readiness.missing().is_empty().then_some(())).await;
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_over_a_narrow_line_is_read_once() {
    let (mut running, line) = Running::prepare_on_a_line(1).await;
    running.database = Database::new(running.test_database.options());
    let url = format!("http://a.example/{}", "a".repeat(1_000));
    running.append(&(0..1_000).map(|i| page_view("s", i, &url)).collect::<Vec<_>>()).await;
    // all of it takes longer than the worker waits until it looks at the end of the log
    line.become_narrow(100_000);
    running.start(&[]);
    let stored = async || (running.number("SELECT count(*) FROM page_view").await == 1_000).then_some(());
    eventually("everything is stored", LONG * 2, stored).await;
    line.speak_again();
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_somebody_has_locked_is_told_and_nothing_is_held_meanwhile() {
    let mut running = Running::prepare(1).await;
    running.start(IMPATIENT);
    running.append(&[view(0)]).await;
    running.until("the first one is stored", "SELECT count(*) FROM page_view", 1).await;
    let mut locked = running.pool.begin().await.unwrap();
    locked.execute("LOCK TABLE page_view IN EXCLUSIVE MODE").await.unwrap();
    running.append(&[view(1)]).await;
    eventually("readiness says so", LONG, async || {
        format!("{:?}", running.readiness.missing()).contains("lock timeout").then_some(())
    })
    .await;
    locked.rollback().await.unwrap();
    running.until("it goes on", "SELECT count(*) FROM page_view", 2).await;
    running.stop().await;
}
