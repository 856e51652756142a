//! How fast the projector is on this machine: encoded events through decoding and the batch writer into a database
//! of its own on the server of `FOOTFALL_TEST_DATABASE_URL`.
//!
//! `cargo run --release -p projector --example throughput -- [EVENTS] [PLAIN|GIVEN]`; GIVEN: every event has a
//! client-given id, so that repetitions are looked for.

#![expect(clippy::unwrap_used, reason = "a tool for developers may panic")]

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use event_log::{LogId, Record};
use projector::{
    checkpoint,
    health::Health,
    model::{MadeFor, ReadModel},
    projection::Batch,
    write::PartitionWriter,
};
use schema::{
    Envelope, Event, InteractionKind, InteractionRecorded, PageViewRecorded, Position, SessionAnnounced, SessionId,
    Source, codec,
    migrations::{READ_MODEL, READ_MODEL_SCHEMA},
    partition_for,
};
use serde_json::value::RawValue;
use service::{database::Database, ops::Readiness};
use std::{collections::BTreeSet, sync::Arc, time::Instant};
use test_support::TestDatabase;
use uuid::Uuid;

const BATCH: usize = 5_000;
const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";

/// Sessions of one announcement, seven page views, two interactions; 10 sessions at a time; 1,000 URLs.
fn event(number: usize, start: DateTime<Utc>, given: bool) -> Envelope {
    let session = number / 100 * 10 + number % 10;
    let event = match number / 10 % 10 {
        0 => Event::SessionAnnounced(SessionAnnounced {
            user_agent: format!("{USER_AGENT} {}", session % 500),
            ip_address: [10, 0, 0, 1].into(),
            user_id: Some(format!("user-{}", session % 1_000)),
            end_time: None,
        }),
        4 | 8 => Event::InteractionRecorded(InteractionRecorded {
            kind: InteractionKind::Click,
            element: format!("#button-{}", number % 50),
            metadata: RawValue::from_string(r#"{"x": 10, "y": 20}"#.to_owned()).unwrap(),
        }),
        _ => Event::PageViewRecorded(PageViewRecorded {
            url: format!("https://shop.example/catalogue/item/{}", number * 7_919 % 1_000),
        }),
    };
    let at = start + TimeDelta::milliseconds(i64::try_from(number).unwrap());
    Envelope {
        event_id: Uuid::now_v7(),
        event_id_given: given,
        session_id: SessionId::parse(format!("session-{session}")).unwrap(),
        occurred_at: at,
        recorded_at: at,
        source: Source {
            address: Some([10, 0, 0, 1].into()),
            user_agent: Some(format!("{USER_AGENT} {}", session % 500)),
            ..Source::default()
        },
        event,
    }
}

fn records(events: usize, partitions: u16, given: bool) -> Vec<Vec<Record>> {
    let start = Utc::now();
    let mut logs: Vec<Vec<Record>> = vec![Vec::new(); usize::from(partitions)];
    for number in 0..events {
        let envelope = event(number, start, given);
        let partition = partition_for(envelope.session_id.as_str().as_bytes(), partitions);
        let log = &mut logs[usize::from(partition)];
        log.push(Record {
            position: Position::new(partition, i64::try_from(log.len()).unwrap()),
            appended_at: start,
            schema_version: Some(codec::SCHEMA_VERSION),
            key: None,
            value: codec::encode(&envelope),
        });
    }
    logs
}

async fn measure(events: usize, workers: u16, given: bool) {
    let logs = records(events, workers, given);
    let test_database = TestDatabase::create().await;
    let database = Database::new(test_database.options());
    database.migrate(READ_MODEL_SCHEMA, READ_MODEL).await.unwrap();
    let pool = database.pool(READ_MODEL_SCHEMA, "throughput", 6);
    let made_for = MadeFor { zone: Tz::UTC, log_id: LogId("bench".into()), partitions: workers, deduplication_days: 7 };
    let model = Arc::new(ReadModel::prepare(pool.clone(), made_for).await.unwrap());
    let started = Instant::now();
    let mut running = Vec::new();
    for (partition, log) in (0..).zip(logs) {
        let model = model.clone();
        running.push(tokio::spawn(async move {
            let found = checkpoint::read(&model.pool, partition).await.unwrap();
            let health = Health::new(Readiness::new().component("bench")).partition(partition);
            let mut writer = PartitionWriter::new(model, partition, &found, health);
            for records in log.chunks(BATCH) {
                let (batch, _) = Batch::decode(partition, workers, records.to_vec(), &BTreeSet::new());
                writer.project(&batch).await.unwrap();
            }
        }));
    }
    for worker in running {
        worker.await.unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a number for the eye")]
    let rate = events as f64 / seconds;
    println!(
        "{workers} worker(s), ids {}: {events} events in {seconds:.2} s, {rate:.0} events/s",
        if given { "given" } else { "not given" }
    );
    pool.close().await;
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let events = arguments.next().map_or(1_000_000, |events| events.parse().unwrap());
    let given = arguments.next().is_some_and(|given| given.eq_ignore_ascii_case("given"));
    for workers in [1, 2] {
        measure(events, workers, given).await;
    }
}
