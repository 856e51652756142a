//! Roll-ups against SQL over the rows, after random sequences of all types of events, in several zones.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use chrono_tz::Tz;
use event_log::Record;
use rand::RngExt;
use support::{random::any_envelope, *};
use test_support::seeded;

#[tokio::test]
async fn roll_ups_are_what_sql_over_the_rows_says_after_any_sequence_of_events() {
    let mut random = seeded("roll_ups_are_what_sql_over_the_rows_says_after_any_sequence_of_events");
    for zone in [Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Australia__Lord_Howe] {
        let partitions = 2;
        let fixture = Fixture::new(partitions, zone).await;
        let mut tape = Tape::new(partitions);
        let mut made = Vec::new();
        for _ in 0..12 {
            let mut batches: Vec<Vec<Record>> = vec![Vec::new(); usize::from(partitions)];
            for _ in 0..random.random_range(1..120) {
                let record = tape.put(&any_envelope(&mut random, &made));
                made.push(record.position.id());
                batches[usize::from(record.position.partition)].push(record);
            }
            for batch in batches.into_iter().filter(|batch| !batch.is_empty()) {
                fixture.project(batch).await.unwrap();
            }
            fixture.assert_consistent().await;
        }
        let all = i64::try_from(made.len()).unwrap();
        assert_eq!(fixture.number("SELECT sum(events)::bigint FROM tally").await, all, "every event is counted once");
        assert_eq!(fixture.number("SELECT count(*) FROM dead_letter").await, 0);
    }
}
