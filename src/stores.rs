//! Which servers a command works on: yours where you name them, else those of `up`'s data directory.

use anyhow::{Context, bail};
use event_log::{
    EventLog,
    kafka::{KafkaLog, KafkaLogError, KafkaLogSettings, create_topic},
    postgres::{PostgresLog, PostgresLogError, PostgresLogSettings},
};
use local_postgres::Attached;
use schema::migrations::{ACCOUNTS, ACCOUNTS_SCHEMA, LOG, LOG_SCHEMA, READ_MODEL, READ_MODEL_SCHEMA};
use service::{
    database::Database,
    roles,
    settings::{DatabaseSettings, parse_properties, read_properties},
};
use std::{net::Ipv6Addr, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// Which Kafka, if any.
#[derive(Clone, Debug, clap::Args)]
pub struct KafkaSettings {
    /// Kafka brokers as host:port, separated by commas
    #[arg(long, env = "FOOTFALL_KAFKA_BROKERS", value_parser = parse_brokers)]
    pub kafka_brokers: Option<String>,
    /// Topic that holds the events
    #[arg(long, env = "FOOTFALL_KAFKA_TOPIC", default_value = "footfall.events", value_parser = parse_topic)]
    pub kafka_topic: String,
    /// Further properties for the Kafka client, as name=value separated by commas
    #[arg(long, env = "FOOTFALL_KAFKA_PROPERTIES", default_value = "", hide_env_values = true)]
    pub kafka_properties: String,
    /// File with further properties for the Kafka client, one name=value a line
    #[arg(long, env = "FOOTFALL_KAFKA_PROPERTIES_FILE")]
    pub kafka_properties_file: Option<PathBuf>,
    /// Partitions of the log: for a new one (default 12), and what an existing one must have
    #[arg(long, env = "FOOTFALL_PARTITIONS", value_parser = clap::value_parser!(u16).range(1..=i64::from(schema::limits::MAX_PARTITIONS)))]
    pub partitions: Option<u16>,
    /// How long an event may take to be confirmed before the client is answered 503, in milliseconds
    #[arg(long, env = "FOOTFALL_APPEND_DEADLINE_MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(2_000..=60_000))]
    pub append_deadline_ms: u64,
}

/// What an address of a broker may begin with.
const PROTOCOLS: [&str; 4] = ["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"];

/// What is no address of a broker would be looked for and never be found, and the service wait for ever.
fn parse_brokers(text: &str) -> Result<String, String> {
    let brokers: Vec<&str> = text.split(',').map(str::trim).collect();
    match brokers.iter().find(|broker| !is_broker(broker)) {
        Some(wrong) => Err(format!("{wrong:?} is no broker; for example kafka:9092, and a comma between several")),
        None => Ok(brokers.join(",")),
    }
}

/// `host:port`, or `host` alone, which stands for Kafka's own port; before it, as librdkafka takes it, one of Kafka's
/// protocols (which `security.protocol` decides all the same).
fn is_broker(text: &str) -> bool {
    let text = match text.split_once("://") {
        Some((protocol, rest)) if PROTOCOLS.iter().any(|known| protocol.eq_ignore_ascii_case(known)) => rest,
        Some(_) => return false,
        None => text,
    };
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (is_host, port) = if let Some((host, rest)) = bracketed {
        (host.parse::<Ipv6Addr>().is_ok(), rest)
    } else {
        let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
        let fits = |letter: char| letter.is_alphanumeric() || "._-".contains(letter);
        (!host.is_empty() && host.chars().all(fits), port)
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let is_port = |port: &str| digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0);
    is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

/// Kafka's own rule for names.
fn parse_topic(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if matches!(text.len(), 1..=249) && !matches!(text, "." | "..") && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no name of a topic: letters, digits, dots, dashes and underscores, 249 at most"))
    }
}

impl KafkaSettings {
    /// The settings of the Kafka engine, if brokers are named.
    pub fn log_settings(&self) -> anyhow::Result<Option<KafkaLogSettings>> {
        let Some(brokers) = &self.kafka_brokers else { return Ok(None) };
        let mut settings = KafkaLogSettings::new(brokers, &self.kafka_topic);
        settings.partitions = self.partitions;
        settings.properties =
            self.kafka_properties_file.as_deref().map(read_properties).transpose()?.unwrap_or_default();
        settings.properties.extend(parse_properties(&self.kafka_properties)?);
        settings.append_deadline = Duration::from_millis(self.append_deadline_ms);
        Ok(Some(settings))
    }

    /// The same for who places events, or reads what was placed: with a definite number of partitions. To follow a topic
    /// that somebody has repartitioned would put one session on two partitions, and nothing could mend that.
    pub fn definite(&self) -> anyhow::Result<Option<KafkaLogSettings>> {
        let mut settings = self.log_settings()?;
        if let Some(settings) = &mut settings {
            settings.partitions.get_or_insert(schema::limits::DEFAULT_PARTITIONS);
        }
        Ok(settings)
    }

    /// The same for services that cannot do without Kafka.
    pub fn required(&self) -> anyhow::Result<KafkaLogSettings> {
        self.definite()?.context(
            "separate services need Kafka: name it with --kafka-brokers (FOOTFALL_KAFKA_BROKERS), or run everything in one process with `footfall up`",
        )
    }
}

/// Opens the log in Kafka; waits as long as Kafka is away, and tells each time why it still is.
pub async fn open_kafka(
    settings: KafkaLogSettings,
    stopping: &CancellationToken,
    away: impl Fn(String),
) -> anyhow::Result<Option<Arc<dyn EventLog>>> {
    let mut told = false;
    loop {
        let Some(opened) = stopping.run_until_cancelled(KafkaLog::open(settings.clone())).await else {
            return Ok(None);
        };
        match opened {
            Ok(log) => return Ok(Some(Arc::new(log))),
            Err(error @ KafkaLogError::Unavailable { .. }) => {
                if !told {
                    tracing::warn!(%error, "waiting for Kafka");
                    told = true;
                }
                away(error.to_string());
                if stopping.run_until_cancelled(tokio::time::sleep(Duration::from_millis(500))).await.is_none() {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Which servers.
#[derive(Clone, Debug, clap::Args)]
pub struct StoreSettings {
    #[command(flatten)]
    pub database: DatabaseSettings,
    #[command(flatten)]
    pub kafka: KafkaSettings,
    #[command(flatten)]
    pub data_dir: DataDirSettings,
}

/// Where `up` keeps its data.
#[derive(Clone, Debug, clap::Args)]
pub struct DataDirSettings {
    /// Where `up` keeps its data: by default /var/lib/footfall for root, else footfall in the user's data folder
    #[arg(long, env = "FOOTFALL_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

impl DataDirSettings {
    /// The folder; it need not exist.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        match &self.data_dir {
            Some(path) => Ok(path.clone()),
            None => Ok(local_postgres::default_data_dir()?),
        }
    }
}

impl StoreSettings {
    /// Whether a database is named, or `up` has been in the data directory.
    pub fn has_database(&self) -> anyhow::Result<bool> {
        Ok(self.database.database()?.is_some() || self.data_dir.path()?.join("lock").exists())
    }
}

/// The servers of a command that works beside a running `up`, or without one.
pub struct Stores {
    pub database: Database,
    attached: Option<Attached>,
}

impl Stores {
    /// The database that is named, else the one that `up` runs, else the one that `up` left, started for the command.
    ///
    /// # Errors
    /// Also when `up` has never been in the data directory: a name that is mistyped must not make a new database.
    pub async fn attach(settings: &StoreSettings) -> anyhow::Result<Self> {
        if !settings.has_database()? {
            bail!(
                "there is no Footfall in {}: start `footfall up`, or name its --data-dir or a --database-url",
                settings.data_dir.path()?.display()
            );
        }
        Self::attach_or_make(settings).await
    }

    /// The same; makes a database in the data directory where there is none.
    pub async fn attach_or_make(settings: &StoreSettings) -> anyhow::Result<Self> {
        if let Some(database) = settings.database.database()? {
            return Ok(Self { database, attached: None });
        }
        let attached = local_postgres::attach(local_postgres::Settings::new(settings.data_dir.path()?)).await?;
        Ok(Self { database: Database::new(attached.options()), attached: Some(attached) })
    }

    /// The log, for reading.
    pub async fn log(&self, settings: &StoreSettings) -> anyhow::Result<Arc<dyn EventLog>> {
        if let Some(kafka) = settings.kafka.log_settings()? {
            return Ok(Arc::new(KafkaLog::open(kafka).await.map_err(named)?));
        }
        let log = PostgresLogSettings {
            writer: false,
            partitions: settings.kafka.partitions.unwrap_or(schema::limits::DEFAULT_PARTITIONS),
            ..PostgresLogSettings::default()
        };
        match PostgresLog::open(self.database.options().clone(), log).await {
            Ok(log) => Ok(Arc::new(log)),
            Err(error @ (PostgresLogError::NoTables | PostgresLogError::NoLog)) => {
                bail!("{error}; where the events are in Kafka, name it with --kafka-brokers (FOOTFALL_KAFKA_BROKERS)")
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a database that has no tables of ours: most likely another one was meant.
    pub async fn has_read_model(&self) -> anyhow::Result<()> {
        if self.database.is_migrated(READ_MODEL_SCHEMA, READ_MODEL).await? {
            return Ok(());
        }
        bail!(
            "the tables of {READ_MODEL_SCHEMA} are missing or old: type `footfall migrate`, or name another database with --database-url (FOOTFALL_DATABASE_URL)"
        )
    }

    /// Stops what was started for the command.
    pub async fn close(self) -> anyhow::Result<()> {
        match self.attached {
            Some(attached) => Ok(attached.stop().await?),
            None => Ok(()),
        }
    }
}

/// Makes or updates all tables, and lets the roles of the services use them.
pub async fn migrate_tables(database: &Database, with_log: bool) -> anyhow::Result<()> {
    database.migrate(ACCOUNTS_SCHEMA, ACCOUNTS).await?;
    database.migrate(READ_MODEL_SCHEMA, READ_MODEL).await?;
    if with_log {
        database.migrate(LOG_SCHEMA, LOG).await?;
    }
    roles::grant(database).await?;
    Ok(())
}

/// The error with the setting to look at where the brokers are not there.
pub fn named(error: KafkaLogError) -> anyhow::Error {
    let away = matches!(error, KafkaLogError::Unavailable { .. });
    let error = anyhow::Error::new(error);
    if away { error.context("--kafka-brokers (FOOTFALL_KAFKA_BROKERS)") } else { error }
}

/// Makes the topic, or brings the settings of an existing one in line. Where no number of partitions is asked for, an
/// existing topic keeps its own.
pub async fn migrate_topic(settings: &KafkaLogSettings, replication: u16) -> anyhow::Result<()> {
    let wanted = settings.partitions.unwrap_or(schema::limits::DEFAULT_PARTITIONS);
    match create_topic(settings, wanted, replication).await {
        Err(KafkaLogError::OtherPartitions { found, .. }) if settings.partitions.is_none() => {
            let found = u16::try_from(found).context("the topic has more partitions than a log can have")?;
            create_topic(settings, found, replication).await.map_err(named)
        }
        made => made.map_err(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_are_hosts_with_or_without_a_port() {
        for good in ["kafka", "kafka:9092", "10.0.0.1:9092", "[::1]:9092", "[2001:db8::1]", "kafka_1.shop-b.example:1"]
        {
            assert_eq!(parse_brokers(good).as_deref(), Ok(good));
        }
        for good in ["SSL://kafka:9093", "sasl_ssl://[::1]:9093,PLAINTEXT://b"] {
            assert_eq!(parse_brokers(good).as_deref(), Ok(good));
        }
        assert_eq!(parse_brokers(" a:9092 , b:9092").as_deref(), Ok("a:9092,b:9092"));
        for wrong in [
            "",
            ",",
            "a,,b",
            "a,",
            ":::",
            "::1",
            ":9092",
            "a:",
            "a:+1",
            "a:0",
            "a:65536",
            "a b",
            "http://a:9092",
            "SSL://",
            "SSL://SSL://a:9092",
            "[a]",
        ] {
            assert!(parse_brokers(wrong).is_err(), "{wrong}");
        }
    }
}
