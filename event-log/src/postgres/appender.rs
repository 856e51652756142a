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
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// An idle connection is tried this often, so that readiness is true and the lock is surely held.
const PING_EVERY: Duration = Duration::from_secs(5);

/// Above the `statement_timeout` of the connection: when it passes, the connection is dead.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Pauses between attempts to connect: the first one and the longest one.
const RETRY: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// What keeps the log from taking records, if anything.
#[derive(Default)]
pub(super) struct Status(Mutex<Option<String>>);

impl Status {
    pub fn trouble(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, trouble: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
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
                self.status.set(Some(fenced.to_string()));
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
                self.status.set(Some(reason.clone()));
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
        timeout(STATEMENT_TIMEOUT, insert).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
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
        self.status.set(None);
        batch.stored()
    }

    async fn ping(&mut self) -> Result<(), AppendError> {
        let error = match self.owner.connection() {
            Ok(connection) => match timeout(STATEMENT_TIMEOUT, connection.ping()).await {
                Ok(Ok(())) => {
                    self.status.set(None);
                    return Ok(());
                }
                Ok(Err(error)) => error,
                Err(_) => sqlx::Error::PoolTimedOut,
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
        self.status.set(Some(format!("PostgreSQL does not answer: {}", text(lost))));
        let mut pause = RETRY.0;
        loop {
            let error = match self.owner.retake().await {
                Ok(heads) => match self.compare(&heads, batch).await {
                    Ok(found) => {
                        let found = found?;
                        tracing::info!(?found, "the log is connected again");
                        self.status.set(None);
                        return Ok(found);
                    }
                    Err(error) => PostgresLogError::from(error),
                },
                Err(error) => error,
            };
            match error {
                PostgresLogError::Unavailable(reason) | PostgresLogError::Refused(reason) => {
                    self.status.set(Some(format!("PostgreSQL does not answer: {reason}")));
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
