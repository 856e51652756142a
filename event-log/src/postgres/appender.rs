use super::{
    PostgresLogError, PostgresLogSettings,
    batch::Batch,
    error::{code, is_undone, text},
    owner::Owner,
    queue::{Call, Heads, Queue},
    tables,
};
use crate::{AppendError, metrics as names};
use chrono::Utc;
use sqlx::{Connection, PgConnection};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// An idle connection is tried this often, so that readiness is true and the lock is surely held.
const PING_EVERY: Duration = Duration::from_secs(5);

/// A connection that is back within this is not worth a refusal: who appends meanwhile just waits.
const BRIEF: Duration = Duration::from_millis(500);

/// The connection has not answered in time.
const NO_ANSWER: sqlx::Error = sqlx::Error::PoolTimedOut;

/// Pauses between attempts to connect: the first one and the longest one.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What keeps the log from taking records, if anything.
#[derive(Default)]
pub(super) struct Status(Mutex<Option<Trouble>>);

struct Trouble {
    reason: String,
    /// Since when there is no connection, where that is the trouble.
    lost: Option<Instant>,
}

impl Status {
    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the log takes no records.
    pub fn reason(&self) -> Option<String> {
        self.trouble().as_ref().map(|trouble| trouble.reason.clone())
    }

    /// Why it is of no use to queue a record: there has been no connection for more than a moment.
    pub fn away(&self) -> Option<String> {
        let trouble = self.trouble();
        let trouble = trouble.as_ref()?;
        trouble.lost?.elapsed().ge(&BRIEF).then(|| trouble.reason.clone())
    }

    fn well(&self) {
        *self.trouble() = None;
    }

    /// Records are refused, or none will be taken ever again: who appends is told by trying.
    fn refused(&self, reason: String) {
        *self.trouble() = Some(Trouble { reason, lost: None });
    }

    fn lost(&self, reason: &str) {
        let mut trouble = self.trouble();
        let since = trouble.as_ref().and_then(|trouble| trouble.lost).unwrap_or_else(Instant::now);
        *trouble = Some(Trouble { reason: format!("PostgreSQL does not answer: {reason}"), lost: Some(since) });
    }
}

/// What has become of a batch whose answer was lost.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Stored,
    NotStored,
}

/// The only writer of the table: one connection, one transaction in flight.
pub(super) struct Appender {
    pub owner: Owner,
    pub queue: Arc<Queue>,
    pub heads: Arc<Heads>,
    pub status: Arc<Status>,
    pub settings: PostgresLogSettings,
}

impl Appender {
    /// Writes until the queue is closed and empty, or until another process turns out to write as well.
    pub async fn run(mut self) {
        match self.serve().await {
            Ok(()) => self.owner.release().await,
            Err(fenced) => {
                tracing::error!(reason = %fenced, "another process writes to this log: appending ends");
                self.status.refused(fenced.to_string());
                self.queue.close(fenced.clone());
                while let Some(call) = self.queue.pop() {
                    call.fail(0, &fenced);
                }
                self.owner.release().await;
            }
        }
    }

    async fn serve(&mut self) -> Result<(), AppendError> {
        let mut unfinished: Option<Call> = None;
        loop {
            match Batch::gather(&self.queue, unfinished.take(), &self.owner.heads, Utc::now(), &self.settings) {
                Some(batch) => unfinished = self.write(batch).await?,
                None if self.queue.closed().is_some() => return Ok(()),
                None => {
                    if timeout(PING_EVERY, self.queue.arrived()).await.is_err() {
                        self.ping().await?;
                    }
                }
            }
        }
    }

    /// Writes one batch for good or answers why not; gives back a call that has more records.
    async fn write(&mut self, batch: Batch) -> Result<Option<Call>, AppendError> {
        let started = Instant::now();
        loop {
            let error = match self.insert(&batch).await {
                Ok(()) => return Ok(self.stored(batch, started)),
                Err(error) => error,
            };
            if code(&error) == Some("23505") {
                let fenced = AppendError::Fenced("its records are where ours belong".into());
                batch.failed(&fenced);
                return Err(fenced);
            }
            if is_undone(&error) {
                let reason = format!("PostgreSQL refused the records: {}", text(&error));
                tracing::warn!(code = code(&error), records = batch.records(), %reason, "nothing of a batch was stored");
                self.status.refused(reason.clone());
                batch.failed(&AppendError::Overloaded(reason));
                return Ok(None);
            }
            match self.recover(&error, Some(&batch)).await {
                Ok(Found::Stored) => return Ok(self.stored(batch, started)),
                Ok(Found::NotStored) => {}
                Err(error) => {
                    // Closed while PostgreSQL is away, or fenced: in both cases this batch may be in the table.
                    batch.failed(&error);
                    return if matches!(error, AppendError::Fenced(_)) { Err(error) } else { Ok(None) };
                }
            }
        }
    }

    async fn insert(&mut self, batch: &Batch) -> Result<(), sqlx::Error> {
        let insert = batch.insert(self.owner.connection()?);
        timeout(self.settings.answer_within(), insert).await.unwrap_or(Err(NO_ANSWER))
    }

    fn stored(&mut self, batch: Batch, started: Instant) -> Option<Call> {
        metrics::histogram!(names::COMMIT).record(started.elapsed());
        #[expect(clippy::cast_precision_loss, reason = "a batch has at most some thousand records")]
        metrics::histogram!(names::BATCH).record(batch.records() as f64);
        for (partition, (before, after)) in self.owner.heads.iter_mut().zip(&batch.after).enumerate() {
            if before.next != after.next {
                *before = *after;
                self.heads.moved(partition, after.next);
            }
        }
        self.status.well();
        batch.stored()
    }

    async fn ping(&mut self) -> Result<(), AppendError> {
        let within = self.settings.answer_within();
        let error = match self.owner.connection() {
            Ok(connection) => match timeout(within, connection.ping()).await {
                Ok(Ok(())) => {
                    self.status.well();
                    return Ok(());
                }
                Ok(Err(error)) => error,
                Err(_) => NO_ANSWER,
            },
            Err(error) => error,
        };
        match self.recover(&error, None).await {
            Err(fenced @ AppendError::Fenced(_)) => Err(fenced),
            // Closed while PostgreSQL is away: `serve` sees it.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Gets a connection and the lock again, for as long as it takes, and looks whether the batch whose answer was
    /// lost has been stored. What is found is as it was before, or as it was to be: anything else was somebody else.
    async fn recover(&mut self, lost: &sqlx::Error, batch: Option<&Batch>) -> Result<Found, AppendError> {
        metrics::counter!(names::CONNECTION_LOST).increment(1);
        tracing::warn!(error = %text(lost), "the connection of the log was lost: connecting again");
        self.status.lost(&text(lost));
        let (mut pause, within) = (RETRY.0, self.settings.answer_within());
        loop {
            let error = match self.owner.retake().await {
                Ok(heads) => match timeout(within, self.compare(&heads, batch)).await.unwrap_or(Err(NO_ANSWER)) {
                    Ok(found) => {
                        let found = found?;
                        tracing::info!(?found, "the log is connected again");
                        self.status.well();
                        return Ok(found);
                    }
                    Err(error) => PostgresLogError::from(error),
                },
                Err(error) => error,
            };
            match error {
                PostgresLogError::Unavailable(reason) | PostgresLogError::Refused(reason) => {
                    self.status.lost(&reason);
                    if self.queue.closed().is_some() {
                        return Err(AppendError::Unknown(reason));
                    }
                }
                PostgresLogError::Held(holder) => return Err(AppendError::Fenced(holder)),
                gone => return Err(AppendError::Fenced(gone.to_string())),
            }
            sleep(pause).await;
            pause = (pause * 2).min(RETRY.1);
        }
    }

    async fn compare(
        &mut self,
        found: &[tables::Head],
        batch: Option<&Batch>,
    ) -> Result<Result<Found, AppendError>, sqlx::Error> {
        let ends_as =
            |heads: &[tables::Head]| heads.iter().map(|head| head.next).eq(found.iter().map(|head| head.next));
        if ends_as(&self.owner.heads) {
            return Ok(Ok(Found::NotStored));
        }
        let foreign = || Ok(Err(AppendError::Fenced("records that are not ours were added".into())));
        match batch {
            Some(batch) if ends_as(&batch.after) && is_ours(self.owner.connection()?, batch).await? => {
                Ok(Ok(Found::Stored))
            }
            _ => foreign(),
        }
    }
}

/// Whether the last record of every partition that the batch touches is the batch's.
async fn is_ours(connection: &mut PgConnection, batch: &Batch) -> Result<bool, sqlx::Error> {
    for (partition, offset, event_id) in batch.last_of_partitions() {
        if tables::event_at(connection, partition, offset).await? != Some(event_id) {
            return Ok(false);
        }
    }
    Ok(true)
}
