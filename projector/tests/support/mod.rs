//! A read model of a test's own, and events for it.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses its part")]

pub mod random;
pub mod running;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use event_log::{LogId, Record};
use projector::{
    checkpoint,
    health::Health,
    model::{MadeFor, ReadModel},
    projection::Batch,
    write::{PartitionWriter, ProjectError},
};
use schema::{
    Envelope, Event, InteractionKind, InteractionRecorded, PageViewRecorded, Position, SessionAnnounced, SessionId,
    Source, codec,
    migrations::{READ_MODEL, READ_MODEL_SCHEMA},
    partition_for,
};
use serde_json::value::RawValue;
use service::{database::Database, ops::Readiness};
use sqlx::PgPool;
use std::{collections::BTreeSet, sync::Arc};
use test_support::{DatabaseLine, TestDatabase};
use uuid::Uuid;

/// A database with an empty read model.
pub struct Fixture {
    pub database: Database,
    pub model: Arc<ReadModel>,
    pub pool: PgPool,
    test_database: TestDatabase,
}

pub const DAYS: u16 = 7;

impl Fixture {
    pub async fn new(partitions: u16, zone: Tz) -> Self {
        let test_database = TestDatabase::create().await;
        let database = Database::new(test_database.options());
        Self::of(test_database, database, partitions, zone).await
    }

    /// The same at the end of a line.
    pub async fn on_a_line(partitions: u16, zone: Tz) -> (Self, DatabaseLine) {
        let test_database = TestDatabase::create().await;
        let line = DatabaseLine::to(&test_database).await;
        (Self::of(test_database, Database::new(line.options()), partitions, zone).await, line)
    }

    async fn of(test_database: TestDatabase, database: Database, partitions: u16, zone: Tz) -> Self {
        database.migrate(READ_MODEL_SCHEMA, READ_MODEL).await.unwrap();
        let pool = database.pool(READ_MODEL_SCHEMA, "projector under test", 6);
        let made_for = MadeFor { zone, log_id: LogId("log".into()), partitions, deduplication_days: DAYS };
        let model = Arc::new(ReadModel::prepare(pool.clone(), made_for).await.unwrap());
        Self { database, model, pool, test_database }
    }

    /// A writer that goes on where the checkpoint is.
    pub async fn writer(&self, partition: u16) -> PartitionWriter {
        self.writer_of(&self.model, partition).await
    }

    pub async fn writer_of(&self, model: &Arc<ReadModel>, partition: u16) -> PartitionWriter {
        let found = checkpoint::read(&model.pool, partition).await.unwrap();
        let health = Health::new(Readiness::new().component("test")).partition(partition);
        PartitionWriter::new(model.clone(), partition, &found, health)
    }

    /// Projects records of one partition as one batch.
    pub async fn project(&self, records: Vec<Record>) -> Result<(), ProjectError> {
        let batch = batch(&self.model, records);
        self.writer(batch.partition).await.project(&batch).await
    }

    /// The rows of a query, each as JSON.
    pub async fn rows(&self, sql: &str) -> Vec<serde_json::Value> {
        sqlx::query_scalar(&format!("SELECT to_jsonb(r) FROM ({sql}) AS r")).fetch_all(&self.pool).await.unwrap()
    }

    /// The first column of the only row.
    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// The tally: `type outcome events`.
    pub async fn tally(&self) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT format('%s %s %s', event_type, outcome, sum(events)) FROM tally
             GROUP BY event_type, outcome HAVING sum(events) <> 0 ORDER BY event_type, outcome",
        )
        .fetch_all(&self.pool)
        .await
        .unwrap()
    }

    /// Fails when roll-ups, counters or tally are not what the rows say.
    pub async fn assert_consistent(&self) {
        let mut connection = self.pool.acquire().await.unwrap();
        let found = projector::verify::tables::differences(&mut connection, self.model.made_for.zone).await.unwrap();
        assert!(found.is_empty(), "{found:#?}");
    }
}

pub fn batch(model: &ReadModel, records: Vec<Record>) -> Batch {
    let partition = records[0].position.partition;
    let (batch, parked) = Batch::decode(partition, model.made_for.partitions, records, &BTreeSet::new());
    assert_eq!(parked, None);
    batch
}

/// Seconds after a fixed moment.
pub fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-24T10:00:00Z").unwrap().to_utc() + TimeDelta::seconds(seconds)
}

/// Gives events offsets in the order in which they happen.
pub struct Tape {
    pub partitions: u16,
    next: Vec<i64>,
}

impl Tape {
    pub fn new(partitions: u16) -> Self {
        Self { partitions, next: vec![0; usize::from(partitions)] }
    }

    pub fn put(&mut self, envelope: &Envelope) -> Record {
        self.put_raw(envelope.session_id.as_str(), codec::encode(envelope), Some(codec::SCHEMA_VERSION))
    }

    pub fn put_raw(&mut self, key: &str, value: Vec<u8>, schema_version: Option<u32>) -> Record {
        let partition = partition_for(key.as_bytes(), self.partitions);
        let next = &mut self.next[usize::from(partition)];
        let position = Position::new(partition, *next);
        *next += 1;
        Record { position, appended_at: at(0), schema_version, key: Some(key.as_bytes().to_vec()), value }
    }
}

pub fn envelope(session: &str, seconds: i64, event: Event) -> Envelope {
    Envelope {
        event_id: Uuid::now_v7(),
        event_id_given: false,
        session_id: SessionId::parse(session).unwrap(),
        occurred_at: at(seconds),
        recorded_at: at(seconds),
        source: Source {
            address: Some([192, 0, 2, 1].into()),
            user_agent: Some("curl/8.5.0".into()),
            ..Source::default()
        },
        event,
    }
}

pub fn given(mut envelope: Envelope, event_id: u128) -> Envelope {
    envelope.event_id_given = true;
    envelope.event_id = Uuid::from_u128(event_id);
    envelope
}

pub fn page_view(session: &str, seconds: i64, url: &str) -> Envelope {
    envelope(session, seconds, Event::PageViewRecorded(PageViewRecorded { url: url.into() }))
}

pub fn interaction(session: &str, seconds: i64, kind: InteractionKind, metadata: &str) -> Envelope {
    let metadata = RawValue::from_string(metadata.to_owned()).unwrap();
    let event = InteractionRecorded { kind, element: "#buy".into(), metadata };
    envelope(session, seconds, Event::InteractionRecorded(event))
}

pub fn announced(session: &str, seconds: i64, user_agent: &str, end: Option<DateTime<Utc>>) -> Envelope {
    let event = SessionAnnounced {
        user_agent: user_agent.into(),
        ip_address: [10, 0, 0, 1].into(),
        user_id: None,
        end_time: end,
    };
    envelope(session, seconds, Event::SessionAnnounced(event))
}

pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0";
pub const CHROME: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
