//! Whether the log still is the one that the checkpoint is a position of.

use crate::{checkpoint::Checkpoint, projection::digest};
use event_log::{EventReader, ReadError};
use schema::Position;

/// Why a partition must not be projected from here.
#[derive(Debug, thiserror::Error)]
pub enum NotTheSameLog {
    /// Retention has deleted what was not projected yet.
    #[error(
        "partition {partition} of the log begins at offset {low}, and the read model has only come to {next}: the \
         records between are gone; type `footfall rebuild` to make the read model from what the log still has"
    )]
    BeginsLater {
        /// The partition.
        partition: u16,
        /// Where it begins.
        low: i64,
        /// Where the read model is.
        next: i64,
    },
    /// The log lost its tail, or is another one.
    #[error(
        "partition {partition} of the log ends at offset {high}, and the read model has come to {next}: the log lost \
         records or was made anew; bring back the log, or type `footfall rebuild` to make the read model from what \
         the log has"
    )]
    EndsEarlier {
        /// The partition.
        partition: u16,
        /// Where it ends.
        high: i64,
        /// Where the read model is.
        next: i64,
    },
    /// Another record stands where the last one was that was projected.
    #[error(
        "offset {offset} of partition {partition} holds another record than the one that was projected from there: \
         the log lost records and grew again, or was made anew; bring back the log, or type `footfall rebuild` to \
         make the read model from what the log has"
    )]
    OtherRecord {
        /// The partition.
        partition: u16,
        /// Where the record stands.
        offset: i64,
    },
    /// The log is away; nothing is known.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Looks at the log before a partition is projected; gives the offset to read from.
///
/// That is the checkpoint, and for a partition of which nothing was projected yet the beginning of the log, wherever
/// retention has put it.
pub async fn start_offset(
    reader: &dyn EventReader,
    partition: u16,
    checkpoint: &Checkpoint,
) -> Result<i64, NotTheSameLog> {
    let range = reader.watermarks(partition).await?;
    let next = checkpoint.next_offset;
    let Some(last_offset) = checkpoint.last_offset else {
        if range.low > next {
            tracing::warn!(partition, low = range.low, "the log does not reach back to its beginning");
        }
        return Ok(next.max(range.low));
    };
    if range.low > next {
        return Err(NotTheSameLog::BeginsLater { partition, low: range.low, next });
    }
    if range.high < next {
        return Err(NotTheSameLog::EndsEarlier { partition, high: range.high, next });
    }
    if last_offset >= range.low {
        let found = reader.record_at(Position::new(partition, last_offset)).await?;
        if found.map(|record| digest(&record)) != checkpoint.last_digest {
            return Err(NotTheSameLog::OtherRecord { partition, offset: last_offset });
        }
    }
    Ok(next)
}
