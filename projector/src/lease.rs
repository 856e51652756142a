//! Projectors hold the read model's lock shared; who replaces the read model holds it alone.

use crate::{
    health::{Health, postgres_away},
    patience::look,
    write::backoff,
};
use anyhow::bail;
use service::database::Database;
use sqlx::{Connection, PgConnection};
use std::time::Duration;

/// Name of the advisory lock. Any number will do.
const READ_MODEL_LOCK: i64 = 0x466f_6f74_0002;

/// How often the connection is tried on which the lock is held.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The lock, held as long as this value and its connection live.
#[derive(Debug)]
pub struct Lease {
    connection: PgConnection,
}

impl Lease {
    /// Takes the lock beside other projectors; `None` while a rebuild has it.
    pub async fn shared(database: &Database) -> sqlx::Result<Option<Self>> {
        Self::take(database, "footfall projector lock", "SELECT pg_try_advisory_lock_shared($1)").await
    }

    /// Takes the lock alone; `None` while a projector or another rebuild has it.
    pub async fn exclusive(database: &Database) -> sqlx::Result<Option<Self>> {
        Self::take(database, "footfall rebuild lock", "SELECT pg_try_advisory_lock($1)").await
    }

    async fn take(database: &Database, name: &str, statement: &'static str) -> sqlx::Result<Option<Self>> {
        let options = database.options_for(schema::migrations::READ_MODEL_SCHEMA, name);
        look(async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let taken: bool = sqlx::query_scalar(statement).bind(READ_MODEL_LOCK).fetch_one(&mut connection).await?;
            if taken {
                return Ok(Some(Self { connection }));
            }
            connection.close().await?;
            Ok(None)
        })
        .await
    }

    /// Ends when the lock is lost, or may be: the server restarted, or does not answer. Somebody else may have it then.
    pub async fn lost(&mut self) -> sqlx::Error {
        loop {
            if let Err(error) = self.check().await {
                return error;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether the lock is held now.
    pub async fn check(&mut self) -> sqlx::Result<()> {
        look(self.connection.ping()).await
    }

    /// The connection on which the lock is held: what is committed on it is committed under the lock.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Keeps the lock over restarts of PostgreSQL, and tells `health` while it is away. Ends only with an error: a
    /// rebuild came in between.
    pub async fn keep(mut self, database: Database, health: &Health) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let lost = match self.check().await {
                Ok(()) => continue,
                Err(error) => postgres_away(&error),
            };
            tracing::warn!(reason = lost, "waiting");
            health.set("lock", Some(&lost));
            for wait in backoff() {
                match Self::shared(&database).await {
                    Ok(Some(lease)) => {
                        self = lease;
                        health.set("lock", None);
                        break;
                    }
                    Ok(None) => {
                        bail!("a rebuild began while PostgreSQL was away: start the projector again when it is done")
                    }
                    Err(error) => {
                        tracing::debug!(%error, "the read model's lock cannot be had yet");
                        tokio::time::sleep(wait).await;
                    }
                }
            }
        }
    }
}
