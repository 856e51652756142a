//! `footfall migrate`: tables and topic.

use crate::{
    output::say,
    stores::{StoreSettings, Stores, migrate_tables, migrate_topic},
};
use anyhow::bail;
use std::process::ExitCode;

/// Make or update the tables and, on Kafka, the topic.
#[derive(clap::Args)]
pub struct Migrate {
    #[command(flatten)]
    stores: StoreSettings,
    /// Copies that Kafka keeps of each record of a new topic
    #[arg(long, env = "FOOTFALL_REPLICATION", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=15))]
    replication: u16,
}

impl Migrate {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let kafka = self.stores.kafka.log_settings()?;
        if kafka.is_some() && !self.stores.has_database()? {
            bail!(
                "services that share Kafka share a PostgreSQL server: name it with --database-url (FOOTFALL_DATABASE_URL)"
            );
        }
        let stores = Stores::attach_or_make(&self.stores).await?;
        let made = migrate_tables(&stores.database, kafka.is_none()).await;
        stores.close().await?;
        made?;
        say("the tables are up to date")?;
        if let Some(kafka) = kafka {
            migrate_topic(&kafka, self.replication).await?;
            say(format_args!("the topic {} is up to date", kafka.topic))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
