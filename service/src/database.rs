//! Connections to PostgreSQL, and the steps that make its tables.

use schema::migrations::Migration;
use sqlx::{
    ConnectOptions, Connection, Executor, PgPool,
    migrate::{MigrateError, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{borrow::Cow, io::ErrorKind, time::Duration};

/// How long a request waits for a connection of a pool before it is told that the database is away.
pub const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection that comes back to a pool may take to show that it still works. One whose user gave up on a
/// server that says nothing would keep its place in the pool until the network gives up, a quarter of an hour later.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(5);

/// A connection that nobody has used for so long is tried before it is given out: after a restart of the server all
/// of them are dead, and each one would fail one request. Busy connections do not pay for it.
const TRY_AFTER_IDLE: Duration = Duration::from_secs(1);

/// A PostgreSQL database, not connected yet.
#[derive(Clone, Debug)]
pub struct Database {
    options: PgConnectOptions,
}

/// Why the tables could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The server did not answer, or refused.
    #[error("the database cannot be used: {0}")]
    Connect(#[from] sqlx::Error),
    /// A step failed, or the tables were made by a newer or a changed program.
    #[error("the tables of {schema} cannot be brought up to date: {error}")]
    Migrate {
        /// The PostgreSQL schema.
        schema: String,
        /// What went wrong.
        error: MigrateError,
    },
    /// A service's role could not be made, or not be changed.
    #[error(
        "the role {role} cannot be made: {error}; whoever connects needs CREATEROLE for it, or is made a member of it by somebody who has"
    )]
    Role {
        /// Its name.
        role: String,
        /// What PostgreSQL says.
        error: sqlx::Error,
    },
    /// A role could not be given what it needs.
    #[error("the roles of the services cannot be given what they need in {schema}: {error}")]
    Grant {
        /// The PostgreSQL schema.
        schema: String,
        /// What PostgreSQL says.
        error: sqlx::Error,
    },
}

/// Whether PostgreSQL has answered and does not let us in: a wrong name, password or database, or a certificate that is
/// not to be trusted. Waiting mends none of it.
pub fn is_refused(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        // a handshake of TLS is input and output like any other; only that has data which is invalid
        sqlx::Error::Io(error) => error.kind() == ErrorKind::InvalidData,
        _ => {
            let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default();
            code.starts_with("28") || code == "3D000"
        }
    }
}

/// What is wrong with a database that a pool could not reach: the pool itself says only that it has waited in vain.
pub async fn why_away(pool: &PgPool, error: &sqlx::Error) -> String {
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return error.to_string();
    }
    let options = pool.connect_options();
    match tokio::time::timeout(ACQUIRE_TIMEOUT, options.connect()).await {
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the server is connected and says nothing".to_owned(),
        // it has just come back, or all connections of the pool are busy
        Ok(Ok(connection)) => {
            drop(connection.close().await);
            error.to_string()
        }
    }
}

impl Database {
    /// Takes how to connect; nothing is connected yet.
    pub fn new(options: PgConnectOptions) -> Self {
        Self { options: options.log_statements(tracing::log::LevelFilter::Trace) }
    }

    /// How to connect.
    pub fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// How to connect with bare table names meaning those of `search_path`.
    pub fn options_for(&self, search_path: &str, application_name: &str) -> PgConnectOptions {
        self.options.clone().application_name(application_name).options([
            ("search_path", search_path),
            ("timezone", "UTC"),
            // the server learns within a minute that nobody is there, and lets go of what was locked
            ("tcp_keepalives_idle", "30"),
            ("tcp_keepalives_interval", "10"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "60000"),
        ])
    }

    /// A pool that connects when it is first used.
    ///
    /// `search_path` is the PostgreSQL schema that bare table names mean, `application_name` is what an operator
    /// sees in `pg_stat_activity`. Waits at most 5 seconds for a connection.
    pub fn pool(&self, search_path: &str, application_name: &str, max_connections: u32) -> PgPool {
        Self::pool_options(max_connections).connect_lazy_with(self.options_for(search_path, application_name))
    }

    /// A [`pool`](Self::pool) that cannot write, and whose statements end after `statement_timeout`.
    pub fn read_only_pool(
        &self,
        search_path: &str,
        application_name: &str,
        max_connections: u32,
        statement_timeout: Duration,
    ) -> PgPool {
        let timeout = statement_timeout.as_millis().to_string();
        let options = self
            .options_for(search_path, application_name)
            .options([("default_transaction_read_only", "on"), ("statement_timeout", timeout.as_str())]);
        Self::pool_options(max_connections).connect_lazy_with(options)
    }

    /// A [`pool`](Self::pool) of one who writes: the server ends a statement after `statement_timeout`, a wait for a
    /// lock after half of it, and a transaction whose owner has fallen silent after all of it, so that what it has
    /// locked is free again.
    pub fn writing_pool(
        &self,
        search_path: &str,
        application_name: &str,
        max_connections: u32,
        statement_timeout: Duration,
    ) -> PgPool {
        let [timeout, half] = [statement_timeout, statement_timeout / 2].map(|wait| wait.as_millis().to_string());
        let options = self.options_for(search_path, application_name).options([
            ("statement_timeout", timeout.as_str()),
            ("lock_timeout", half.as_str()),
            ("idle_in_transaction_session_timeout", timeout.as_str()),
        ]);
        Self::pool_options(max_connections).connect_lazy_with(options)
    }

    fn pool_options(max_connections: u32) -> PgPoolOptions {
        PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|connection, found| {
                Box::pin(async move { Ok(found.idle_for < TRY_AFTER_IDLE || connection.ping().await.is_ok()) })
            })
            .after_release(|connection, _| {
                Box::pin(async move {
                    let tried = tokio::time::timeout(COMES_BACK_WITHIN, connection.ping()).await;
                    // an error closes it at once; `Ok(false)` would say good-bye first
                    tried.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map(|()| true)
                })
            })
    }

    /// Makes the PostgreSQL schema and takes the steps that it has not taken yet. Several processes may do this at
    /// once: one works, the others wait and find it done.
    pub async fn migrate(&self, schema: &str, migrations: &[Migration]) -> Result<(), DatabaseError> {
        let mut connection = self.options_for(schema, "footfall migrate").connect().await?;
        // two processes that make the schema at the same time would both find it missing
        let mut transaction = connection.begin().await?;
        transaction.execute("SELECT pg_advisory_xact_lock(hashtext('footfall migrate'))").await?;
        transaction.execute(format!("CREATE SCHEMA IF NOT EXISTS {schema}").as_str()).await?;
        transaction.commit().await?;
        migrator(migrations)
            .run_direct(&mut connection)
            .await
            .map_err(|error| DatabaseError::Migrate { schema: schema.to_owned(), error })?;
        connection.close().await?;
        Ok(())
    }

    /// Whether every step has been taken; `Err` when the database does not answer.
    pub async fn is_migrated(&self, schema: &str, migrations: &[Migration]) -> Result<bool, DatabaseError> {
        let mut connection = self.options_for(schema, "footfall").connect().await?;
        let newest: Option<i64> = if sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(format!("{schema}._sqlx_migrations"))
            .fetch_one(&mut connection)
            .await?
        {
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
                .fetch_one(&mut connection)
                .await?
        } else {
            None
        };
        connection.close().await?;
        Ok(newest >= migrations.iter().map(|migration| migration.version).max())
    }
}

fn migrator(migrations: &[Migration]) -> Migrator {
    let steps = migrations.iter().map(|step| {
        sqlx::migrate::Migration::new(
            step.version,
            Cow::Borrowed(step.description),
            MigrationType::Simple,
            Cow::Borrowed(step.sql),
            false,
        )
    });
    Migrator { migrations: Cow::Owned(steps.collect()), ..Migrator::DEFAULT }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_is_away_is_told_with_its_cause() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let options = PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(closed.port()).username("x");
        let pool = Database::new(options).pool("public", "test", 1);
        let why = why_away(&pool, &sqlx::Error::PoolTimedOut).await;
        assert!(why.to_lowercase().contains("refused"), "{why}");
    }
}
