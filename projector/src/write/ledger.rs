//! Dead letters and the tally.

use crate::projection::Tally;
use event_log::Record;
use sqlx::PgConnection;

/// Longest error text that is kept, in characters.
const MAX_ERROR_CHARS: usize = 2_000;

/// A record that cannot be projected.
#[derive(Clone, Debug)]
pub(super) struct DeadLetter<'a> {
    pub record: &'a Record,
    pub reason: &'a str,
    pub error: &'a str,
}

pub(super) async fn dead_letters(connection: &mut PgConnection, letters: &[DeadLetter<'_>]) -> sqlx::Result<()> {
    if letters.is_empty() {
        return Ok(());
    }
    // PostgreSQL keeps no NUL in a text, and the error may quote one
    let error =
        |text: &str| text.chars().take(MAX_ERROR_CHARS).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
    sqlx::query(
        "INSERT INTO dead_letter (partition, \"offset\", reason, error, schema_version, key, value)
         SELECT * FROM UNNEST($1::integer[], $2::bigint[], $3::text[], $4::text[], $5::integer[], $6::bytea[], $7::bytea[])",
    )
    .bind(letters.iter().map(|letter| i32::from(letter.record.position.partition)).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.record.position.offset).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.reason).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| error(letter.error)).collect::<Vec<String>>())
    .bind(letters.iter().map(|letter| letter.record.schema_version.and_then(|v| i32::try_from(v).ok())).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.record.key.as_deref()).collect::<Vec<_>>())
    .bind(letters.iter().map(|letter| letter.record.value.as_slice()).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}

pub(super) async fn tally(connection: &mut PgConnection, partition: u16, tally: &Tally) -> sqlx::Result<()> {
    let mut entries: Vec<(&str, &str, i64)> = tally.entries().collect();
    if entries.is_empty() {
        return Ok(());
    }
    entries.sort_unstable();
    sqlx::query(
        "INSERT INTO tally AS t (partition, event_type, outcome, events)
         SELECT $1, event_type, outcome, events FROM UNNEST($2::text[], $3::text[], $4::bigint[]) AS n(event_type, outcome, events)
         ON CONFLICT (partition, event_type, outcome) DO UPDATE SET events = t.events + excluded.events",
    )
    .bind(i32::from(partition))
    .bind(entries.iter().map(|entry| entry.0).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.1).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.2).collect::<Vec<_>>())
    .execute(connection)
    .await
    .map(drop)
}
