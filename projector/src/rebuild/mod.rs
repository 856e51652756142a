//! A new read model out of the log, beside the live one, compared with it and put in its place.

mod compare;
mod replay;
mod swap;

use crate::{
    ProjectorSettings,
    lease::Lease,
    model::{MadeFor, PrepareError, ReadModel},
    progress::Progress,
    verify::{Difference, VerifyOptions, verify_schema},
};
use chrono_tz::Tz;
use event_log::{EventLog, EventReader, Sharing};
use schema::migrations::{READ_MODEL, READ_MODEL_SCHEMA, REBUILD_SCHEMA};
use service::{
    database::{Database, DatabaseError},
    roles::grant_read_model,
};
use std::{fmt, sync::Arc, time::Instant};

/// Why a rebuild did not happen. The live read model is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Somebody works on the read model.
    #[error("a projector or another rebuild is running: stop it first, then rebuild")]
    Busy,
    /// Somebody else may have begun to work on the read model.
    #[error(
        "the rebuild has lost its lock, so a projector or another rebuild may be running by now ({0}): rebuild again \
         when PostgreSQL is back, with the projector stopped"
    )]
    LockLost(#[source] sqlx::Error),
    /// The next read model could not be prepared.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The tables could not be made.
    #[error(transparent)]
    Migrate(#[from] DatabaseError),
    /// PostgreSQL failed.
    #[error("PostgreSQL failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The log failed, or a record on it cannot be read by this program.
    #[error("{0:#}")]
    Replay(anyhow::Error),
    /// The new read model could not be verified.
    #[error("the new read model could not be verified: {0:#}")]
    Verify(anyhow::Error),
}

/// How to rebuild.
#[derive(Clone, Copy, Debug, Default)]
pub struct RebuildOptions {
    /// Swap even though the new read model differs from the live one: that is what a repair is for.
    pub accept_differences: bool,
}

/// What a rebuild came to.
#[derive(Clone, Debug)]
pub struct RebuildReport {
    /// Records projected.
    pub records: u64,
    /// How long all of it took.
    pub seconds: f64,
    /// What the new read model has otherwise than the live one.
    pub differences: Vec<String>,
    /// What could not be compared, and why.
    pub notes: Vec<String>,
    /// Whether records that the live read model has projected could not be projected again.
    pub new_dead_letters: bool,
    /// What `verify` has found in the new read model.
    pub unproven: Vec<Difference>,
    /// Whether the new one is the live one now.
    pub swapped: bool,
}

impl fmt::Display for RebuildReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        for difference in &self.differences {
            writeln!(f, "difference: {difference}")?;
        }
        for difference in &self.unproven {
            writeln!(f, "VERIFY: {difference}")?;
        }
        write!(f, "{} records in {:.1} s: ", self.records, self.seconds)?;
        if self.swapped {
            write!(f, "the new read model is live, the one before is in the schema footfall_previous")
        } else if !self.unproven.is_empty() {
            write!(
                f,
                "not swapped, because the new read model is not what the log says: somebody else has written to it, or \
                 Footfall has a bug, which please report; it is in the schema {REBUILD_SCHEMA} for you to look at"
            )
        } else if self.new_dead_letters {
            write!(
                f,
                "not swapped, because records that were projected before cannot be any more, and nothing may vanish: \
                 run the Footfall that projected them, or report this with the dead letters; the new read model is \
                 in the schema {REBUILD_SCHEMA} for you to look at"
            )
        } else {
            write!(
                f,
                "not swapped, because the new read model differs; it is in the schema {REBUILD_SCHEMA} for you to look \
                 at; with --accept-differences it is put in place all the same"
            )
        }
    }
}

/// Makes the read model anew from the whole log and puts it in the live one's place.
///
/// The projector has to be stopped; read services may go on. What the live model has come to is compared before the
/// rest of the log is added. A dead letter that the live model has not keeps the swap from happening, whatever the
/// options say; other differences do unless they are accepted. At last the new read model is verified against the log
/// and against itself, and what is found there keeps the swap from happening too.
pub async fn rebuild(
    database: &Database,
    log: &dyn EventLog,
    settings: &ProjectorSettings,
    zone: Tz,
    options: RebuildOptions,
    progress: &Progress,
) -> Result<RebuildReport, RebuildError> {
    let started = Instant::now();
    let mut lease = Lease::exclusive(database).await?.ok_or(RebuildError::Busy)?;
    let pool = database.pool(REBUILD_SCHEMA, "footfall rebuild", settings.projector_connections);
    let made_for = MadeFor {
        zone,
        log_id: log.log_id().clone(),
        partitions: log.partitions(),
        deduplication_days: settings.deduplication_days,
    };
    swap::drop_unfinished(database).await?;
    database.migrate(REBUILD_SCHEMA, READ_MODEL).await?;
    if compare::Live::is_there(&pool).await? {
        // only what has the same tables can be compared
        database.migrate(READ_MODEL_SCHEMA, READ_MODEL).await?;
    }
    let model = Arc::new(ReadModel::prepare(pool.clone(), made_for.clone()).await?);
    let mut live = compare::Live::find(&pool, &made_for).await?;
    let reader = log.reader(Sharing::Alone).await.map_err(|error| RebuildError::Replay(error.into()))?;
    let has_live = live.is_some();
    let made = async {
        if let Some(live) = &mut live {
            live.look_at_log(&*reader).await.map_err(|error| RebuildError::Replay(error.into()))?;
        }
        let (records, comparison) = replay_and_compare(&model, &reader, settings, live.as_ref(), progress).await?;
        // what will not be swapped in any case need not be verified
        let wanted =
            comparison.new_dead_letters.is_empty() && (comparison.differences.is_empty() || options.accept_differences);
        let unproven = if wanted { unproven(database, log, progress).await? } else { Vec::new() };
        Ok((records, comparison, wanted && unproven.is_empty(), unproven))
    };
    let made = tokio::select! {
        made = made => made,
        error = lease.lost() => Err(RebuildError::LockLost(error)),
    };
    reader.close().await;
    let (records, mut comparison, swapped, unproven) = made?;
    if swapped {
        // the months that the replay has made included
        grant_read_model(database, REBUILD_SCHEMA).await?;
        lease.check().await.map_err(RebuildError::LockLost)?;
        swap::swap(lease.connection(), has_live).await?;
    }
    pool.close().await;
    progress.finish();
    let new_dead_letters = !comparison.new_dead_letters.is_empty();
    comparison.differences.append(&mut comparison.new_dead_letters);
    Ok(RebuildReport {
        records,
        seconds: started.elapsed().as_secs_f64(),
        differences: comparison.differences,
        notes: comparison.notes,
        new_dead_letters,
        unproven,
        swapped,
    })
}

/// What `verify` finds in the new read model.
async fn unproven(
    database: &Database,
    log: &dyn EventLog,
    progress: &Progress,
) -> Result<Vec<Difference>, RebuildError> {
    let options = VerifyOptions::default();
    let verified = verify_schema(database, REBUILD_SCHEMA, log, &options, progress).await;
    Ok(verified.map_err(RebuildError::Verify)?.differences)
}

async fn replay_and_compare(
    model: &Arc<ReadModel>,
    reader: &Arc<dyn EventReader>,
    settings: &ProjectorSettings,
    live: Option<&compare::Live>,
    progress: &Progress,
) -> Result<(u64, compare::Comparison), RebuildError> {
    let replay = replay::Replay { model, reader, settings, progress };
    let mut records = 0;
    let mut comparison = compare::Comparison::default();
    if let Some(live) = live {
        if live.log == compare::Log::Same {
            // offsets of another log are other records
            compare::copy_skips(&model.pool).await?;
            records +=
                replay.all("up to the live read model", &live.next_offsets()).await.map_err(RebuildError::Replay)?;
        }
        comparison = compare::compare(&model.pool, live).await?;
    }
    let ends = replay.ends().await.map_err(RebuildError::Replay)?;
    records += replay.all("up to the end of the log", &ends).await.map_err(RebuildError::Replay)?;
    Ok((records, comparison))
}
