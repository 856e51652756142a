use super::{Ended, Process, SOON, Topics, get};
use event_log::{
    EventLog, EventWriter, NewRecord, Sharing,
    kafka::{KafkaLog, KafkaLogSettings},
};
use schema::Position;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};
use tempfile::TempDir;
use test_support::{Lines, TestDatabase, eventually, kafka_brokers, unique_name};

/// Name of the file in which a load writes down what was acknowledged.
const ACKNOWLEDGED: &str = "acknowledged";

/// A database, a topic and the settings that the services share.
pub struct Place {
    pub database_url: String,
    pub brokers: String,
    pub topic: String,
    pub topics: Topics,
    /// Its bare table names mean the read model.
    pub pool: PgPool,
    /// How many it was migrated with, if the test has said so.
    partitions: AtomicU16,
    folder: TempDir,
    acknowledged: Lines,
    _database: Option<TestDatabase>,
}

impl Place {
    /// On the servers that all tests share.
    pub async fn new() -> Self {
        Self::with_brokers(kafka_brokers()).await
    }

    /// With a broker of the test's own.
    pub async fn with_brokers(brokers: String) -> Self {
        let database = TestDatabase::create().await;
        Self::on(database.url(), brokers, Some(database))
    }

    /// With a database of the test's own.
    pub fn with_database(url: String) -> Self {
        Self::on(url, kafka_brokers(), None)
    }

    fn on(database_url: String, brokers: String, database: Option<TestDatabase>) -> Self {
        let options: PgConnectOptions = database_url.parse().unwrap();
        let options = options.options([("search_path", "footfall")]);
        let folder = tempfile::tempdir().unwrap();
        Self {
            database_url,
            topic: unique_name("apart"),
            topics: Topics::new(&brokers),
            brokers,
            pool: PgPoolOptions::new().max_connections(2).connect_lazy_with(options),
            acknowledged: Lines::of(&folder.path().join(ACKNOWLEDGED)),
            partitions: AtomicU16::new(0),
            folder,
            _database: database,
        }
    }

    /// The command with these arguments and no setting of whoever runs the tests.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_footfall"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FOOTFALL_")) {
            command.env_remove(name);
        }
        command
            .args(arguments)
            .env("FOOTFALL_DATABASE_URL", &self.database_url)
            .env("FOOTFALL_KAFKA_BROKERS", &self.brokers)
            .env("FOOTFALL_KAFKA_TOPIC", &self.topic)
            .env("FOOTFALL_SECRET_KEY", "a secret of at least 32 bytes, for tests")
            .env("FOOTFALL_PROJECTOR_GROUP", &self.topic)
            .env("FOOTFALL_PROJECTOR_SESSION_TIMEOUT_MS", "6000")
            // one address sends everything
            .env("FOOTFALL_THROTTLE_BASE", "off")
            .env("FOOTFALL_OPS_LISTEN", "127.0.0.1:0")
            .env("FOOTFALL_LISTEN", "127.0.0.1:0");
        match self.partitions.load(Ordering::Relaxed) {
            0 => {}
            partitions => drop(command.env("FOOTFALL_PARTITIONS", partitions.to_string())),
        }
        command
    }

    /// Starts a service or a command.
    pub fn start(&self, arguments: &[&str]) -> Process {
        Process::start(arguments[0], self.command(arguments))
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).ended().await
    }

    /// `footfall migrate` with so many partitions.
    pub async fn migrate(&self, partitions: u16) {
        self.partitions.store(partitions, Ordering::Relaxed);
        self.run(&["migrate", "--partitions", &partitions.to_string()]).await.well();
    }

    /// Where `footfall load` writes down what was acknowledged.
    pub fn acknowledged(&self) -> PathBuf {
        self.folder.path().join(ACKNOWLEDGED)
    }

    /// `footfall load` of so many events to this ingest, writing down what is acknowledged.
    pub fn load(&self, ingest: SocketAddr, events: u64, further: &[&str]) -> Process {
        let (url, events, file) = (format!("http://{ingest}"), events.to_string(), self.acknowledged());
        let mut arguments = vec!["load", "--url", &url, "--events", &events, "--acknowledged", file.to_str().unwrap()];
        arguments.extend(further);
        self.start(&arguments)
    }

    /// How many events the load has written down so far.
    pub fn acknowledged_so_far(&self) -> u64 {
        self.acknowledged.count()
    }

    /// Waits until so many events are written down.
    pub async fn until_acknowledged(&self, events: u64) {
        let what = format!("{events} events are acknowledged");
        eventually(&what, SOON * 5, async || (self.acknowledged_so_far() >= events).then_some(())).await;
    }

    /// The first column of the only row.
    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// Waits until a query gives this number.
    pub async fn until(&self, what: &str, sql: &str, expected: i64) {
        eventually(what, SOON, async || {
            let number: Result<i64, _> = sqlx::query_scalar(sql).fetch_one(&self.pool).await;
            (number.ok()? == expected).then_some(())
        })
        .await;
    }

    /// The log, for a test that appends or looks.
    pub async fn log(&self) -> KafkaLog {
        KafkaLog::open(KafkaLogSettings::new(&self.brokers, &self.topic)).await.unwrap()
    }

    /// Appends records as they are.
    pub async fn append(&self, records: Vec<NewRecord>) -> Vec<Position> {
        let writer: Arc<dyn EventWriter> = self.log().await.writer().await.unwrap();
        writer.append(records).await.into_iter().map(Result::unwrap).collect()
    }

    /// Waits until the read model has everything that is on the log now.
    pub async fn until_caught_up(&self) {
        let log = self.log().await;
        let reader = log.reader(Sharing::Alone).await.unwrap();
        let mut end = 0;
        for partition in 0..log.partitions() {
            end += reader.watermarks(partition).await.unwrap().high;
        }
        reader.close().await;
        let what = format!("the projectors have come to the end of the log, {end} in all");
        // without a checkpoint no projector has begun
        let sql = "SELECT coalesce(sum(next_offset), -1)::bigint FROM checkpoint";
        eventually(&what, SOON * 5, async || (self.number(sql).await >= end).then_some(())).await;
    }

    /// `footfall verify` finds nothing wrong, and every acknowledged event.
    pub async fn verify(&self) {
        let file = self.acknowledged();
        let mut arguments = vec!["verify"];
        if file.exists() {
            arguments.extend(["--acknowledged", file.to_str().unwrap()]);
        }
        let said = self.run(&arguments).await.well().join("\n");
        assert!(said.contains("everything is accounted for"), "{said}");
    }

    /// Everything acknowledged is stored, and `events` in all: nothing twice, nothing dead.
    pub async fn verify_all(&self, events: u64) {
        assert_eq!(self.acknowledged_so_far(), events, "acknowledged by the load");
        self.until_caught_up().await;
        self.verify().await;
        let counted = "SELECT coalesce(sum(events), 0)::bigint FROM tally WHERE outcome IN ('stored', 'folded')";
        assert_eq!(u64::try_from(self.number(counted).await).unwrap(), events, "stored or folded");
        assert_eq!(self.number("SELECT count(*) FROM dead_letter").await, 0, "dead letters");
    }

    /// Waits until a list has so many objects, and gives the answer.
    pub async fn until_listed(&self, query_api: SocketAddr, path: &str, count: i64) -> serde_json::Value {
        eventually(&format!("{path} has {count}"), SOON, async || {
            let answer = get(query_api, path).await;
            Some(answer.json()).filter(|list| answer.status == 200 && list["count"] == count)
        })
        .await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.topics.delete_later(&self.topic);
    }
}
