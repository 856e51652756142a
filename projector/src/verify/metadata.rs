//! Metadata of interactions: compared by PostgreSQL, as values, because that is how it keeps them.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::HashSet;

/// Metadata that the log asks for, of the records that are in memory.
#[derive(Debug, Default)]
pub struct Metadata {
    ids: Vec<i64>,
    timestamps: Vec<DateTime<Utc>>,
    wanted: Vec<String>,
}

impl Metadata {
    /// The row with this id, which has this time in the table, must have this metadata.
    pub fn wants(&mut self, id: i64, timestamp: DateTime<Utc>, metadata: &str) {
        self.ids.push(id);
        self.timestamps.push(timestamp);
        self.wanted.push(metadata.to_owned());
    }

    /// Adds the ids of the rows that have something else, and forgets all of them.
    pub async fn compare(&mut self, connection: &mut PgConnection, differ: &mut HashSet<i64>) -> sqlx::Result<()> {
        let Self { ids, timestamps, wanted } = std::mem::take(self);
        if ids.is_empty() {
            return Ok(());
        }
        let found: Vec<i64> = sqlx::query_scalar(
            "SELECT i.id FROM UNNEST($1::bigint[], $2::timestamptz[], $3::text[]) AS n(id, at, metadata)
             JOIN interaction i ON i.id = n.id AND i.\"timestamp\" = n.at
             WHERE i.metadata <> n.metadata::jsonb",
        )
        .bind(ids)
        .bind(timestamps)
        .bind(wanted)
        .fetch_all(connection)
        .await?;
        differ.extend(found);
        Ok(())
    }
}
