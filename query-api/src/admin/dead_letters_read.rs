//! Dead letters as the read model and the marks of staff tell them. Marks are in the accounts' schema: a rebuild makes
//! the read model anew, and must not bring back what was dismissed.

use crate::{error::QueryError, routes::QueryApi};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, Row as _, postgres::PgRow};
use std::collections::HashMap;

/// Dead letters that a page of the list has.
pub(super) const PAGE: i64 = 50;

/// A record that could not be projected.
pub(super) struct Letter {
    pub partition: i32,
    pub offset: i64,
    pub reason: String,
    pub error: String,
    pub schema_version: Option<i32>,
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
    pub seen_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for Letter {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            partition: row.try_get("partition")?,
            offset: row.try_get("offset")?,
            reason: row.try_get("reason")?,
            error: row.try_get("error")?,
            schema_version: row.try_get("schema_version")?,
            key: row.try_get("key")?,
            value: row.try_get("value")?,
            seen_at: row.try_get("seen_at")?,
        })
    }
}

/// What somebody has done with one.
#[derive(Clone)]
pub(super) struct Mark {
    partition: i32,
    offset: i64,
    pub mark: String,
    pub account: String,
    pub marked_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for Mark {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        Ok(Self {
            partition: row.try_get("partition")?,
            offset: row.try_get("offset")?,
            mark: row.try_get("mark")?,
            account: row.try_get("account")?,
            marked_at: row.try_get("marked_at")?,
        })
    }
}

/// How many wait for somebody.
pub(super) async fn open(api: &QueryApi) -> Result<i64, QueryError> {
    let all: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letter").fetch_one(&api.inner.pool).await?;
    let Some(log_id) = log_id(api).await? else { return Ok(all) };
    let marked: i64 = sqlx::query_scalar("SELECT count(*) FROM dead_letter_mark WHERE log_id = $1")
        .bind(log_id)
        .fetch_one(&api.inner.accounts)
        .await?;
    Ok((all - marked).max(0))
}

/// A page of them behind a position, by position, without their values.
pub(super) async fn page(api: &QueryApi, after: (i32, i64)) -> Result<Vec<Letter>, QueryError> {
    let found = sqlx::query_as(
        "SELECT partition, \"offset\", reason, error, schema_version, key, ''::bytea AS value, seen_at FROM dead_letter
         WHERE (partition, \"offset\") > ($1, $2) ORDER BY partition, \"offset\" LIMIT $3",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(PAGE + 1)
    .fetch_all(&api.inner.pool)
    .await?;
    Ok(found)
}

/// One.
pub(super) async fn one(api: &QueryApi, partition: i32, offset: i64) -> Result<Option<Letter>, QueryError> {
    let found = sqlx::query_as(
        "SELECT partition, \"offset\", reason, error, schema_version, key, value, seen_at FROM dead_letter
         WHERE partition = $1 AND \"offset\" = $2",
    )
    .bind(partition)
    .bind(offset)
    .fetch_optional(&api.inner.pool)
    .await?;
    Ok(found)
}

/// The marks of these.
pub(super) async fn marks(api: &QueryApi, letters: &[Letter]) -> Result<HashMap<(i32, i64), Mark>, QueryError> {
    let Some(log_id) = log_id(api).await? else { return Ok(HashMap::new()) };
    let found: Vec<Mark> = sqlx::query_as(
        "SELECT partition, \"offset\", mark, account, marked_at FROM dead_letter_mark
         WHERE log_id = $1 AND (partition, \"offset\") IN (SELECT * FROM UNNEST($2::integer[], $3::bigint[]))",
    )
    .bind(log_id)
    .bind(letters.iter().map(|letter| letter.partition).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.offset).collect::<Vec<_>>())
    .fetch_all(&api.inner.accounts)
    .await?;
    Ok(found.into_iter().map(|mark| ((mark.partition, mark.offset), mark)).collect())
}

/// Marks one; `false` when somebody was faster.
pub(super) async fn mark(api: &QueryApi, letter: &Letter, mark: &str, account: &str) -> Result<bool, QueryError> {
    let Some(log_id) = log_id(api).await? else { return Ok(false) };
    let marked = sqlx::query(
        "INSERT INTO dead_letter_mark (log_id, partition, \"offset\", mark, account) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(log_id)
    .bind(letter.partition)
    .bind(letter.offset)
    .bind(mark)
    .bind(account)
    .execute(&api.inner.accounts)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Which log the read model was made from.
async fn log_id(api: &QueryApi) -> Result<Option<String>, QueryError> {
    Ok(sqlx::query_scalar("SELECT log_id FROM read_model").fetch_optional(&api.inner.pool).await?)
}
