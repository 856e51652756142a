use super::{
    PostgresLogError, PostgresLogSettings,
    tables::{self, Head, Identity},
};
use crate::LogId;
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// How often to try the lock again while another process holds it.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What an operator reads in `pg_stat_activity`, with what tells one owner from another behind it.
const NAME: &str = "footfall log appender";

/// The connection that holds the appender's lock, and what was read under it.
pub(super) struct Owner {
    options: PgConnectOptions,
    settings: PostgresLogSettings,
    identity: Identity,
    connection: Option<PgConnection>,
    /// By partition.
    pub heads: Vec<Head>,
}

impl Owner {
    /// Connects, waits for the lock, makes the log if there is none, reads the heads.
    pub async fn take(options: PgConnectOptions, settings: &PostgresLogSettings) -> Result<Self, PostgresLogError> {
        let statement_timeout = settings.statement_timeout.as_millis().to_string();
        let name = format!("{NAME} {}", Uuid::new_v4().simple());
        let options = options.application_name(&name).options([
            // The server has to notice soon that an appender's machine is gone, as its lock keeps the next one out.
            ("tcp_keepalives_idle", "5"),
            ("tcp_keepalives_interval", "3"),
            ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "15000"),
            // An insert that hangs must not hold the lock for longer than the next appender waits.
            ("statement_timeout", statement_timeout.as_str()),
            // What is answered 202 has to survive a power cut, whatever the server's default is.
            ("synchronous_commit", "on"),
        ]);
        let (connection, identity, heads) = Self::acquire(&options, settings).await?;
        Ok(Self { options, settings: settings.clone(), identity, connection: Some(connection), heads })
    }

    /// The connection, unless it was lost and not replaced yet.
    pub fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.connection.as_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Connects and locks anew after the connection was lost, and reads the heads. Whatever the lost connection had
    /// under way has ended when this returns, because it held the lock. The log found there may be another one.
    pub async fn retake(&mut self) -> Result<Vec<Head>, PostgresLogError> {
        // The lock goes with the old connection: it has to be closed first.
        self.connection = None;
        let (connection, identity, heads) = Self::acquire(&self.options, &self.settings).await?;
        if identity.log_id != self.identity.log_id {
            return Err(PostgresLogError::Held(format!("it was replaced by {}", identity.log_id)));
        }
        self.connection = Some(connection);
        Ok(heads)
    }

    async fn acquire(
        options: &PgConnectOptions,
        settings: &PostgresLogSettings,
    ) -> Result<(PgConnection, Identity, Vec<Head>), PostgresLogError> {
        let mut connection = timeout(CONNECT_TIMEOUT, options.connect())
            .await
            .map_err(|_| PostgresLogError::Unavailable("no connection in time".into()))??;
        let read = async {
            lock(&mut connection, settings.lock_wait).await?;
            tables::make(&mut connection, settings.partitions).await?;
            let identity = tables::identity(&mut connection, settings).await?;
            let heads = tables::heads(&mut connection).await?;
            Ok::<_, PostgresLogError>((identity, heads))
        };
        let (identity, heads) = timeout(settings.lock_wait + settings.answer_within(), read)
            .await
            .map_err(|_| PostgresLogError::Unavailable("no answer in time".into()))??;
        Ok((connection, identity, heads))
    }

    pub fn log_id(&self) -> &LogId {
        &self.identity.log_id
    }

    pub fn partitions(&self) -> u16 {
        self.identity.partitions
    }

    /// Ends the connection and with it the lock.
    pub async fn release(self) {
        // A connection that is broken already has released the lock as well.
        if let Some(connection) = self.connection {
            let _ = connection.close().await;
        }
    }
}

/// Waits for the lock. A connection of this very owner that the server still keeps, because it has not noticed that
/// nobody is there or waits for its disk, is ended; as long as it does not end, the server counts as away. Another
/// holder is refused.
async fn lock(connection: &mut PgConnection, wait: Duration) -> Result<(), PostgresLogError> {
    tables::end_earlier(connection).await?;
    let (started, mut told) = (Instant::now(), false);
    while !tables::try_lock(connection).await? {
        if started.elapsed() < wait {
            if !told && let Some(holder) = tables::holder(connection).await? {
                tracing::warn!(holder = holder.text, ?wait, "waiting for another process that writes to this log");
                told = true;
            }
            sleep(LOCK_POLL).await;
            continue;
        }
        match tables::holder(connection).await? {
            Some(holder) if holder.is_ours => {
                let reason = format!("the lost connection still holds the log: {}", holder.text);
                return Err(PostgresLogError::Unavailable(reason));
            }
            Some(holder) => return Err(PostgresLogError::Held(holder.text)),
            None => {}
        }
    }
    Ok(())
}
