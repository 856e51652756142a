//! `footfall migrate`: tables, roles and topic.

use crate::{
    output::say,
    stores::{StoreSettings, Stores, migrate_tables, migrate_topic},
};
use anyhow::bail;
use event_log::kafka::KafkaLogError;
use service::{
    database::{DatabaseError, is_refused},
    lifecycle::one_line,
    roles::{self, Service, ServiceRole},
    settings::read_secret,
};
use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

/// How long to wait before the next try.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Make or update the tables, the services' roles and, on Kafka, the topic.
#[derive(clap::Args)]
pub struct Migrate {
    #[command(flatten)]
    stores: StoreSettings,
    /// Copies that Kafka keeps of each record of a new topic
    #[arg(long, env = "FOOTFALL_REPLICATION", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=15))]
    replication: u16,
    /// How long to wait for servers that are away, in seconds
    #[arg(long, env = "FOOTFALL_WAIT_SECONDS", default_value_t = 0)]
    wait_seconds: u64,
    #[command(flatten)]
    roles: RoleSettings,
}

/// Which roles in PostgreSQL the services have.
#[derive(clap::Args)]
struct RoleSettings {
    /// Role of the projector: made if it is not there, and given the writing of the read model alone
    #[arg(long, env = "FOOTFALL_PROJECTOR_ROLE")]
    projector_role: Option<String>,
    /// File with the password that the projector's role is to have
    #[arg(long, env = "FOOTFALL_PROJECTOR_PASSWORD_FILE", requires = "projector_role")]
    projector_password_file: Option<PathBuf>,
    /// Role of query-api: made if it is not there, and given the reading of the read model and the keeping of accounts
    #[arg(long, env = "FOOTFALL_QUERY_API_ROLE")]
    query_api_role: Option<String>,
    /// File with the password that query-api's role is to have
    #[arg(long, env = "FOOTFALL_QUERY_API_PASSWORD_FILE", requires = "query_api_role")]
    query_api_password_file: Option<PathBuf>,
}

impl RoleSettings {
    fn roles(&self) -> anyhow::Result<Vec<ServiceRole>> {
        let mut roles = Vec::new();
        for (service, name, file, setting) in [
            (
                Service::Projector,
                &self.projector_role,
                &self.projector_password_file,
                "--projector-password-file (FOOTFALL_PROJECTOR_PASSWORD_FILE)",
            ),
            (
                Service::QueryApi,
                &self.query_api_role,
                &self.query_api_password_file,
                "--query-api-password-file (FOOTFALL_QUERY_API_PASSWORD_FILE)",
            ),
        ] {
            let Some(name) = name.clone() else { continue };
            roles.push(ServiceRole { service, name, password: read_secret(None, file.as_deref(), setting)? });
        }
        Ok(roles)
    }
}

impl Migrate {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let started = Instant::now();
        let mut told = false;
        loop {
            match self.try_once().await {
                Err(error) if started.elapsed() < Duration::from_secs(self.wait_seconds) && is_away(&error) => {
                    if !told {
                        tracing::warn!(error = one_line(&error), "waiting");
                        told = true;
                    }
                    tokio::time::sleep(TRY_AGAIN).await;
                }
                ended => return ended.map(|()| ExitCode::SUCCESS),
            }
        }
    }

    async fn try_once(&self) -> anyhow::Result<()> {
        let (kafka, roles) = (self.stores.kafka.log_settings()?, self.roles.roles()?);
        if kafka.is_some() && !self.stores.has_database()? {
            bail!(
                "services that share Kafka share a PostgreSQL server: name it with --database-url (FOOTFALL_DATABASE_URL)"
            );
        }
        let stores = Stores::attach_or_make(&self.stores).await?;
        let made = async {
            migrate_tables(&stores.database, kafka.is_none()).await?;
            if !roles.is_empty() {
                roles::make(&stores.database, &roles).await?;
                roles::grant(&stores.database).await?;
            }
            anyhow::Ok(())
        };
        let made = made.await;
        stores.close().await?;
        made?;
        say("the tables are up to date")?;
        for role in &roles {
            say(format_args!("the role {} may do what its service needs", role.name))?;
        }
        if let Some(kafka) = kafka {
            migrate_topic(&kafka, self.replication).await?;
            say(format_args!("the topic {} is up to date", kafka.topic))?;
        }
        Ok(())
    }
}

/// Whether it is a server that may still be starting.
fn is_away(error: &anyhow::Error) -> bool {
    let database = match error.downcast_ref() {
        Some(DatabaseError::Connect(error)) => Some(error),
        _ => error.downcast_ref::<sqlx::Error>(),
    };
    match database {
        Some(error) => !is_refused(error),
        None => matches!(error.downcast_ref(), Some(KafkaLogError::Unavailable { .. })),
    }
}
