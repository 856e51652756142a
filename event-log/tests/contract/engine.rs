//! The two engines as the tests see them.

use async_trait::async_trait;
use event_log::{
    EventLog,
    kafka::{KafkaLog, KafkaLogSettings, create_topic},
    postgres::{PostgresLog, PostgresLogSettings, SCHEMA},
};
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    producer::{BaseProducer, BaseRecord, Producer},
};
use schema::migrations::LOG;
use sqlx::{Executor, postgres::PgPoolOptions};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use test_support::{TestDatabase, kafka_brokers, unique_name};

/// Partitions of the logs that are tested.
pub const PARTITIONS: u16 = 4;

/// A log of a test's own.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Opens it, for writing and reading. On PostgreSQL once at a time.
    async fn open(&self) -> Arc<dyn EventLog>;
    /// Deletes the records below an offset, as retention does.
    async fn delete_below(&self, partition: u16, offset: i64);
    /// Makes a gap at the end of a partition, so that the next record's offset is not the last one's plus one.
    async fn make_gap(&self, partition: u16);
}

/// A new log in a database of its own.
pub async fn postgres() -> PostgresEngine {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    pool.execute(format!("CREATE SCHEMA {SCHEMA}").as_str()).await.unwrap();
    let options = database.options().options([("search_path", SCHEMA)]);
    let pool = PgPoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
    for step in LOG {
        pool.execute(step.sql).await.unwrap();
    }
    PostgresEngine { database, pool }
}

pub struct PostgresEngine {
    pub database: TestDatabase,
    /// With the log's schema on its path.
    pub pool: sqlx::PgPool,
}

impl PostgresEngine {
    pub fn settings() -> PostgresLogSettings {
        PostgresLogSettings {
            partitions: PARTITIONS,
            append_deadline: Duration::from_secs(30),
            lock_wait: Duration::from_secs(10),
            ..PostgresLogSettings::default()
        }
    }

    pub async fn open_with(&self, settings: PostgresLogSettings) -> PostgresLog {
        PostgresLog::open(self.database.options(), settings).await.unwrap()
    }
}

#[async_trait]
impl Engine for PostgresEngine {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(self.open_with(Self::settings()).await)
    }

    async fn delete_below(&self, partition: u16, offset: i64) {
        let log = self.open_with(PostgresLogSettings { writer: false, ..Self::settings() }).await;
        log.trim(partition, offset, 2).await.unwrap();
    }

    async fn make_gap(&self, partition: u16) {
        let last = r#"DELETE FROM record WHERE partition = $1
            AND "offset" = (SELECT max("offset") FROM record WHERE partition = $1)"#;
        sqlx::query(last).bind(i32::from(partition)).execute(&self.pool).await.unwrap();
    }
}

/// A new topic.
pub async fn kafka() -> KafkaEngine {
    let engine = KafkaEngine { topic: unique_name("contract") };
    create_topic(&engine.settings(), PARTITIONS, 1).await.unwrap();
    engine
}

pub struct KafkaEngine {
    pub topic: String,
}

impl KafkaEngine {
    pub fn settings(&self) -> KafkaLogSettings {
        KafkaLogSettings {
            partitions: Some(PARTITIONS),
            append_deadline: Duration::from_secs(30),
            session_timeout: Duration::from_secs(6),
            ..KafkaLogSettings::new(kafka_brokers(), &self.topic)
        }
    }
}

#[async_trait]
impl Engine for KafkaEngine {
    async fn open(&self) -> Arc<dyn EventLog> {
        Arc::new(KafkaLog::open(self.settings()).await.unwrap())
    }

    async fn delete_below(&self, partition: u16, offset: i64) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", kafka_brokers()).create().unwrap();
        let mut below = TopicPartitionList::new();
        below.add_partition_offset(&self.topic, i32::from(partition), Offset::Offset(offset)).unwrap();
        admin.delete_records(&below, &AdminOptions::new()).await.unwrap();
    }

    async fn make_gap(&self, partition: u16) {
        let topic = self.topic.clone();
        let abort = move || {
            let producer: BaseProducer = ClientConfig::new()
                .set("bootstrap.servers", kafka_brokers())
                .set("transactional.id", unique_name("gap"))
                .create()
                .unwrap();
            let timeout = Duration::from_secs(30);
            let watcher: BaseConsumer = ClientConfig::new()
                .set("bootstrap.servers", kafka_brokers())
                .set("isolation.level", "read_committed")
                .create()
                .unwrap();
            let end = || watcher.fetch_watermarks(&topic, i32::from(partition), timeout).unwrap().1;
            let before = end();
            producer.init_transactions(timeout).unwrap();
            producer.begin_transaction().unwrap();
            let record = BaseRecord::to(&topic).partition(i32::from(partition)).key("k").payload("never happened");
            producer.send(record).map_err(|(error, _)| error).unwrap();
            producer.flush(timeout).unwrap();
            producer.abort_transaction(timeout).unwrap();
            // The record and the marker of its end, which the broker writes a little later.
            let started = Instant::now();
            while end() < before + 2 {
                assert!(started.elapsed() < timeout, "the transaction does not end");
            }
        };
        tokio::task::spawn_blocking(abort).await.unwrap();
    }
}
