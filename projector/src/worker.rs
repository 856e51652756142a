//! One partition: read, decode, project, for as long as it is ours.

use crate::{
    checkpoint,
    dead_letters::skipped_offsets,
    health::{PartitionHealth, postgres_away},
    metrics as names,
    model::ReadModel,
    patience::look,
    projection::{Batch, Parked},
    same_log::{NotTheSameLog, start_offset},
    settings::Limits,
    write::{PartitionWriter, ProjectError, backoff, is_outage, offset_as_f64},
};
use chrono::{DateTime, Utc};
use event_log::{EventReader, OpenError, PartitionReader, ReadError};
use metrics::{counter, gauge};
use schema::Position;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How long nothing has to come until the end of the log is looked at, first and then.
const IDLE: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(10)];

/// How often progress is told to the log while there is work.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// How often a partition that never rests looks where the log ends.
const LOOK_AT_END_EVERY: Duration = Duration::from_mins(1);

/// How often a parked partition looks whether it may pass.
const LOOK_FOR_SKIP_EVERY: Duration = Duration::from_secs(2);

/// What a batch under way may take when the partition is given away, before it is dropped.
const GRACE: Duration = Duration::from_secs(5);

/// The worker of one partition.
#[derive(Clone)]
pub struct Worker {
    /// What it writes to.
    pub model: Arc<ReadModel>,
    /// What it reads from.
    pub reader: Arc<dyn EventReader>,
    /// Which partition.
    pub partition: u16,
    /// Where it says how it is.
    pub health: PartitionHealth,
    /// How much it takes at a time.
    pub limits: Limits,
    /// Cancelled when it is to end.
    pub token: CancellationToken,
}

/// Where the log ended at a time.
struct End {
    high: i64,
    at: DateTime<Utc>,
    looked: Instant,
    passed: bool,
}

/// Why a worker does not go on as it was.
enum Trouble {
    /// It may be better in a moment.
    Passing(String),
    /// Read the checkpoint again and go on from there, at once.
    Reopen,
    /// Only an operator can help.
    Lasting(String),
}

impl Worker {
    /// Projects until the partition is taken away or the token is cancelled. Gets over outages by itself; what only
    /// an operator can mend stops the partition, and it says so until it is told to end.
    pub async fn run(self) {
        let (mut waits, mut told) = (backoff(), String::new());
        loop {
            let started = Instant::now();
            let trouble = match self.follow_or_let_go().await {
                Ok(()) => return self.health.ready(),
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Reopen => {}
                Trouble::Passing(reason) => {
                    if started.elapsed() > Duration::from_mins(1) {
                        waits = backoff();
                        told.clear();
                    }
                    // each partition says it once: what is behind it must not drown
                    if reason == told {
                        tracing::debug!(partition = self.partition, reason, "still waiting");
                    } else {
                        tracing::warn!(partition = self.partition, reason, "waiting");
                    }
                    self.health.waiting(&reason);
                    told = reason;
                    let wait = waits.next().unwrap_or(GRACE);
                    tokio::select! { () = tokio::time::sleep(wait) => {}, () = self.token.cancelled() => return }
                }
                Trouble::Lasting(reason) => {
                    tracing::error!(partition = self.partition, reason, "partition stopped");
                    self.health.waiting(&reason);
                    gauge!(names::STOPPED_PARTITIONS).increment(1.0);
                    self.token.cancelled().await;
                    gauge!(names::STOPPED_PARTITIONS).decrement(1.0);
                    return;
                }
            }
        }
    }

    /// Follows, and drops what is not done in time when it is to end.
    async fn follow_or_let_go(&self) -> Result<(), Trouble> {
        tokio::select! {
            followed = self.follow() => followed,
            () = async { self.token.cancelled().await; tokio::time::sleep(GRACE).await } => Ok(()),
        }
    }

    /// Reads the checkpoint, opens the log there and projects. `Ok`: the partition is not ours any more.
    async fn follow(&self) -> Result<(), Trouble> {
        let found = look(checkpoint::read(&self.model.pool, self.partition)).await.map_err(of_database)?;
        if found.generation != self.model.generation || found.next_offset < 0 {
            return Err(Trouble::Lasting("another read model has taken over: start the projector again".to_owned()));
        }
        let skip =
            look(skipped_offsets(&self.model.pool, self.partition, found.next_offset)).await.map_err(of_database)?;
        let from = match start_offset(&*self.reader, self.partition, &found).await {
            Ok(from) => from,
            Err(NotTheSameLog::Read(error)) => return of_log(&error),
            Err(error) => return Err(Trouble::Lasting(error.to_string())),
        };
        let mut log = match self.reader.open(self.partition, from).await {
            Ok(log) => log,
            Err(OpenError::Read(error)) => return of_log(&error),
            Err(error @ OpenError::OutOfRange { .. }) => return Err(Trouble::Passing(error.to_string())),
        };
        self.health.ready();
        let mut writer = PartitionWriter::new(self.model.clone(), self.partition, &found, self.health.clone())
            .stopping_after(self.limits.dead_letters_in_a_row);
        let mut reported = Instant::now();
        let mut end = None;
        loop {
            let records = match self.next(&mut *log, &writer).await {
                Ok(Some(records)) => records,
                Ok(None) => return Ok(()),
                Err(error) => return of_log(&error),
            };
            let (batch, parked) = Batch::decode(self.partition, self.model.made_for.partitions, records, &skip);
            self.project(&mut writer, &batch).await?;
            if let Some(parked) = parked {
                return self.wait_for_skip(&parked).await;
            }
            if reported.elapsed() > REPORT_EVERY {
                reported = Instant::now();
                self.report(&writer, None).await;
                self.pass(&writer, &mut end).await;
            }
        }
    }

    /// The next records; `None` when the worker is to end. What takes long is never begun again: a slow log would be
    /// read in vain for ever.
    async fn next(
        &self,
        log: &mut dyn PartitionReader,
        writer: &PartitionWriter,
    ) -> Result<Option<Vec<event_log::Record>>, ReadError> {
        tokio::select! {
            biased;
            () = self.token.cancelled() => Ok(None),
            records = log.next(self.limits.batch_records, self.limits.batch_bytes) => records.map(Some),
            error = self.look_at_the_end(writer) => Err(error),
        }
    }

    /// Looks at the end of the log while nothing comes, and notes when it has been reached. Ends when the log is away.
    async fn look_at_the_end(&self, writer: &PartitionWriter) -> ReadError {
        let mut idle = IDLE.into_iter();
        let mut patience = IDLE[0];
        loop {
            patience = idle.next().unwrap_or(patience);
            tokio::time::sleep(patience).await;
            let range = match self.reader.watermarks(self.partition).await {
                Ok(range) => range,
                Err(error) => return error,
            };
            self.report(writer, Some(range.high)).await;
            if range.high <= writer.next_offset().max(range.low)
                && let Err(error) = look(checkpoint::caught_up(&self.model, self.partition, writer.next_offset())).await
            {
                tracing::debug!(partition = self.partition, %error, "could not note that the end was reached");
            }
        }
    }

    /// Notes that what was the end of the log some time ago has been passed: a busy partition is never at the end.
    async fn pass(&self, writer: &PartitionWriter, end: &mut Option<End>) {
        if let Some(end) = end.as_mut().filter(|end| !end.passed && end.high <= writer.next_offset()) {
            match look(checkpoint::passed(&self.model, self.partition, end.high, end.at)).await {
                Ok(()) => end.passed = true,
                Err(error) => tracing::debug!(partition = self.partition, %error, "could not note what was passed"),
            }
        }
        let due = end.as_ref().is_none_or(|end| end.passed && end.looked.elapsed() > LOOK_AT_END_EVERY);
        if due {
            let (at, looked) = (Utc::now(), Instant::now());
            if let Ok(range) = self.reader.watermarks(self.partition).await {
                *end = Some(End { high: range.high, at, looked, passed: false });
            }
        }
    }

    /// Commits a batch.
    async fn project(&self, writer: &mut PartitionWriter, batch: &Batch) -> Result<(), Trouble> {
        match writer.project(batch).await {
            Ok(()) => Ok(()),
            Err(ProjectError::Fenced) => {
                counter!(names::FENCED_TOTAL).increment(1);
                tracing::warn!(
                    partition = self.partition,
                    "the checkpoint was moved by somebody else, reading it again"
                );
                Err(Trouble::Reopen)
            }
            Err(error @ (ProjectError::Stop(_) | ProjectError::TooManyDead(_))) => {
                Err(Trouble::Lasting(error.to_string()))
            }
        }
    }

    async fn wait_for_skip(&self, parked: &Parked) -> Result<(), Trouble> {
        let (partition, offset) = (self.partition, parked.offset);
        let reason = format!(
            "the record at {partition}/{offset} was written by a newer Footfall (schema version {}): update this \
             projector, or pass over the record with `footfall dead-letter skip {partition} {offset}`",
            parked.found
        );
        tracing::warn!(partition, offset, reason, "waiting");
        self.health.waiting(&reason);
        loop {
            tokio::select! {
                () = self.token.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_FOR_SKIP_EVERY) => {}
            }
            let skip = look(skipped_offsets(&self.model.pool, partition, offset)).await.map_err(of_database)?;
            if skip.contains(&offset) {
                return Err(Trouble::Reopen);
            }
        }
    }

    async fn report(&self, writer: &PartitionWriter, high: Option<i64>) {
        let next = writer.next_offset();
        self.reader.report(&[Position::new(self.partition, next)]).await;
        if let Some(high) = high {
            let lag = offset_as_f64((high - next).max(0));
            gauge!(names::LAG_OFFSETS, "partition" => self.partition.to_string()).set(lag);
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
fn of_database(error: sqlx::Error) -> Trouble {
    if is_outage(&error) {
        Trouble::Passing(postgres_away(&error))
    } else {
        Trouble::Lasting(format!("the read model cannot be read: {error}"))
    }
}

fn of_log(error: &ReadError) -> Result<(), Trouble> {
    match error {
        ReadError::Revoked => Ok(()),
        ReadError::Unavailable(_) => Err(Trouble::Passing(error.to_string())),
        ReadError::Fatal(_) => Err(Trouble::Lasting(error.to_string())),
    }
}
