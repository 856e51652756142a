//! Prints what both engines take and give in a second, on the servers of `FOOTFALL_TEST_DATABASE_URL` and
//! `FOOTFALL_TEST_KAFKA_BROKERS`, each in a database or topic of its own:
//! `cargo run --release -p event-log --example throughput [postgres|kafka]`.

#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a tool for developers; rates are rounded")]

use event_log::{
    EventLog, EventWriter, NewRecord, Sharing,
    kafka::{KafkaLog, KafkaLogSettings, create_topic},
    postgres::{PostgresLog, PostgresLogSettings, SCHEMA},
};
use sqlx::{Executor, postgres::PgPoolOptions};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use test_support::{TestDatabase, kafka_brokers, unique_name};
use uuid::Uuid;

const PARTITIONS: u16 = 12;
const VALUE_BYTES: usize = 400;
const RUN: Duration = Duration::from_secs(5);

fn record(session: usize) -> NewRecord {
    NewRecord {
        key: format!("session-{session}").into_bytes(),
        event_id: Uuid::now_v7(),
        schema_version: 1,
        value: vec![b'x'; VALUE_BYTES],
    }
}

/// Callers that append one batch after the other; prints rate and latencies, gives the records stored.
async fn append(writer: &Arc<dyn EventWriter>, callers: usize, batch: usize) -> usize {
    let started = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let writer = Arc::clone(writer);
            tokio::spawn(async move {
                let (mut stored, mut latencies) = (0, Vec::new());
                while started.elapsed() < RUN {
                    let records = (0..batch).map(|i| record(caller * batch + i)).collect();
                    let sent = Instant::now();
                    stored += writer.append(records).await.into_iter().flatten().count();
                    latencies.push(sent.elapsed());
                }
                (stored, latencies)
            })
        })
        .collect();
    let (mut stored, mut latencies) = (0, Vec::new());
    for task in tasks {
        let (count, times) = task.await.unwrap();
        stored += count;
        latencies.extend(times);
    }
    let rate = stored as f64 / started.elapsed().as_secs_f64();
    latencies.sort_unstable();
    let at = |percent: usize| latencies[(latencies.len() - 1) * percent / 100];
    println!(
        "  {callers:>3} callers, batches of {batch:>3}: {rate:>9.0}/s   p50 {:>9.2?}  p99 {:>9.2?}",
        at(50),
        at(99)
    );
    stored
}

async fn read(log: &dyn EventLog, count: usize) {
    let reader = log.reader(Sharing::Alone).await.unwrap();
    let started = Instant::now();
    let mut tasks = Vec::new();
    for partition in 0..log.partitions() {
        let marks = reader.watermarks(partition).await.unwrap();
        let mut lane = reader.open(partition, marks.low).await.unwrap();
        tasks.push(tokio::spawn(async move {
            let (mut next, mut records) = (marks.low, 0);
            while next < marks.high {
                let batch = lane.next(5_000, 4 << 20).await.unwrap();
                records += batch.len();
                next = batch.last().unwrap().position.offset + 1;
            }
            records
        }));
    }
    let mut records = 0;
    for task in tasks {
        records += task.await.unwrap();
    }
    assert_eq!(records, count, "everything that was stored is read");
    println!("  reading: {:.0}/s", records as f64 / started.elapsed().as_secs_f64());
    reader.close().await;
}

async fn measure(name: &str, log: &dyn EventLog) {
    println!("{name}, {VALUE_BYTES} bytes a record, {PARTITIONS} partitions");
    let writer = log.writer().await.unwrap();
    let mut stored = 0;
    for (callers, batch) in [(1, 1), (64, 1), (512, 1), (8, 500)] {
        stored += append(&writer, callers, batch).await;
    }
    read(log, stored).await;
    writer.close().await;
}

#[tokio::main]
async fn main() {
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("postgres") {
        let database = TestDatabase::create().await;
        database.pool().await.execute(format!("CREATE SCHEMA {SCHEMA}").as_str()).await.unwrap();
        let options = database.options().options([("search_path", SCHEMA)]);
        let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        for step in schema::migrations::LOG {
            pool.execute(step.sql).await.unwrap();
        }
        let settings = PostgresLogSettings { partitions: PARTITIONS, ..PostgresLogSettings::default() };
        measure("PostgreSQL", &PostgresLog::open(database.options(), settings).await.unwrap()).await;
    }
    if wanted("kafka") {
        let settings = KafkaLogSettings::new(kafka_brokers(), unique_name("throughput"));
        create_topic(&settings, PARTITIONS, 1).await.unwrap();
        measure("Apache Kafka", &KafkaLog::open(settings).await.unwrap()).await;
    }
}
