//! `footfall query-api`: read model in; lists, details and report out, alone.

use crate::{
    process::{self, Process},
    stores::{KafkaSettings, open_kafka},
};
use ::query_api::QuerySettings;
use anyhow::{Context, bail};
use event_log::{
    EventLog, EventWriter, LateWriter, Sharing,
    kafka::{KafkaLog, KafkaLogError, KafkaLogSettings},
};
use schema::migrations::{ACCOUNTS, ACCOUNTS_SCHEMA, READ_MODEL, READ_MODEL_SCHEMA};
use service::{
    database::{Database, DatabaseError, is_refused},
    gate::Access,
    http,
    lifecycle::Shutdown,
    resource::Resource,
    settings::{DatabaseSettings, KeySettings, ListenSettings, ProcessSettings, ZoneSettings, warn_if_open},
    throttle::ThrottleSettings,
};
use std::{process::ExitCode, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// How often a database that is away is asked for its tables.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// Run query-api alone.
#[derive(clap::Args)]
pub struct QueryApi {
    #[command(flatten)]
    listen: ListenSettings,
    #[command(flatten)]
    process: ProcessSettings,
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(flatten)]
    kafka: KafkaSettings,
    #[command(flatten)]
    keys: KeySettings,
    #[command(flatten)]
    zone: ZoneSettings,
    #[command(flatten)]
    throttle: ThrottleSettings,
    #[command(flatten)]
    query: QuerySettings,
}

impl QueryApi {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let (database, keys) = (self.database.required()?, self.keys.required()?);
        let listener = process::bind(&self.listen).await?;
        let Process { shutdown, readiness } = Process::start(&self.process).await?;
        let component = readiness.component("read model");
        let (checked, stopping) = (database.clone(), shutdown.token().clone());
        shutdown.spawn("tables", async move {
            check_tables(&checked, &stopping).await?;
            stopping.cancelled().await;
            Ok(())
        });
        // how far the log is, is shown while Kafka answers; without it everything else goes on
        let heads = match self.kafka.log_settings()? {
            None => None,
            Some(kafka) => match KafkaLog::open(kafka).await {
                Ok(log) => Some(log.reader(Sharing::Alone).await?),
                Err(error @ KafkaLogError::Unavailable { .. }) => {
                    tracing::warn!(%error, "/status/ will not tell how far the log is");
                    None
                }
                Err(error) => return Err(error.into()),
            },
        };
        let access =
            Access { read: Some(Resource::ALL.map(|resource| self.query.read_access.get(resource))), write: None };
        let changes = self.query.admin.admin;
        let query = ::query_api::QueryApi::new(
            self.query,
            self.zone.time_zone,
            &database,
            keys.clone(),
            &self.listen.base_path,
            heads,
        );
        let query = match self.kafka.definite()?.filter(|_| changes) {
            Some(kafka) => query.writing_to(write_to(kafka, &shutdown)),
            None => query,
        };
        let (watched, stopping) = (query.clone(), shutdown.token().clone());
        shutdown.spawn("query-api", async move { watched.watch_readiness(component, stopping).await });
        warn_if_open(self.listen.listen, access);
        let app = process::app(query.routes(), &self.listen, keys, access, &self.throttle);
        http::spawn_server("http", listener, app, &shutdown);
        shutdown.drained().await.map(|()| ExitCode::SUCCESS)
    }
}

/// Where the admin's changes go: nowhere until Kafka answers.
fn write_to(kafka: KafkaLogSettings, shutdown: &Shutdown) -> Arc<dyn EventWriter> {
    let writer = Arc::new(LateWriter::default());
    let (late, stopping) = (Arc::clone(&writer), shutdown.token().clone());
    shutdown.spawn("event log", async move {
        if let Some(log) = open_kafka(kafka, &stopping).await? {
            late.set(log.writer().await?);
            stopping.cancelled().await;
            late.close().await;
        }
        Ok(())
    });
    writer
}

/// Refuses tables that are missing and a database that does not let us in; waits for one that is away.
async fn check_tables(database: &Database, stopping: &CancellationToken) -> anyhow::Result<()> {
    for (schema, migrations) in [(READ_MODEL_SCHEMA, READ_MODEL), (ACCOUNTS_SCHEMA, ACCOUNTS)] {
        loop {
            match database.is_migrated(schema, migrations).await {
                Ok(true) => break,
                Ok(false) => bail!("the tables of {schema} are missing or old: type `footfall migrate`"),
                Err(error @ DatabaseError::Migrate { .. }) => return Err(error.into()),
                Err(DatabaseError::Connect(error)) if is_refused(&error) => {
                    return Err(error).context("--database-url (FOOTFALL_DATABASE_URL)");
                }
                Err(error) => tracing::warn!(%error, "waiting for PostgreSQL"),
            }
            if stopping.run_until_cancelled(tokio::time::sleep(ASK_AGAIN)).await.is_none() {
                return Ok(());
            }
        }
    }
    Ok(())
}
