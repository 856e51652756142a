use super::{
    lookup::{self, Row},
    queue::Heads,
    readers,
};
use crate::{PartitionReader, ReadError, Record};
use async_trait::async_trait;
use futures::TryStreamExt;
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

/// Rows of one query at most.
const STEP: usize = 1_000;

/// A step that has taken so long gives what it has: on a slow line a full one would take minutes, and all of it would
/// be read again if it were cancelled.
const STEP_TIME: Duration = Duration::from_secs(1);

/// How often to look when no appender of this process says that there is something.
const POLL: Duration = Duration::from_secs(1);

/// Steps through one partition by its key.
pub(super) struct PostgresPartitionReader {
    pool: PgPool,
    partition: u16,
    /// The next offset to be given; moves only when records are given, so a cancelled call loses nothing.
    next: i64,
    /// Rows to ask for: fewer after rows that were too large to take all of them.
    step: usize,
    head: watch::Receiver<i64>,
    /// Keeps the sender of `head`.
    _heads: Arc<Heads>,
    closed: CancellationToken,
}

impl PostgresPartitionReader {
    pub fn new(pool: PgPool, partition: u16, from: i64, heads: Arc<Heads>, closed: CancellationToken) -> Self {
        Self { pool, partition, next: from, step: STEP, head: heads.watch(partition), _heads: heads, closed }
    }

    async fn step(&mut self, max_records: usize, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let mut records = Vec::new();
        let mut bytes = 0;
        let mut from = self.next;
        let ends = Instant::now() + STEP_TIME;
        while records.len() < max_records && Instant::now() < ends {
            let limit = self.step.min(max_records - records.len());
            let taken = self.rows(from, limit, max_bytes, ends, &mut bytes, &mut records).await?;
            if records.get(records.len() - taken).is_some_and(|first| first.position.offset > from) {
                self.check_gap(from).await?;
            }
            from = records.last().map_or(from, |record| record.position.offset + 1);
            if taken < limit {
                break;
            }
            self.step = (self.step * 2).min(STEP);
        }
        Ok(records)
    }

    /// Adds rows until there are `limit`, the bytes are enough or the time is over; how many were added.
    async fn rows(
        &mut self,
        from: i64,
        limit: usize,
        max_bytes: usize,
        ends: Instant,
        bytes: &mut usize,
        records: &mut Vec<Record>,
    ) -> Result<usize, ReadError> {
        let mut connection = self.pool.acquire().await?;
        let mut rows = sqlx::query_as::<_, Row>(
            r#"SELECT "offset", appended_at, schema_version, key, value FROM record
                WHERE partition = $1 AND "offset" >= $2 ORDER BY "offset" LIMIT $3"#,
        )
        .bind(i32::from(self.partition))
        .bind(from)
        .bind(i64::try_from(limit).expect("a step has at most 1,000 rows"))
        .fetch(&mut *connection);
        let mut taken = 0;
        let left_over = loop {
            match readers::row(rows.try_next()).await {
                Ok(Some(row)) => {
                    let size = row.4.len();
                    if *bytes + size > max_bytes && !records.is_empty() {
                        break Ok(true);
                    }
                    *bytes += size;
                    records.push(lookup::record(self.partition, row));
                    taken += 1;
                    if taken < limit && Instant::now() >= ends {
                        break Ok(true);
                    }
                }
                Ok(None) => break Ok(false),
                Err(error) => break Err(error),
            }
        };
        drop(rows);
        match left_over {
            Ok(false) => {}
            Ok(true) => {
                // What PostgreSQL still sends can be large: rather a new connection than reading it only to drop it.
                connection.close_on_drop();
                self.step = taken.max(1);
            }
            Err(error) => {
                // It may say nothing for ever.
                connection.close_on_drop();
                return Err(error.into());
            }
        }
        Ok(taken)
    }

    /// Offsets are dense here except where records were deleted: retention has passed this reader.
    async fn check_gap(&self, next: i64) -> Result<(), ReadError> {
        let low = lookup::watermarks(&self.pool, self.partition).await?.low;
        if low > next {
            let partition = self.partition;
            return Err(ReadError::Fatal(format!(
                "offset {next} of partition {partition} was deleted before it was read: the log begins at {low}"
            )));
        }
        Ok(())
    }
}

#[async_trait]
impl PartitionReader for PostgresPartitionReader {
    async fn next(&mut self, max_records: usize, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let closed = self.closed.clone();
        let read = async {
            loop {
                let head = *self.head.borrow();
                let records = self.step(max_records.max(1), max_bytes).await?;
                if let Some(last) = records.last() {
                    self.next = last.position.offset + 1;
                    return Ok(records);
                }
                // A commit that comes after the query has moved the head beyond what was read before it.
                let wanted = head.max(self.next) + 1;
                if !matches!(timeout(POLL, self.head.wait_for(|head| *head >= wanted)).await, Ok(Ok(_))) {
                    self.check_gap(self.next).await?;
                }
            }
        };
        tokio::select! {
            biased;
            () = closed.cancelled() => Err(ReadError::Revoked),
            read = read => read,
        }
    }
}
