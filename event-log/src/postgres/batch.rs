//! One transaction: the columns of its rows and the calls that wait for it.

use super::{
    PostgresLogSettings,
    queue::{Call, Queue, size},
    tables::Head,
};
use crate::{AppendError, NewRecord};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use schema::{Position, partition_for};
use sqlx::PgConnection;
use uuid::Uuid;

/// Records on their way into the table, with the offsets that they get if nobody else writes.
pub(super) struct Batch {
    partitions: Vec<i32>,
    offsets: Vec<i64>,
    appended_at: Vec<DateTime<Utc>>,
    event_ids: Vec<Uuid>,
    schema_versions: Vec<i32>,
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    bytes: usize,
    /// The calls and how many records of each are in here. Only the last one can have more records to come.
    calls: Vec<(Call, usize)>,
    /// Where the partitions end once this is stored.
    pub after: Vec<Head>,
}

impl Batch {
    /// Takes what waits, the rest of an unfinished call first; `None` when nothing does.
    pub fn gather(
        queue: &Queue,
        unfinished: Option<Call>,
        heads: &[Head],
        now: DateTime<Utc>,
        settings: &PostgresLogSettings,
    ) -> Option<Self> {
        let mut next = unfinished.or_else(|| queue.pop())?;
        let mut batch = Self::new(heads, next.records.len().min(settings.batch_records));
        // The table keeps microseconds.
        let now = now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now);
        loop {
            let mut taken = 0;
            while let Some(record) = next.records.as_slice().first() {
                let full = batch.values.len() >= settings.batch_records
                    || (batch.bytes + size(record) > settings.batch_bytes && !batch.values.is_empty());
                if full {
                    batch.calls.push((next, taken));
                    return Some(batch);
                }
                batch.push(next.records.next().expect("the first record was there"), now);
                taken += 1;
            }
            batch.calls.push((next, taken));
            match queue.pop() {
                Some(call) => next = call,
                None => return Some(batch),
            }
        }
    }

    fn new(heads: &[Head], capacity: usize) -> Self {
        Self {
            partitions: Vec::with_capacity(capacity),
            offsets: Vec::with_capacity(capacity),
            appended_at: Vec::with_capacity(capacity),
            event_ids: Vec::with_capacity(capacity),
            schema_versions: Vec::with_capacity(capacity),
            keys: Vec::with_capacity(capacity),
            values: Vec::with_capacity(capacity),
            bytes: 0,
            calls: Vec::new(),
            after: heads.to_vec(),
        }
    }

    fn push(&mut self, record: NewRecord, now: DateTime<Utc>) {
        let partitions = u16::try_from(self.after.len()).expect("a log has at most 8,192 partitions");
        let partition = partition_for(&record.key, partitions);
        let head = &mut self.after[usize::from(partition)];
        head.last_at = head.last_at.max(now);
        self.partitions.push(i32::from(partition));
        self.offsets.push(head.next);
        self.appended_at.push(head.last_at);
        head.next += 1;
        self.bytes += size(&record);
        self.event_ids.push(record.event_id);
        self.schema_versions.push(record.schema_version.cast_signed());
        self.keys.push(record.key);
        self.values.push(record.value);
    }

    pub fn records(&self) -> usize {
        self.values.len()
    }

    /// Writes all rows in one statement, which is one transaction.
    pub async fn insert(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            r#"INSERT INTO record (partition, "offset", appended_at, event_id, schema_version, key, value)
               SELECT * FROM UNNEST($1::int4[], $2::int8[], $3::timestamptz[], $4::uuid[], $5::int4[], $6::bytea[],
                                    $7::bytea[])"#,
        )
        .bind(&self.partitions)
        .bind(&self.offsets)
        .bind(&self.appended_at)
        .bind(&self.event_ids)
        .bind(&self.schema_versions)
        .bind(&self.keys)
        .bind(&self.values)
        .execute(connection)
        .await
        .map(drop)
    }

    /// The last record of every partition that is touched: partition, offset, event.
    pub fn last_of_partitions(&self) -> impl Iterator<Item = (i32, i64, Uuid)> {
        let rows = self.partitions.iter().zip(&self.offsets).zip(&self.event_ids);
        rows.map(|((partition, offset), event_id)| (*partition, *offset, *event_id)).filter(|(partition, offset, _)| {
            let at = usize::try_from(*partition).expect("a partition is not negative");
            self.after[at].next == offset + 1
        })
    }

    /// Answers the callers with positions; gives back the last call if it has more records.
    pub fn stored(self) -> Option<Call> {
        let mut positions = self.partitions.into_iter().zip(self.offsets).map(|(partition, offset)| {
            let partition = u16::try_from(partition).expect("it was made from a u16");
            Ok(Position { partition, offset })
        });
        let mut unfinished = None;
        for (call, count) in self.calls {
            unfinished = call.settle(positions.by_ref().take(count));
        }
        unfinished
    }

    /// Answers the callers with an error. Records of an unfinished call that are not in here fail too: they would
    /// overtake those that are.
    pub fn failed(self, error: &AppendError) {
        for (call, count) in self.calls {
            call.fail(count, error);
        }
    }
}
