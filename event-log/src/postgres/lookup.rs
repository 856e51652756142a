//! The SQL over the records that is not the readers' stepping.

use super::readers::answered;
use crate::{Record, Watermarks};
use chrono::{DateTime, Utc};
use schema::Position;
use sqlx::{PgExecutor, PgPool};

/// A row of the table, without its partition.
pub(super) type Row = (i64, DateTime<Utc>, Option<i32>, Option<Vec<u8>>, Vec<u8>);

/// A row as the record that it is.
pub(super) fn record(partition: u16, row: Row) -> Record {
    let (offset, appended_at, schema_version, key, value) = row;
    let schema_version = schema_version.map(i32::cast_unsigned);
    Record { position: Position { partition, offset }, appended_at, schema_version, key, value }
}

pub(super) async fn watermarks(executor: impl PgExecutor<'_>, partition: u16) -> Result<Watermarks, sqlx::Error> {
    let question = sqlx::query_as(
        r#"SELECT p.low, greatest(p.low, coalesce((SELECT max(r."offset") + 1 FROM record r WHERE r.partition = $1), 0))
             FROM partition p WHERE p.partition = $1"#,
    )
    .bind(i32::from(partition))
    .fetch_one(executor);
    let (low, high) = answered(question).await?;
    Ok(Watermarks { low, high })
}

/// The first offset at or after the time. Offsets and times rise together in a partition, so this is a binary search
/// on the key: some twenty steps for a million records.
pub(super) async fn offset_at(pool: &PgPool, partition: u16, time: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let Watermarks { low, high } = watermarks(&mut *connection, partition).await?;
    let (mut from, mut to) = (low, high);
    while from < to {
        let middle = from + (to - from) / 2;
        let question = sqlx::query_as(
            r#"SELECT "offset", appended_at FROM record WHERE partition = $1 AND "offset" >= $2
                ORDER BY "offset" LIMIT 1"#,
        )
        .bind(i32::from(partition))
        .bind(middle)
        .fetch_optional(&mut *connection);
        let found: Option<(i64, DateTime<Utc>)> = answered(question).await?;
        match found {
            Some((offset, appended_at)) if appended_at < time => from = offset + 1,
            _ => to = middle,
        }
    }
    Ok(from)
}

pub(super) async fn record_from(
    executor: impl PgExecutor<'_>,
    position: Position,
) -> Result<Option<Record>, sqlx::Error> {
    let question = sqlx::query_as(
        r#"SELECT "offset", appended_at, schema_version, key, value FROM record
            WHERE partition = $1 AND "offset" >= $2 ORDER BY "offset" LIMIT 1"#,
    )
    .bind(i32::from(position.partition))
    .bind(position.offset)
    .fetch_optional(executor);
    let row: Option<Row> = answered(question).await?;
    Ok(row.map(|row| record(position.partition, row)))
}
