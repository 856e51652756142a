//! Conditions about texts in other tables, turned into conditions about numbers before the list is read.
//!
//! A page view's URL is in a table of its own, and so is its session. A few distinct texts that match, as most
//! questions have, become a list of their ids: PostgreSQL then sees how rare they are, and picks the index of the ids
//! or that of the order. Where very many match, a page is full soon, and each row's text is looked at as it passes.

use crate::condition::{Condition, Place, Text};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Postgres, QueryBuilder};

/// Most ids that are put in a condition's place.
const MOST: usize = 1_000;

/// The same conditions, as far as they can be turned.
pub(crate) async fn all(pool: &PgPool, conditions: Vec<Condition>) -> sqlx::Result<Vec<Condition>> {
    let mut resolved = Vec::with_capacity(conditions.len());
    for condition in conditions {
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

async fn one(pool: &PgPool, condition: Condition) -> sqlx::Result<Condition> {
    match &condition {
        Condition::SessionKnownAs(text) => Ok(Condition::OneOf("t.session", session(pool, text).await?)),
        Condition::Equal(Text::UserAgent | Text::Url | Text::Element, value) => {
            let Condition::Equal(text, _) = &condition else { return Ok(condition) };
            let Place::There { column, table, .. } = text.place() else { return Ok(condition) };
            let found = sqlx::query_scalar(&format!("SELECT id FROM {table} WHERE hash = $1"))
                .bind(&Sha256::digest(value.as_bytes())[..])
                .fetch_all(pool)
                .await?;
            Ok(Condition::OneOf(column, found))
        }
        Condition::Like(text, pattern) => {
            let Place::There { column, table, text } = text.place() else { return Ok(condition) };
            let mut sql: QueryBuilder<'_, Postgres> = QueryBuilder::new("SELECT id FROM ");
            sql.push(format_args!("{table} WHERE fold({text}) LIKE fold(")).push_bind(pattern);
            sql.push(format_args!(") LIMIT {}", MOST + 1));
            // planned for this pattern: a short one is better served without the index
            let found: Vec<i64> = sql.build_query_scalar().persistent(false).fetch_all(pool).await?;
            Ok(if found.len() > MOST { condition } else { Condition::OneOf(column, found) })
        }
        _ => Ok(condition),
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
