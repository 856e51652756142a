//! Projectors that share the partitions of a topic of Apache Kafka.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono_tz::Tz;
use clap::Parser;
use projector::{Progress, RebuildOptions, VerifyOptions, rebuild, verify};
use service::{lifecycle::Shutdown, ops::Readiness};
use std::time::Duration;
use support::{random::any_envelope, running::*};
use test_support::seeded;

#[tokio::test(flavor = "multi_thread")]
async fn projectors_that_come_and_go_count_every_event_once() {
    let mut random = seeded("projectors_that_come_and_go_count_every_event_once");
    let mut running = Running::prepare_on_kafka(6).await;
    running.start(&["--projector-batch-records", "50"]);
    let mut made: Vec<i64> = Vec::new();
    let mut total = 0;
    for _ in 0..3 {
        let another = Shutdown::new(Duration::from_secs(20));
        running.start_another(&["--projector-batch-records", "50"], &Readiness::new(), &another);
        for _ in 0..10 {
            let events: Vec<_> = (0..100).map(|_| any_envelope(&mut random, &made)).collect();
            made.extend(running.append(&events).await.into_iter().map(schema::Position::id));
            total += 100;
        }
        running.until("all are counted", "SELECT sum(events)::bigint FROM tally", total).await;
        another.begin();
        another.drained().await.unwrap();
    }
    running.append_raw(vec![garbage(1)]).await;
    running.until("what comes when one has left is counted", "SELECT sum(events)::bigint FROM tally", total + 1).await;
    running.stop().await;

    let report =
        verify(&running.database, &*running.log, &VerifyOptions::default(), &Progress::silent()).await.unwrap();
    assert!(report.ok, "{report}");
    let settings = Command::parse_from(["rebuild"]).settings;
    let (options, progress) = (RebuildOptions::default(), Progress::silent());
    let report = rebuild(&running.database, &*running.log, &settings, Tz::UTC, options, &progress).await.unwrap();
    assert!(report.swapped, "{report}");
}
