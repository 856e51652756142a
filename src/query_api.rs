//! `footfall query-api`: read model in; lists, details and report out, alone.

use crate::{
    process::{self, Process},
    stores::KafkaSettings,
};
use ::query_api::QuerySettings;
use event_log::{
    EventLog, Sharing,
    kafka::{KafkaLog, KafkaLogError},
};
use schema::migrations::{ACCOUNTS, ACCOUNTS_SCHEMA, READ_MODEL, READ_MODEL_SCHEMA};
use service::{
    database::{Database, DatabaseError},
    gate::Access,
    http,
    resource::Resource,
    settings::{DatabaseSettings, KeySettings, ListenSettings, ProcessSettings, ZoneSettings, warn_if_open},
    throttle::ThrottleSettings,
};
use std::process::ExitCode;

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
        check_tables(&database).await?;
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
        let query = ::query_api::QueryApi::new(
            self.query,
            self.zone.time_zone,
            &database,
            keys.clone(),
            &self.listen.base_path,
            heads,
        );
        let (watched, stopping) = (query.clone(), shutdown.token().clone());
        shutdown.spawn("query-api", async move { watched.watch_readiness(component, stopping).await });
        warn_if_open(self.listen.listen, access);
        let app = process::app(query.routes(), &self.listen, keys, access, &self.throttle);
        http::spawn_server("http", listener, app, &shutdown);
        shutdown.drained().await.map(|()| ExitCode::SUCCESS)
    }
}

/// Refuses to start on tables that are missing; a database that is away is waited for.
async fn check_tables(database: &Database) -> anyhow::Result<()> {
    for (schema, migrations) in [(READ_MODEL_SCHEMA, READ_MODEL), (ACCOUNTS_SCHEMA, ACCOUNTS)] {
        match database.is_migrated(schema, migrations).await {
            Ok(true) => {}
            Ok(false) => anyhow::bail!("the tables of {schema} are missing or old: type `footfall migrate`"),
            Err(error @ DatabaseError::Migrate { .. }) => return Err(error.into()),
            Err(error) => tracing::warn!(%error, "waiting for PostgreSQL"),
        }
    }
    Ok(())
}
