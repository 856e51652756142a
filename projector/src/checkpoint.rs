//! Where the projection stands in a partition, and the compare-and-swap that makes a batch count once.

use crate::model::{PROJECTION, ReadModel};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection, PgPool, Row, postgres::PgRow};
use uuid::Uuid;

/// A row of `checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The partition.
    pub partition: i32,
    /// The next offset wanted; −1 when another read model has taken over.
    pub next_offset: i64,
    /// Which log.
    pub log_id: String,
    /// Which read model.
    pub generation: Uuid,
    /// Offset of the last record projected, if there was one.
    pub last_offset: Option<i64>,
    /// SHA-256 of its value.
    pub last_digest: Option<Vec<u8>>,
    /// The latest `recorded_at` so far.
    pub recorded_at: Option<DateTime<Utc>>,
    /// Everything that was on the log at this time has been projected.
    pub caught_up_at: Option<DateTime<Utc>>,
}

impl FromRow<'_, PgRow> for Checkpoint {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            partition: row.try_get("partition")?,
            next_offset: row.try_get("next_offset")?,
            log_id: row.try_get("log_id")?,
            generation: row.try_get("generation")?,
            last_offset: row.try_get("last_offset")?,
            last_digest: row.try_get("last_digest")?,
            recorded_at: row.try_get("recorded_at")?,
            caught_up_at: row.try_get("caught_up_at")?,
        })
    }
}

/// Reads the checkpoint of one partition.
pub async fn read(pool: &PgPool, partition: u16) -> sqlx::Result<Checkpoint> {
    sqlx::query_as("SELECT * FROM checkpoint WHERE projection = $1 AND partition = $2")
        .bind(PROJECTION)
        .bind(i32::from(partition))
        .fetch_one(pool)
        .await
}

/// Reads all checkpoints, by partition.
pub async fn read_all(connection: &mut PgConnection) -> sqlx::Result<Vec<Checkpoint>> {
    sqlx::query_as("SELECT * FROM checkpoint WHERE projection = $1 ORDER BY partition")
        .bind(PROJECTION)
        .fetch_all(connection)
        .await
}

/// A step of a checkpoint.
#[derive(Clone, Debug)]
pub struct Advance {
    /// The partition.
    pub partition: u16,
    /// What `next_offset` must be.
    pub from: i64,
    /// What it becomes.
    pub to: i64,
    /// Offset of the last record.
    pub last_offset: i64,
    /// SHA-256 of its value.
    pub last_digest: Vec<u8>,
    /// The latest `recorded_at` of the batch.
    pub recorded_at: Option<DateTime<Utc>>,
}

/// Moves the checkpoint if it is where it is thought to be. Locks its row until the transaction ends, so a second
/// owner waits here, before either has done any work. `false`: somebody else has moved it, or it is another read
/// model's.
pub async fn advance(connection: &mut PgConnection, model: &ReadModel, step: &Advance) -> sqlx::Result<bool> {
    let moved = sqlx::query(
        "UPDATE checkpoint
         SET next_offset = $4, last_offset = $5, last_digest = $6, recorded_at = GREATEST(recorded_at, $7)
         WHERE projection = $1 AND partition = $2 AND next_offset = $3 AND generation = $8",
    )
    .bind(PROJECTION)
    .bind(i32::from(step.partition))
    .bind(step.from)
    .bind(step.to)
    .bind(step.last_offset)
    .bind(&step.last_digest)
    .bind(step.recorded_at)
    .bind(model.generation)
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == 1)
}

/// Notes that the partition's end has been reached at this checkpoint.
pub async fn caught_up(model: &ReadModel, partition: u16, next_offset: i64) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE checkpoint SET caught_up_at = now()
         WHERE projection = $1 AND partition = $2 AND next_offset = $3 AND generation = $4",
    )
    .bind(PROJECTION)
    .bind(i32::from(partition))
    .bind(next_offset)
    .bind(model.generation)
    .execute(&model.pool)
    .await
    .map(drop)
}

/// Notes that what was on the log at `at` has been projected: it ended at `high` then. By the server's clock at the
/// latest, whatever the clock here says.
pub async fn passed(model: &ReadModel, partition: u16, high: i64, at: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE checkpoint SET caught_up_at = GREATEST(caught_up_at, LEAST($4, now()))
         WHERE projection = $1 AND partition = $2 AND next_offset >= $3 AND generation = $5",
    )
    .bind(PROJECTION)
    .bind(i32::from(partition))
    .bind(high)
    .bind(at)
    .bind(model.generation)
    .execute(&model.pool)
    .await
    .map(drop)
}
