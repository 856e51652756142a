//! The durable log that everything else is folded from: one pair of traits, two engines.
//!
//! Laws that hold for both engines and are tested on both (`tests/contract.rs`):
//! - `Ok(position)` from [`EventWriter::append`] means durable.
//! - The records of one key stand on one partition, [`schema::partition_for`], in the order they were appended.
//! - Offsets grow within a partition but are not dense. Nothing counts events by subtracting them.
//! - Reading positions are the reader's own affair: the log keeps none that anyone reads back, and never resets one.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use schema::Position;
use std::{fmt, sync::Arc};
use tokio::sync::oneshot;
use uuid::Uuid;

pub mod kafka;
mod late;
pub mod metrics;
mod oversized;
pub mod postgres;

pub use late::LateWriter;

/// Which log this is: stands beside every checkpoint, so that positions are never used on another log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LogId(pub String);

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record to be appended. The log adds partition, offset and its own time.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// Places and orders the record: the session id.
    pub key: Vec<u8>,
    /// Names the event, so that a writer can recognise its own record after an unclear answer.
    pub event_id: Uuid,
    /// Goes into the `schema-version` header.
    pub schema_version: u32,
    /// The encoded envelope.
    pub value: Vec<u8>,
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub position: Position,
    /// The log's own time; for finding places, never for rules.
    pub appended_at: DateTime<Utc>,
    /// The `schema-version` header, if there is one and it is a number.
    pub schema_version: Option<u32>,
    /// The key, if there is one.
    pub key: Option<Vec<u8>>,
    /// The value; empty when there is none.
    pub value: Vec<u8>,
}

/// Why a record was not confirmed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Nothing was stored: the queue is full or the log is away. Try again later.
    #[error("the log cannot take the record now: {0}")]
    Overloaded(String),
    /// Nothing was stored: the log will never take a record of this size.
    #[error("the record is larger than the log takes")]
    TooLarge,
    /// Perhaps stored: the answer did not come. Send again under the same `event_id`.
    #[error("the log did not answer in time: {0}")]
    Unknown(String),
    /// Another process owns this log now: end the process.
    #[error("another process writes to this log: {0}")]
    Fenced(String),
}

/// Why reading or looking failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// The log is away; the reader may try again.
    #[error("the log is not reachable: {0}")]
    Unavailable(String),
    /// The partition was taken away from this reader; it will get no more records.
    #[error("the partition was given to another reader")]
    Revoked,
    /// Trying again will not help.
    #[error("the log cannot be read: {0}")]
    Fatal(String),
}

/// Why a partition could not be opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// The wanted offset is below the first one kept or above the end.
    #[error("the offset is outside of what the log holds: {low} to {high}")]
    OutOfRange {
        /// First offset kept, inclusive.
        low: i64,
        /// Next offset to be given, exclusive end.
        high: i64,
    },
    /// As when reading.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// What a partition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// First offset that is kept, inclusive.
    pub low: i64,
    /// The offset that the next record will get at least: exclusive end.
    pub high: i64,
}

/// What changed in the set of partitions that a reader is to process.
#[derive(Debug)]
pub enum Change {
    /// These are this reader's now, in addition to what it has: open them where its own checkpoint says.
    Assigned(Vec<u16>),
    /// These are not this reader's any more. Stop processing them, drop what is not committed, then send on `done`
    /// (or drop it); the next owner waits for that, within limits.
    Revoked {
        /// Which ones.
        partitions: Vec<u16>,
        /// To be sent when they have been let go.
        done: oneshot::Sender<()>,
    },
}

/// How a reader shares the log with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Readers of one group divide the partitions among them.
    Group(String),
    /// This reader gets all partitions at once and nobody is asked: for rebuild and verify.
    Alone,
}

/// Appends records.
#[async_trait]
pub trait EventWriter: Send + Sync {
    /// Appends the records in order and answers for each one, in the same order. `Ok` is durable. Never waits longer
    /// than the writer's deadline. A batch can fail in part.
    async fn append(&self, records: Vec<NewRecord>) -> Vec<Result<Position, AppendError>>;

    /// The name of what keeps a confirmed record, for those who want to know: `kafka`, `postgresql`.
    fn kept_by(&self) -> &'static str;

    /// Whether the log takes records now, as far as is known without trying: `Err` says why not.
    fn ready(&self) -> Result<(), String>;

    /// Waits for what was taken but not yet answered, then lets the log go. Later appends are `Overloaded`.
    async fn close(&self);
}

/// Finds partitions and opens them for reading.
#[async_trait]
pub trait EventReader: Send + Sync {
    /// Which log this is.
    fn log_id(&self) -> &LogId;

    /// How many partitions it has.
    fn partitions(&self) -> u16;

    /// The next change of what this reader is to process. Pends while nothing changes. Cancel-safe.
    async fn assignment(&self) -> Result<Change, ReadError>;

    /// Opens an assigned partition from an offset on. An offset equal to `high` waits for the next record.
    async fn open(&self, partition: u16, from: i64) -> Result<Box<dyn PartitionReader>, OpenError>;

    /// What the partition holds now.
    async fn watermarks(&self, partition: u16) -> Result<Watermarks, ReadError>;

    /// The first offset whose record was appended at or after `time`; `high` if there is none.
    async fn offset_at(&self, partition: u16, time: DateTime<Utc>) -> Result<i64, ReadError>;

    /// Reads the first record at the position or after it. `None` says for sure that the log has none there yet: that
    /// is how silence and a gap are told apart.
    async fn record_from(&self, position: Position) -> Result<Option<Record>, ReadError>;

    /// Reads the one record at the position, or `None` if there is none at this very offset.
    async fn record_at(&self, position: Position) -> Result<Option<Record>, ReadError> {
        Ok(self.record_from(position).await?.filter(|record| record.position == position))
    }

    /// Tells how far processing has come (next offsets): a hint for lag tools and retention, never read back.
    async fn report(&self, next: &[Position]);

    /// Leaves the group and ends background work.
    async fn close(&self);
}

/// Reads one partition in offset order.
#[async_trait]
pub trait PartitionReader: Send {
    /// What waits, at least one record, at most `max_records` and about `max_bytes` of values (one record always
    /// fits). Pends while there is nothing. Cancel-safe: a cancelled call loses no record.
    async fn next(&mut self, max_records: usize, max_bytes: usize) -> Result<Vec<Record>, ReadError>;
}

/// A log, opened: gives writers and readers.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Which log this is.
    fn log_id(&self) -> &LogId;
    /// How many partitions it has.
    fn partitions(&self) -> u16;
    /// The writer. One per process; clones share it.
    async fn writer(&self) -> Result<Arc<dyn EventWriter>, ReadError>;
    /// A new reader.
    async fn reader(&self, sharing: Sharing) -> Result<Arc<dyn EventReader>, ReadError>;
}
