//! Brings batches of one partition into the read model, whatever PostgreSQL does meanwhile.

use super::{Part, WriteError, attempt, dead_in_a_row::DeadInARow};
use crate::{
    checkpoint::{self, Checkpoint},
    health::PartitionHealth,
    metrics as names,
    model::ReadModel,
    patience::{Patience, Pulse, look},
    projection::{Batch, Tally},
};
use backon::{BackoffBuilder, ExponentialBuilder};
use metrics::{counter, gauge, histogram};
use std::{
    ops::Range,
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// Waiting times for what has to be tried for ever: from 50 ms to 5 s, with jitter.
pub fn backoff() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(50))
        .with_max_delay(Duration::from_secs(5))
        .with_jitter()
        .without_max_times()
        .build()
}

/// Why a partition cannot go on as it was.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Somebody else has moved the checkpoint: read it again.
    #[error("the checkpoint was moved by somebody else")]
    Fenced,
    /// Nothing but an operator helps.
    #[error(transparent)]
    Stop(WriteError),
    /// So many records in a row were dead letters, and they are committed.
    #[error(
        "the last {0} records were all dead letters: see `footfall dead-letter list`; start the projector again to go \
         on"
    )]
    TooManyDead(usize),
}

/// The one who writes a partition's rows.
#[derive(Debug)]
pub struct PartitionWriter {
    model: Arc<ReadModel>,
    partition: u16,
    next_offset: i64,
    health: PartitionHealth,
    dead_letters: DeadInARow,
}

impl PartitionWriter {
    /// Goes on at a checkpoint that was just read.
    pub fn new(model: Arc<ReadModel>, partition: u16, checkpoint: &Checkpoint, health: PartitionHealth) -> Self {
        Self {
            model,
            partition,
            next_offset: checkpoint.next_offset,
            health,
            dead_letters: DeadInARow::without_limit(),
        }
    }

    /// Stops when so many records in a row are dead letters: then it is more than a few bad records.
    #[must_use]
    pub fn stopping_after(self, dead_letters_in_a_row: usize) -> Self {
        Self { dead_letters: DeadInARow::up_to(dead_letters_in_a_row), ..self }
    }

    /// Where the checkpoint is.
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// Commits a batch whole, in one transaction if PostgreSQL takes it. Data that it refuses is closed in on by
    /// halves until it stands alone and is a dead letter. Tries for ever while PostgreSQL is away. May be dropped at
    /// any time: nothing is lost. Ends in front of the record that comes after too many dead letters in a row.
    pub async fn project(&mut self, batch: &Batch) -> Result<(), ProjectError> {
        let end = self.dead_letters.end(batch);
        // the halves that are still to be done, the next one last; at most one for each halving
        let mut waiting: Vec<(Range<usize>, Option<String>)> = vec![(0..end, None)];
        while let Some((range, refused)) = waiting.pop() {
            if range.is_empty() {
                continue;
            }
            let part = Part { batch, range: range.clone(), from: self.next_offset, refused };
            match self.commit(&part).await {
                Ok(()) if self.dead_letters.count(&part) => {
                    return Err(ProjectError::TooManyDead(self.dead_letters.so_far()));
                }
                Ok(()) => {}
                Err(WriteError::Data(error)) if range.len() == 1 => {
                    tracing::warn!(at = %batch.position(range.start), error = %error, "dead letter: PostgreSQL refuses it");
                    waiting.push((range, Some(error.to_string())));
                }
                Err(error @ (WriteError::Data(_) | WriteError::Wide(_))) => {
                    if matches!(error, WriteError::Data(_)) {
                        counter!(names::BISECTIONS_TOTAL).increment(1);
                    }
                    let middle = range.start + range.len() / 2;
                    waiting.push((middle..range.end, None));
                    waiting.push((range.start..middle, None));
                }
                Err(WriteError::Fenced) => return Err(ProjectError::Fenced),
                Err(error) => return Err(ProjectError::Stop(error)),
            }
        }
        Ok(())
    }

    /// Commits a part, or finds that an attempt whose answer was lost has done so.
    async fn commit(&mut self, part: &Part<'_>) -> Result<(), WriteError> {
        let mut waits = backoff();
        let mut looked_again = false;
        let started = Instant::now();
        loop {
            match self.attempt_in_time(part).await {
                Ok(tally) => {
                    self.committed(part, started, Some(&tally));
                    return Ok(());
                }
                Err(error @ (WriteError::Outage(_) | WriteError::Slow(_))) => {
                    if self.settle_outage(part, &error, &mut waits).await? {
                        self.committed(part, started, None);
                        return Ok(());
                    }
                }
                // a table that was there is gone, or another took its place: look again, once
                Err(WriteError::Stop(error)) if !looked_again => {
                    tracing::warn!(partition = self.partition, %error, "looking at the tables again");
                    looked_again = true;
                    self.model.forget();
                }
                // a dead letter that is refused as well would be tried for ever
                Err(WriteError::Data(error)) if part.refused.is_some() => return Err(WriteError::Stop(error)),
                Err(error) => return Err(error),
            }
        }
    }

    /// One attempt. A server that says nothing at all is given up, and meanwhile readiness says so.
    async fn attempt_in_time(&self, part: &Part<'_>) -> Result<Tally, WriteError> {
        let Patience { step, told, .. } = self.model.patience;
        let pulse = Pulse::default();
        let mut attempting = pin!(attempt(&self.model, part, &pulse));
        if let Ok(ended) = timeout(told, &mut attempting).await {
            return ended;
        }
        let reason = format!("the batch at offset {} has not been committed for {} s", part.from, told.as_secs());
        tracing::warn!(partition = self.partition, reason, "waiting");
        self.health.waiting(&reason);
        tokio::select! {
            biased;
            ended = attempting => ended,
            () = pulse.stopped_for(step) => Err(WriteError::Slow(step)),
        }
    }

    /// Waits until PostgreSQL answers again. `true`: the commit whose answer was lost had happened. `false`: it had
    /// not, try again.
    async fn settle_outage(
        &self,
        part: &Part<'_>,
        error: &WriteError,
        waits: &mut (impl Iterator<Item = Duration> + Send),
    ) -> Result<bool, WriteError> {
        counter!(names::OUTAGES_TOTAL).increment(1);
        tracing::warn!(partition = self.partition, %error, "trying again");
        self.health.waiting(&error.to_string());
        for wait in waits {
            tokio::time::sleep(wait).await;
            match look(checkpoint::read(&self.model.pool, self.partition)).await.map_err(WriteError::from) {
                Ok(found) if found.generation != self.model.generation => return Err(WriteError::Fenced),
                Ok(found) if found.next_offset == part.to() => return Ok(true),
                Ok(found) if found.next_offset == part.from => return Ok(false),
                Ok(_) => return Err(WriteError::Fenced),
                Err(error @ WriteError::Outage(_)) => self.health.waiting(&error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn committed(&mut self, part: &Part<'_>, started: Instant, tally: Option<&Tally>) {
        self.next_offset = part.to();
        self.health.ready();
        let partition = self.partition.to_string();
        for (_, outcome, events) in tally.into_iter().flat_map(Tally::entries) {
            // what was removed is taken off `stored`; a counter only grows
            let events = u64::try_from(events).unwrap_or_default();
            counter!(names::EVENTS_TOTAL, "partition" => partition.clone(), "outcome" => outcome).increment(events);
        }
        counter!(names::BATCHES_TOTAL, "partition" => partition.clone()).increment(1);
        histogram!(names::BATCH_SECONDS).record(started.elapsed().as_secs_f64());
        histogram!(names::BATCH_RECORDS).record(f64::from(u32::try_from(part.range.len()).unwrap_or(u32::MAX)));
        gauge!(names::CHECKPOINT_OFFSET, "partition" => partition).set(offset_as_f64(self.next_offset));
    }
}

/// Offsets stay below 2^40, so nothing is lost.
#[expect(clippy::cast_precision_loss, reason = "offsets are below 2^40")]
pub(crate) fn offset_as_f64(offset: i64) -> f64 {
    offset as f64
}
