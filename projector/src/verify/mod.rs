//! Proof that nothing vanished: the log against the tables, and the tables against one another, in one snapshot.

mod acknowledged;
mod changes;
mod expected;
mod findings;
mod fold;
mod log_pass;
mod metadata;
mod rows;
mod state;
pub mod tables;

pub use tables::Difference;

use crate::{checkpoint, progress::Progress};
use acknowledged::Acknowledged;
use anyhow::{Context, bail};
use chrono::TimeDelta;
use chrono_tz::Tz;
use event_log::{EventLog, EventReader, Sharing};
use futures::{StreamExt, TryStreamExt, stream};
use log_pass::Pass;
use schema::migrations::READ_MODEL_SCHEMA;
use service::database::Database;
use sqlx::{Connection, Executor, PgConnection};
use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Instant};

/// Partitions that are compared at the same time. Each needs the memory that [`expected`] and [`fold`] state.
const AT_ONCE: usize = 2;

/// What to verify besides the log and the tables.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// A file with the events that clients were told are durable: `{"event_id", "session_id", "type"}` a line.
    pub acknowledged: Option<PathBuf>,
    /// Sessions of a partition that are folded at the same time: memory is bounded by it, and where there are more, the
    /// log is read again.
    pub sessions_at_a_time: usize,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self { acknowledged: None, sessions_at_a_time: fold::AT_A_TIME }
    }
}

/// What verification came to.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    /// Nothing differs.
    pub ok: bool,
    /// Records read.
    pub records: u64,
    /// How long it took.
    pub seconds: f64,
    /// What became of the events, by type and outcome, all partitions together.
    pub tally: BTreeMap<(String, String), i64>,
    /// Acknowledged events that were looked for.
    pub acknowledged: Option<usize>,
    /// What differs.
    pub differences: Vec<Difference>,
    /// What was not compared.
    pub notes: Vec<String>,
}

impl fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24} {:<10} {:>14}", "type", "outcome", "events")?;
        for ((event_type, outcome), events) in &self.tally {
            writeln!(f, "{event_type:<24} {outcome:<10} {events:>14}")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        for difference in &self.differences {
            writeln!(f, "DIFFERENCE: {difference}")?;
        }
        let acknowledged =
            self.acknowledged.map_or_else(String::new, |events| format!(", {events} acknowledged events looked for"));
        let verdict = if self.ok {
            "everything is accounted for".to_owned()
        } else {
            format!("{} differences", self.differences.len())
        };
        write!(f, "{verdict}: {} records in {:.1} s{acknowledged}", self.records, self.seconds)
    }
}

/// Reads the log up to the checkpoints and compares it with the tables, all in one snapshot; the projector may run.
///
/// Counts every record by type and outcome, finds repetitions anew, and compares with the tally; merges the rows of
/// facts with the log by id; folds every session anew; compares roll-ups and counters with SQL over the rows.
pub async fn verify(
    database: &Database,
    log: &dyn EventLog,
    options: &VerifyOptions,
    progress: &Progress,
) -> anyhow::Result<VerifyReport> {
    verify_schema(database, READ_MODEL_SCHEMA, log, options, progress).await
}

/// The same for a read model in another PostgreSQL schema.
pub(crate) async fn verify_schema(
    database: &Database,
    schema: &str,
    log: &dyn EventLog,
    options: &VerifyOptions,
    progress: &Progress,
) -> anyhow::Result<VerifyReport> {
    let started = Instant::now();
    let acknowledged = options.acknowledged.as_deref().map(Acknowledged::read).transpose()?;
    let mut main = snapshot(database, schema, None).await?;
    let name: String = sqlx::query_scalar("SELECT pg_export_snapshot()").fetch_one(&mut main).await?;
    let (zone, log_id, partitions, days): (String, String, i32, i32) =
        sqlx::query_as("SELECT time_zone, log_id, partitions, deduplication_days FROM read_model")
            .fetch_optional(&mut main)
            .await
            .context("there is no read model here: type `footfall migrate`")?
            .context("the read model has never been used: start the projector first")?;
    if log_id != log.log_id().0 {
        bail!(
            "the read model was made from the log {log_id}, and this one is {}: name that one (--kafka-brokers and \
             --kafka-topic, or neither for the log in PostgreSQL), or make the read model anew with `footfall rebuild`",
            log.log_id()
        );
    }
    let zone: Tz = zone.parse().ok().with_context(|| format!("the read model's time zone {zone} is not known"))?;
    let partitions = u16::try_from(partitions).context("the read model's number of partitions is none")?;
    let window = (days > 0).then(|| TimeDelta::days(i64::from(days)));

    let reader = log.reader(Sharing::Alone).await?;
    progress.begin("verify", total(&mut main, &reader).await?);
    let passes = stream::iter((0..partitions).map(|partition| {
        let (reader, name, acknowledged) = (&reader, name.as_str(), acknowledged.as_ref());
        async move {
            let connection = snapshot(database, schema, Some(name)).await?;
            let reader = &**reader;
            let sessions_at_a_time = options.sessions_at_a_time;
            let pass =
                Pass { reader, connection, partition, partitions, window, sessions_at_a_time, acknowledged, progress };
            pass.run().await
        }
    }));
    let passes: anyhow::Result<Vec<_>> = passes.buffered(AT_ONCE).try_collect().await;
    reader.close().await;
    let passes = passes?;
    let mut differences: Vec<Difference> = passes.iter().flat_map(|(findings, _)| findings.differences()).collect();
    differences.extend(tables::differences(&mut main, zone).await?);
    let moves: Vec<_> = passes.iter().flat_map(|(findings, _)| findings.moves.iter().cloned()).collect();
    differences.extend(changes::half_moves(&mut main, &moves).await?);
    main.close().await?;
    if let Some(acknowledged) = &acknowledged {
        let (count, examples) = acknowledged.missing(usize::try_from(tables::EXAMPLES)?)?;
        if count > 0 {
            let what = "acknowledged events that are not on the log, or dead".to_owned();
            differences.push(Difference { what, count: i64::try_from(count)?, examples });
        }
    }
    progress.finish();
    let mut tally = BTreeMap::new();
    for (event_type, outcome, events) in passes.iter().flat_map(|(findings, _)| &findings.tally) {
        *tally.entry((event_type.clone(), outcome.clone())).or_default() += events;
    }
    Ok(VerifyReport {
        ok: differences.is_empty(),
        records: passes.iter().map(|(_, records)| records).sum(),
        seconds: started.elapsed().as_secs_f64(),
        tally,
        acknowledged: acknowledged.as_ref().map(Acknowledged::count),
        differences,
        notes: passes.into_iter().flat_map(|(findings, _)| findings.notes).collect(),
    })
}

/// A connection in a read-only snapshot: a new one, or the one of this name.
async fn snapshot(database: &Database, schema: &str, name: Option<&str>) -> sqlx::Result<PgConnection> {
    let options = database.options_for(schema, "footfall verify");
    let mut connection = PgConnection::connect_with(&options).await?;
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    if let Some(name) = name {
        // the name is PostgreSQL's own, of digits, letters and dashes
        connection.execute(format!("SET TRANSACTION SNAPSHOT '{name}'").as_str()).await?;
    }
    Ok(connection)
}

async fn total(connection: &mut PgConnection, reader: &Arc<dyn EventReader>) -> anyhow::Result<u64> {
    let mut total = 0;
    for found in checkpoint::read_all(connection).await? {
        let low = reader.watermarks(u16::try_from(found.partition)?).await?.low;
        total += u64::try_from(found.next_offset - low).unwrap_or_default();
    }
    Ok(total)
}
