//! What the cases share.

use event_log::{AppendError, EventReader, EventWriter, NewRecord, Record};
use schema::{Position, partition_for};
use std::{future::Future, time::Duration};
use tokio::time::timeout;
use uuid::Uuid;

use super::engine::PARTITIONS;

/// Long enough for a busy machine; a case that runs into it has failed.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("not in time")
}

pub fn record(key: &str, value: impl Into<Vec<u8>>) -> NewRecord {
    NewRecord { key: key.into(), event_id: Uuid::now_v7(), schema_version: 1, value: value.into() }
}

/// A key that is placed on the partition.
pub fn key_on(partition: u16) -> String {
    (0..1_000).map(|i| format!("key-{i}")).find(|key| partition_for(key.as_bytes(), PARTITIONS) == partition).unwrap()
}

/// Appends one record, which has to succeed.
pub async fn append(writer: &dyn EventWriter, key: &str, value: impl Into<Vec<u8>>) -> Position {
    all(writer.append(vec![record(key, value)]).await)[0]
}

/// The positions, where nothing has failed.
pub fn all(outcomes: Vec<Result<Position, AppendError>>) -> Vec<Position> {
    outcomes.into_iter().collect::<Result<_, _>>().unwrap()
}

/// Reads a partition from an offset on until that many records have come.
pub async fn read(reader: &dyn EventReader, partition: u16, from: i64, count: usize) -> Vec<Record> {
    let mut lane = in_time(reader.open(partition, from)).await.unwrap();
    let mut records = Vec::new();
    while records.len() < count {
        records.extend(in_time(lane.next(10_000, 64 << 20)).await.unwrap());
    }
    records
}

/// Everything that all partitions hold, which is that many records.
pub async fn read_all(reader: &dyn EventReader, count: usize) -> Vec<Record> {
    let mut records = Vec::new();
    for partition in 0..reader.partitions() {
        let marks = reader.watermarks(partition).await.unwrap();
        let held = usize::try_from(marks.high - marks.low).unwrap();
        records.extend(read(reader, partition, marks.low, held).await);
    }
    assert_eq!(records.len(), count);
    records
}
