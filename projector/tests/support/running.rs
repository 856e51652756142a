//! A projector that runs as in a process, on the log in PostgreSQL.

use super::*;
use clap::Parser;
use event_log::{
    EventLog, EventWriter, NewRecord,
    kafka::{KafkaLog, KafkaLogSettings, create_topic},
    postgres::{PostgresLog, PostgresLogSettings},
};
use projector::{ProjectorSettings, run};
use schema::migrations::{LOG, LOG_SCHEMA};
use service::lifecycle::Shutdown;
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;
use test_support::{DatabaseLine, eventually, kafka_brokers, unique_name};

pub const SOON: Duration = Duration::from_secs(30);

#[derive(Parser)]
pub struct Command {
    #[command(flatten)]
    pub settings: ProjectorSettings,
}

pub struct Running {
    pub database: Database,
    pub pool: PgPool,
    pub log: Arc<dyn EventLog>,
    pub writer: Arc<dyn EventWriter>,
    pub readiness: Readiness,
    pub shutdown: Shutdown,
    pub test_database: TestDatabase,
}

impl Running {
    pub async fn prepare(partitions: u16) -> Self {
        let test_database = TestDatabase::create().await;
        let (options, settings) = (test_database.options(), PostgresLogSettings::default());
        Self::on_postgres(options, PostgresLogSettings { partitions, ..settings }, test_database).await
    }

    /// The log and the read model at the end of one line; the test itself is not.
    pub async fn prepare_on_a_line(partitions: u16) -> (Self, DatabaseLine) {
        let test_database = TestDatabase::create().await;
        let line = DatabaseLine::to(&test_database).await;
        // gives up on a silent server after some seconds
        let (statement_timeout, append_deadline) = (Duration::from_secs(3), Duration::from_mins(1));
        let settings =
            PostgresLogSettings { partitions, statement_timeout, append_deadline, ..PostgresLogSettings::default() };
        let mut running = Self::on_postgres(line.options(), settings, test_database).await;
        running.database = Database::new(line.options());
        // connections that are silent for ever are given up one after the other at the end
        running.shutdown = Shutdown::new(Duration::from_mins(1));
        (running, line)
    }

    async fn on_postgres(
        options: PgConnectOptions,
        settings: PostgresLogSettings,
        test_database: TestDatabase,
    ) -> Self {
        Database::new(test_database.options()).migrate(LOG_SCHEMA, LOG).await.unwrap();
        let log = PostgresLog::open(options, settings).await.unwrap();
        Self::on(Arc::new(log), test_database).await
    }

    /// The same on a topic of its own of Apache Kafka.
    pub async fn prepare_on_kafka(partitions: u16) -> Self {
        let mut settings = KafkaLogSettings::new(kafka_brokers(), unique_name("projector"));
        settings.session_timeout = Duration::from_secs(6);
        create_topic(&settings, partitions, 1).await.unwrap();
        let log = KafkaLog::open(settings).await.unwrap();
        Self::on(Arc::new(log), TestDatabase::create().await).await
    }

    async fn on(log: Arc<dyn EventLog>, test_database: TestDatabase) -> Self {
        let database = Database::new(test_database.options());
        database.migrate(READ_MODEL_SCHEMA, READ_MODEL).await.unwrap();
        let writer = log.writer().await.unwrap();
        let pool = database.pool(READ_MODEL_SCHEMA, "the test", 3);
        Self {
            database,
            pool,
            log,
            writer,
            readiness: Readiness::new(),
            shutdown: Shutdown::new(Duration::from_secs(10)),
            test_database,
        }
    }

    pub fn start(&self, arguments: &[&str]) {
        self.start_another(arguments, &self.readiness, &self.shutdown);
    }

    /// A projector beside the first one, to be stopped by itself.
    pub fn start_another(&self, arguments: &[&str], readiness: &Readiness, shutdown: &Shutdown) {
        let command = Command::parse_from(["projector"].iter().chain(arguments));
        let (database, log) = (self.database.clone(), self.log.clone());
        let (component, stopping) = (readiness.component("projector"), shutdown.clone());
        shutdown.spawn("projector", async move {
            run(&command.settings, Tz::UTC, database, log, component, &stopping).await
        });
    }

    pub async fn append(&self, envelopes: &[Envelope]) -> Vec<Position> {
        let records = envelopes.iter().map(|envelope| NewRecord {
            key: envelope.session_id.as_str().into(),
            event_id: envelope.event_id,
            schema_version: codec::SCHEMA_VERSION,
            value: codec::encode(envelope),
        });
        self.append_raw(records.collect()).await
    }

    pub async fn append_raw(&self, records: Vec<NewRecord>) -> Vec<Position> {
        self.writer.append(records).await.into_iter().map(Result::unwrap).collect()
    }

    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap_or(-1)
    }

    pub async fn until(&self, what: &str, sql: &str, expected: i64) {
        eventually(what, SOON, async || (self.number(sql).await == expected).then_some(())).await;
    }

    /// Stops the projector; it can be started again.
    pub async fn stop(&mut self) {
        self.shutdown.begin();
        self.shutdown.drained().await.unwrap();
        self.shutdown = Shutdown::new(Duration::from_secs(10));
    }
}

pub fn garbage(schema_version: u32) -> NewRecord {
    NewRecord { key: b"s".to_vec(), event_id: uuid::Uuid::now_v7(), schema_version, value: b"garbage".to_vec() }
}
