use super::{lookup, partition_reader::PostgresPartitionReader, queue::Heads};
use crate::{Change, EventReader, LogId, OpenError, PartitionReader, ReadError, Record, Watermarks};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use schema::Position;
use sqlx::PgPool;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio_util::sync::CancellationToken;

/// Reads the table. All partitions belong to every reader: this engine is for one process.
pub(super) struct PostgresReader {
    id: LogId,
    partitions: u16,
    pool: PgPool,
    heads: Arc<Heads>,
    assigned: AtomicBool,
    closed: CancellationToken,
}

impl PostgresReader {
    pub fn new(id: LogId, partitions: u16, pool: PgPool, heads: Arc<Heads>) -> Self {
        Self { id, partitions, pool, heads, assigned: AtomicBool::new(false), closed: CancellationToken::new() }
    }

    fn check(&self, partition: u16) -> Result<(), ReadError> {
        if self.closed.is_cancelled() {
            return Err(ReadError::Revoked);
        }
        if partition >= self.partitions {
            return Err(ReadError::Fatal(format!("the log has no partition {partition}")));
        }
        Ok(())
    }
}

#[async_trait]
impl EventReader for PostgresReader {
    fn log_id(&self) -> &LogId {
        &self.id
    }

    fn partitions(&self) -> u16 {
        self.partitions
    }

    async fn assignment(&self) -> Result<Change, ReadError> {
        if !self.closed.is_cancelled() && !self.assigned.swap(true, Ordering::Relaxed) {
            return Ok(Change::Assigned((0..self.partitions).collect()));
        }
        self.closed.cancelled().await;
        Err(ReadError::Revoked)
    }

    async fn open(&self, partition: u16, from: i64) -> Result<Box<dyn PartitionReader>, OpenError> {
        let Watermarks { low, high } = self.watermarks(partition).await?;
        if !(low..=high).contains(&from) {
            return Err(OpenError::OutOfRange { low, high });
        }
        let heads = Arc::clone(&self.heads);
        let reader = PostgresPartitionReader::new(self.pool.clone(), partition, from, heads, self.closed.clone());
        Ok(Box::new(reader))
    }

    async fn watermarks(&self, partition: u16) -> Result<Watermarks, ReadError> {
        self.check(partition)?;
        Ok(lookup::watermarks(&self.pool, partition).await?)
    }

    async fn offset_at(&self, partition: u16, time: DateTime<Utc>) -> Result<i64, ReadError> {
        self.check(partition)?;
        Ok(lookup::offset_at(&self.pool, partition, time).await?)
    }

    async fn record_from(&self, position: Position) -> Result<Option<Record>, ReadError> {
        self.check(position.partition)?;
        Ok(lookup::record_from(&self.pool, position).await?)
    }

    async fn report(&self, _: &[Position]) {
        // The projector's table says how far it is; this log has no tools of its own that would want to know.
    }

    async fn close(&self) {
        self.closed.cancel();
    }
}
