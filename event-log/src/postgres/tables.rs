//! The SQL over the small tables: identity, partitions, heads, the appender's lock.

use super::{PostgresLogError, PostgresLogSettings, readers::answered};
use crate::LogId;
use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, PgExecutor};
use uuid::Uuid;

/// Advisory lock of the appender, in the database of the log ("footfall" as bytes, the first eight).
const LOCK: i64 = 0x666f_6f74_6661_6c6c;

/// Which log this is and how large.
#[derive(Debug)]
pub(super) struct Identity {
    pub log_id: LogId,
    pub partitions: u16,
}

/// Where a partition ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The next offset.
    pub next: i64,
    /// The log's time of the last record; the next one's is not before it.
    pub last_at: DateTime<Utc>,
}

/// Reads which log this is, and checks the number of partitions.
pub(super) async fn identity(
    executor: impl PgExecutor<'_>,
    settings: &PostgresLogSettings,
) -> Result<Identity, PostgresLogError> {
    let row: Option<(Uuid, i32)> =
        answered(sqlx::query_as("SELECT log_id, partitions FROM log").fetch_optional(executor)).await?;
    let (log_id, found) = row.ok_or(PostgresLogError::NoLog)?;
    if found != i32::from(settings.partitions) {
        return Err(PostgresLogError::OtherPartitions { wanted: settings.partitions, found });
    }
    Ok(Identity { log_id: LogId(format!("postgres:{log_id}")), partitions: settings.partitions })
}

/// Makes the log if the tables are empty.
pub(super) async fn make(connection: &mut PgConnection, partitions: u16) -> Result<(), PostgresLogError> {
    if partitions == 0 || partitions > schema::limits::MAX_PARTITIONS {
        return Err(PostgresLogError::PartitionsOutOfRange(partitions));
    }
    let mut transaction = connection.begin().await?;
    let made = sqlx::query("INSERT INTO log (partitions) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind(i32::from(partitions))
        .execute(&mut *transaction)
        .await?;
    if made.rows_affected() > 0 {
        sqlx::query("INSERT INTO partition (partition) SELECT generate_series(0, $1 - 1)")
            .bind(i32::from(partitions))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Takes the appender's lock if it is free.
pub(super) async fn try_lock(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(connection).await
}

/// Ends the connections that this owner, which its `application_name` tells, has had before. The server does not wait
/// for them to be gone.
pub(super) async fn end_earlier(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
            AND application_name = current_setting('application_name')",
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Who holds the appender's lock.
pub(super) struct Holder {
    /// In words.
    pub text: String,
    /// Whether it is an earlier connection of the owner that asks.
    pub is_ours: bool,
}

/// Who holds the appender's lock; `None` when nobody does any more.
pub(super) async fn holder(connection: &mut PgConnection) -> Result<Option<Holder>, sqlx::Error> {
    let found: Option<(String, bool)> = sqlx::query_as(
        "SELECT format('%s (server process %s, connected from %s since %s)',
                       coalesce(nullif(a.application_name, ''), 'an unnamed program'), a.pid,
                       coalesce(host(a.client_addr) || ':' || a.client_port, 'a local socket'),
                       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC')) AS text,
                coalesce(a.application_name = current_setting('application_name'), false) AS is_ours
           FROM pg_locks l JOIN pg_stat_activity a USING (pid)
          WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.classid = ($1 >> 32)::int8::oid AND l.objid = ($1 & 4294967295)::int8::oid
          LIMIT 1",
    )
    .bind(LOCK)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(text, is_ours)| Holder { text, is_ours }))
}

/// Where every partition ends, in order of partitions.
pub(super) async fn heads(connection: &mut PgConnection) -> Result<Vec<Head>, sqlx::Error> {
    let rows: Vec<(i64, Option<DateTime<Utc>>)> = sqlx::query_as(
        r#"SELECT greatest(p.low, coalesce(l."offset" + 1, 0)), l.appended_at
             FROM partition p
             LEFT JOIN LATERAL (SELECT r."offset", r.appended_at FROM record r
                                 WHERE r.partition = p.partition ORDER BY r."offset" DESC LIMIT 1) l ON true
            ORDER BY p.partition"#,
    )
    .fetch_all(connection)
    .await?;
    let head = |(next, last_at): (i64, Option<DateTime<Utc>>)| Head { next, last_at: last_at.unwrap_or_default() };
    Ok(rows.into_iter().map(head).collect())
}

/// Which event stands at a position.
pub(super) async fn event_at(
    connection: &mut PgConnection,
    partition: i32,
    offset: i64,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar(r#"SELECT event_id FROM record WHERE partition = $1 AND "offset" = $2"#)
        .bind(partition)
        .bind(offset)
        .fetch_optional(connection)
        .await
}
