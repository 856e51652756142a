//! The new read model against the live one, table by table, at the same offsets.

use crate::{
    checkpoint::Checkpoint,
    model::{MadeFor, PROJECTION},
    same_log::{NotTheSameLog, start_offset},
};
use event_log::{EventReader, ReadError};
use schema::migrations::{READ_MODEL_SCHEMA as LIVE, REBUILD_SCHEMA as NEXT};
use sqlx::PgPool;

/// Examples that are told of each difference.
const EXAMPLES: i64 = 5;

/// What is known of the live read model.
#[derive(Debug)]
pub(super) struct Live {
    /// What it was made from.
    pub log: Log,
    /// Its days are of the same zone.
    same_zone: bool,
    /// It looks for repetitions as the new one does.
    same_window: bool,
    /// Its checkpoints, by partition.
    checkpoints: Vec<Checkpoint>,
}

/// What a read model was made from, beside the log that a new one is made from.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// The same log.
    Same,
    /// Another one, by its name.
    Other,
    /// One of the same name that held something else, and what shows it: this one lost records, or was made anew.
    Changed(String),
}

/// What a comparison found.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// Records that are dead letters in the new read model and not in the live one.
    pub new_dead_letters: Vec<String>,
    /// Everything else that differs.
    pub differences: Vec<String>,
    /// What was not compared.
    pub notes: Vec<String>,
}

impl Live {
    /// Whether there is a live read model.
    pub async fn is_there(pool: &PgPool) -> sqlx::Result<bool> {
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(format!("{LIVE}.read_model"))
            .fetch_one(pool)
            .await
    }

    /// The live read model, if there is one that has been used.
    pub async fn find(pool: &PgPool, made_for: &MadeFor) -> sqlx::Result<Option<Self>> {
        if !Self::is_there(pool).await? {
            return Ok(None);
        }
        let found: Option<(String, String, i32, i32)> =
            sqlx::query_as(&format!("SELECT time_zone, log_id, partitions, deduplication_days FROM {LIVE}.read_model"))
                .fetch_optional(pool)
                .await?;
        let Some((time_zone, log_id, partitions, days)) = found else { return Ok(None) };
        let checkpoints: Vec<Checkpoint> =
            sqlx::query_as(&format!("SELECT * FROM {LIVE}.checkpoint WHERE projection = $1 ORDER BY partition"))
                .bind(PROJECTION)
                .fetch_all(pool)
                .await?;
        let same = log_id == made_for.log_id.0 && partitions == i32::from(made_for.partitions);
        Ok(Some(Self {
            log: if same { Log::Same } else { Log::Other },
            same_zone: time_zone == made_for.zone.name(),
            same_window: days == i32::from(made_for.deduplication_days),
            checkpoints,
        }))
    }

    /// Looks whether a log of the same name still holds what was projected from it.
    pub async fn look_at_log(&mut self, reader: &dyn EventReader) -> Result<(), ReadError> {
        if self.log != Log::Same {
            return Ok(());
        }
        for (partition, checkpoint) in (0..).zip(&self.checkpoints) {
            let how = match start_offset(reader, partition, checkpoint).await {
                // what retention has deleted was on the same log
                Ok(_) | Err(NotTheSameLog::BeginsLater { .. }) => continue,
                Err(NotTheSameLog::Read(error)) => return Err(error),
                Err(NotTheSameLog::EndsEarlier { high, next, .. }) => {
                    format!("partition {partition} of the log ends at offset {high}, and that one has come to {next}")
                }
                Err(NotTheSameLog::OtherRecord { offset, .. }) => {
                    format!(
                        "offset {offset} of partition {partition} holds another record than the one it has projected"
                    )
                }
            };
            self.log = Log::Changed(how);
            return Ok(());
        }
        Ok(())
    }

    /// Where it has come to, by partition.
    pub fn next_offsets(&self) -> Vec<i64> {
        self.checkpoints.iter().map(|checkpoint| checkpoint.next_offset).collect()
    }
}

/// Takes over what operators have passed over: what is a dead letter because of it, and what is still to come.
pub(super) async fn copy_skips(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::query(&format!(
        "INSERT INTO {NEXT}.skip
         SELECT s.* FROM {LIVE}.skip s JOIN {LIVE}.checkpoint c ON c.projection = $1 AND c.partition = s.partition
         WHERE s.\"offset\" >= c.next_offset
            OR EXISTS (SELECT FROM {LIVE}.dead_letter d
                       WHERE d.partition = s.partition AND d.\"offset\" = s.\"offset\" AND d.reason = $2)"
    ))
    .bind(PROJECTION)
    .bind(crate::projection::SKIPPED)
    .execute(pool)
    .await
    .map(drop)
}

/// Compares, both having come to the same offsets.
pub(super) async fn compare(pool: &PgPool, live: &Live) -> sqlx::Result<Comparison> {
    let mut found = Comparison::default();
    match &live.log {
        Log::Same => {}
        Log::Other => {
            found.notes.push("the live read model was made from another log: nothing was compared".to_owned());
            return Ok(found);
        }
        Log::Changed(how) => {
            // what the live one alone has would be gone with it, so somebody has to say that it may
            found.differences.push(format!(
                "nothing was compared with the live read model, which may have what this log has lost: {how}"
            ));
            return Ok(found);
        }
    }
    found.new_dead_letters = new_dead_letters(pool).await?;
    if !live.same_window {
        found.notes.push("the live read model has another deduplication window: rows were not compared".to_owned());
        return Ok(found);
    }
    if !live.same_zone {
        found.notes.push("the live read model has another time zone: roll-ups by day were not compared".to_owned());
    }
    for (table, columns, by_day) in TABLES {
        if live.same_zone || !by_day {
            found.differences.extend(differences(pool, table, columns).await?);
        }
    }
    Ok(found)
}

/// Table, what is compared of it (`{s}` is the schema), and whether its rows are days.
const TABLES: &[(&str, &str, bool)] = &[
    ("row_count", "SELECT resource, shard, rows FROM {s}.row_count WHERE rows <> 0", false),
    ("tally", "SELECT partition, event_type, outcome, events FROM {s}.tally WHERE events <> 0", false),
    ("dead_letter", "SELECT partition, \"offset\" FROM {s}.dead_letter", false),
    (
        "admin_change",
        "SELECT id, event_id, resource, object, session_id, action, account, changed_at, moved_from, effective, changes
         FROM {s}.admin_change",
        false,
    ),
    (
        "daily_session",
        "SELECT day, browser, family, os, device, shard, sessions, ended, duration_us, page_views, single_page
         FROM {s}.daily_session JOIN {s}.client ON id = client_id",
        true,
    ),
    ("daily_duration", "SELECT day, class, shard, sessions FROM {s}.daily_duration", true),
    (
        "daily_page_view",
        "SELECT day, encode(hash, 'hex') AS url, shard, page_views FROM {s}.daily_page_view JOIN {s}.url ON id = url_id",
        true,
    ),
    ("daily_interaction", "SELECT day, event_type, shard, interactions FROM {s}.daily_interaction", true),
    (
        "daily_client_page_view",
        "SELECT day, browser, family, os, device, shard, page_views
         FROM {s}.daily_client_page_view JOIN {s}.client ON id = client_id",
        true,
    ),
    (
        "daily_client_interaction",
        "SELECT day, browser, family, os, device, event_type, shard, interactions
         FROM {s}.daily_client_interaction JOIN {s}.client ON id = client_id",
        true,
    ),
    (
        "daily_element",
        "SELECT day, encode(hash, 'hex') AS element, event_type, shard, interactions
         FROM {s}.daily_element JOIN {s}.element ON id = element_id",
        true,
    ),
    ("hourly", "SELECT day, hour, shard, sessions, page_views, interactions FROM {s}.hourly", true),
];

async fn new_dead_letters(pool: &PgPool) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(&format!(
        "SELECT format('%s/%s is a dead letter in the new read model alone: %s', partition, \"offset\", error)
         FROM {NEXT}.dead_letter n
         WHERE NOT EXISTS (SELECT FROM {LIVE}.dead_letter l WHERE l.partition = n.partition AND l.\"offset\" = n.\"offset\")
         ORDER BY partition, \"offset\" LIMIT {EXAMPLES}"
    ))
    .fetch_all(pool)
    .await
}

async fn differences(pool: &PgPool, table: &str, columns: &str) -> sqlx::Result<Vec<String>> {
    let (live, next) = (columns.replace("{s}", LIVE), columns.replace("{s}", NEXT));
    sqlx::query_scalar(&format!(
        "(SELECT '{table}: only the live one has ' || to_jsonb(d)::text FROM ({live} EXCEPT {next}) d LIMIT {EXAMPLES})
         UNION ALL
         (SELECT '{table}: only the new one has ' || to_jsonb(d)::text FROM ({next} EXCEPT {live}) d LIMIT {EXAMPLES})"
    ))
    .fetch_all(pool)
    .await
}
