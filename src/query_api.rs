//! `footfall query-api`: read model in; lists, details and report out, alone.

use crate::{
    description,
    process::{self, Process},
    stores::{KafkaSettings, open_kafka},
};
use ::query_api::QuerySettings;
use anyhow::{Context, bail};
use event_log::{EventWriter, LateWriter, Sharing, kafka::KafkaLogSettings};
use schema::migrations::{ACCOUNTS, ACCOUNTS_SCHEMA, READ_MODEL, READ_MODEL_SCHEMA};
use service::{
    database::{Database, DatabaseError, is_refused},
    gate::Access,
    http,
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
        self.query.check().map_err(anyhow::Error::msg)?;
        let (database, keys) = (self.database.required()?, self.keys.required()?);
        let listener = process::bind(&self.listen)?;
        let Process { shutdown, readiness } = Process::start(&self.process)?;
        let component = readiness.component("read model");
        let (checked, stopping) = (database.clone(), shutdown.token().clone());
        shutdown.spawn("tables", async move {
            check_tables(&checked, &stopping).await?;
            stopping.cancelled().await;
            Ok(())
        });
        // who changes something places events
        let kafka = if self.query.admin.admin { self.kafka.definite()? } else { self.kafka.log_settings()? };
        let access =
            Access { read: Some(Resource::ALL.map(|resource| self.query.read_access.get(resource))), write: None };
        let writer = (kafka.is_some() && self.query.admin.admin).then(|| Arc::new(LateWriter::default()));
        let query = ::query_api::QueryApi::new(
            self.query,
            self.zone.time_zone,
            &database,
            keys.clone(),
            &self.listen.base_path,
            None,
        );
        let query = match writer.clone() {
            Some(writer) => query.writing_to(writer),
            None => query,
        };
        if let Some(kafka) = kafka {
            let (query, writer, stopping) = (query.clone(), writer.clone(), shutdown.token().clone());
            shutdown.spawn("log", async move { follow(query, writer, kafka, &stopping).await });
        }
        let (watched, stopping) = (query.clone(), shutdown.token().clone());
        shutdown.spawn("query-api", async move { watched.watch_readiness(component, stopping).await });
        warn_if_open(self.listen.listen, access);
        let app = process::app(query.routes(&description::openapi()), &self.listen, keys, access, &self.throttle);
        http::spawn_server("http", listener, app, &shutdown);
        let ended = shutdown.drained().await;
        // what was being saved has been answered by now
        if let Some(writer) = writer {
            writer.close().await;
        }
        ended.map(|()| ExitCode::SUCCESS)
    }
}

/// As soon as Kafka answers, lets `/status/` tell how far the log is and the admin write to it; until then everything else
/// goes on.
async fn follow(
    query: ::query_api::QueryApi,
    writer: Option<Arc<LateWriter>>,
    kafka: KafkaLogSettings,
    stopping: &CancellationToken,
) -> anyhow::Result<()> {
    let away = |reason| {
        if let Some(writer) = &writer {
            writer.not_yet(reason);
        }
    };
    if let Some(log) = open_kafka(kafka, stopping, away).await? {
        query.follow(log.reader(Sharing::Alone).await?);
        if let Some(writer) = writer {
            writer.set(log.writer().await?);
        }
    }
    stopping.cancelled().await;
    Ok(())
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
