//! Conditions about texts in other tables, turned into conditions about numbers before the list is read.
//!
//! A page view's URL is in a table of its own, and so is its session. A few distinct texts that match, as most
//! questions have, become a list of their ids: PostgreSQL then sees how rare they are, and picks the index of the ids
//! or that of the order. Where very many match, a page is full soon, and each row's text is looked at as it passes.

use crate::{
    condition::{Condition, Place, Text},
    error::QueryError,
};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Postgres, QueryBuilder};
use std::time::{Duration, Instant};

/// Most ids that are put in a condition's place.
const MOST: usize = 1_000;

const TOO_SLOW: &str = "Looking for these texts took too long. Ask for fewer of them, or for longer ones.";

/// The same conditions, as far as they can be turned. Each is a question of its own: together they may take as long as
/// one may.
pub(crate) async fn all(
    pool: &PgPool,
    conditions: Vec<Condition>,
    patience: Duration,
) -> Result<Vec<Condition>, QueryError> {
    let started = Instant::now();
    let mut resolved = Vec::with_capacity(conditions.len());
    for condition in conditions {
        if started.elapsed() > patience {
            return Err(QueryError::TooSlow(TOO_SLOW));
        }
        let condition = match condition {
            Condition::AnyOf(alternatives) => {
                let mut left = Vec::with_capacity(alternatives.len());
                for alternative in alternatives {
                    left.push(one(pool, alternative).await?);
                }
                left.retain(|alternative| !alternative.is_never());
                if left.is_empty() { Condition::never() } else { Condition::AnyOf(left) }
            }
            other => one(pool, other).await?,
        };
        resolved.push(condition);
    }
    Ok(resolved)
}

async fn one(pool: &PgPool, condition: Condition) -> Result<Condition, QueryError> {
    let found = found(pool, &condition).await.map_err(|error| QueryError::of_question(error, TOO_SLOW))?;
    Ok(found.unwrap_or(condition))
}

/// What can take the condition's place.
async fn found(pool: &PgPool, condition: &Condition) -> sqlx::Result<Option<Condition>> {
    match condition {
        Condition::SessionKnownAs(text) => Ok(Some(Condition::OneOf("t.session", session(pool, text).await?))),
        Condition::Equal(text, value) => {
            let (Text::UserAgent | Text::Url | Text::Element, Place::There { column, table, .. }) =
                (text, text.place())
            else {
                return Ok(None);
            };
            let found = sqlx::query_scalar(&format!("SELECT id FROM {table} WHERE hash = $1"))
                .bind(&Sha256::digest(value.as_bytes())[..])
                .fetch_all(pool)
                .await?;
            Ok(Some(Condition::OneOf(column, found)))
        }
        Condition::Like(text, pattern) => {
            let Place::There { column, table, text } = text.place() else { return Ok(None) };
            let mut sql: QueryBuilder<'_, Postgres> = QueryBuilder::new("SELECT id FROM ");
            sql.push(format_args!("{table} WHERE fold({text}) LIKE fold(")).push_bind(pattern);
            sql.push(format_args!(") LIMIT {}", MOST + 1));
            // planned for this pattern: a short one is better served without the index
            let found: Vec<i64> = sql.build_query_scalar().persistent(false).fetch_all(pool).await?;
            Ok((found.len() <= MOST).then_some(Condition::OneOf(column, found)))
        }
        _ => Ok(None),
    }
}

/// The session with this text; for clients of the original also the one with this primary key (contract § 6).
async fn session(pool: &PgPool, text: &str) -> sqlx::Result<Vec<i64>> {
    let known = sqlx::query_scalar("SELECT id FROM session WHERE session_id = $1").bind(text).fetch_all(pool).await?;
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<i64>() {
        Ok(id) if known.is_empty() && all_digits => Ok(vec![id]),
        _ => Ok(known),
    }
}

/// Whether there is a session with this primary key.
pub(crate) async fn session_exists(pool: &PgPool, id: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM session WHERE id = $1)").bind(id).fetch_one(pool).await
}
