//! What could not be projected: looking at it, and passing over what stands in the way.

use crate::model::PROJECTION;
use chrono::{DateTime, Utc};
use schema::Position;
use sqlx::{FromRow, PgPool, Row, postgres::PgRow};
use std::{cmp::Ordering, collections::BTreeSet};

/// A record that could not be projected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it stands on the log.
    pub position: Position,
    /// Short name of the reason.
    pub reason: String,
    /// What exactly is wrong.
    pub error: String,
    /// Its `schema-version`.
    pub schema_version: Option<i32>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value, as it is on the log.
    pub value: Vec<u8>,
    /// When it was met.
    pub seen_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for DeadLetter {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let partition: i32 = row.try_get("partition")?;
        Ok(Self {
            position: Position::new(u16::try_from(partition).unwrap_or(u16::MAX), row.try_get("offset")?),
            reason: row.try_get("reason")?,
            error: row.try_get("error")?,
            schema_version: row.try_get("schema_version")?,
            key: row.try_get("key")?,
            value: row.try_get("value")?,
            seen_at: row.try_get("seen_at")?,
        })
    }
}

/// Dead letters by position, at most `limit` of those after `after`: page by page through all of them.
pub async fn list(pool: &PgPool, after: Option<Position>, limit: u32) -> sqlx::Result<Vec<DeadLetter>> {
    let after = after.map_or((-1, -1), |position| (i32::from(position.partition), position.offset));
    sqlx::query_as(
        "SELECT * FROM dead_letter WHERE (partition, \"offset\") > ($1, $2) ORDER BY partition, \"offset\" LIMIT $3",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(i64::from(limit))
    .fetch_all(pool)
    .await
}

/// How many dead letters there are after a position.
pub async fn count_after(pool: &PgPool, after: Position) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT count(*) FROM dead_letter WHERE (partition, \"offset\") > ($1, $2)")
        .bind(i32::from(after.partition))
        .bind(after.offset)
        .fetch_one(pool)
        .await
}

/// Why a record cannot be passed over.
#[derive(Debug, thiserror::Error)]
pub enum SkipError {
    /// The log has no such partition.
    #[error("there is no partition {0}")]
    NoSuchPartition(u16),
    /// It has been projected.
    #[error("{position} has been processed already: partition {} has come to offset {next_offset}", position.partition)]
    Passed {
        /// The record's.
        position: Position,
        /// The checkpoint.
        next_offset: i64,
    },
    /// Nobody has looked at it yet: it may be a good event.
    #[error(
        "{position} has not been reached: partition {} has come to offset {next_offset}, and only the record that it waits at can be passed over",
        position.partition
    )]
    NotReached {
        /// The record's.
        position: Position,
        /// The checkpoint.
        next_offset: i64,
    },
    /// PostgreSQL failed.
    #[error("the read model cannot be written: {0}")]
    Database(#[from] sqlx::Error),
}

/// Asks the projector to make a dead letter of the record that it stands before. It waits for records of newer versions;
/// this gets past one.
///
/// # Errors
/// [`SkipError`]; also when the position is not the very one that the projector has come to.
pub async fn skip(pool: &PgPool, position: Position) -> Result<(), SkipError> {
    let mut transaction = pool.begin().await?;
    let partition = i32::from(position.partition);
    // the lock orders this and the batch that may be on its way past the record
    let next_offset: Option<i64> =
        sqlx::query_scalar("SELECT next_offset FROM checkpoint WHERE projection = $1 AND partition = $2 FOR UPDATE")
            .bind(PROJECTION)
            .bind(partition)
            .fetch_optional(&mut *transaction)
            .await?;
    let next_offset = next_offset.ok_or(SkipError::NoSuchPartition(position.partition))?;
    match position.offset.cmp(&next_offset) {
        Ordering::Less => return Err(SkipError::Passed { position, next_offset }),
        Ordering::Greater => return Err(SkipError::NotReached { position, next_offset }),
        Ordering::Equal => {}
    }
    sqlx::query("INSERT INTO skip (partition, \"offset\") VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(partition)
        .bind(position.offset)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}

/// Offsets from `from` on that are to be passed over. As many as an operator has typed.
pub async fn skipped_offsets(pool: &PgPool, partition: u16, from: i64) -> sqlx::Result<BTreeSet<i64>> {
    let offsets: Vec<i64> = sqlx::query_scalar("SELECT \"offset\" FROM skip WHERE partition = $1 AND \"offset\" >= $2")
        .bind(i32::from(partition))
        .bind(from)
        .fetch_all(pool)
        .await?;
    Ok(offsets.into_iter().collect())
}
