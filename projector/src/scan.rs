//! Reading a stretch of a partition from its beginning to a known end.

use crate::write::backoff;
use anyhow::bail;
use event_log::{EventReader, OpenError, PartitionReader, ReadError, Record};
use std::time::Duration;

/// How long nothing has to come below the wanted end, twice and with the log answering in between, until that is taken
/// for a gap: offsets are not dense.
const GAP: Duration = Duration::from_secs(10);

/// Records of one partition, up to an offset.
pub struct Scan<'a> {
    reader: &'a dyn EventReader,
    partition: u16,
    next: i64,
    until: i64,
    log: Option<Box<dyn PartitionReader>>,
    /// Nothing came the last time.
    silent: bool,
}

impl<'a> Scan<'a> {
    /// Will read from `from` up to and without `until`.
    pub fn new(reader: &'a dyn EventReader, partition: u16, from: i64, until: i64) -> Self {
        Self { reader, partition, next: from, until, log: None, silent: false }
    }

    /// The next records, none at the end. Waits while the log is away.
    pub async fn next(&mut self, max_records: usize, max_bytes: usize) -> anyhow::Result<Vec<Record>> {
        let mut waits = backoff();
        while self.next < self.until {
            let error = match self.step(max_records, max_bytes).await {
                // nothing and not at the end: another look is due
                Ok(records) if records.is_empty() => continue,
                Ok(records) => return Ok(records),
                Err(OpenError::Read(error @ ReadError::Unavailable(_))) => error,
                Err(error) => bail!("partition {} cannot be read at {}: {error}", self.partition, self.next),
            };
            tracing::warn!(partition = self.partition, %error, "waiting");
            self.log = None;
            tokio::time::sleep(waits.next().unwrap_or(GAP)).await;
        }
        Ok(Vec::new())
    }

    async fn step(&mut self, max_records: usize, max_bytes: usize) -> Result<Vec<Record>, OpenError> {
        if self.log.is_none() {
            self.log = Some(self.reader.open(self.partition, self.next).await?);
        }
        let Some(log) = &mut self.log else { return Ok(Vec::new()) };
        let Ok(records) = tokio::time::timeout(GAP, log.next(max_records, max_bytes)).await else {
            self.log = None;
            // silence may be a broker that is away: one that answers and still has nothing has nothing
            self.reader.watermarks(self.partition).await.map_err(OpenError::Read)?;
            if self.silent {
                self.next = self.until;
            }
            self.silent = true;
            return Ok(Vec::new());
        };
        self.silent = false;
        let mut records = records?;
        records.retain(|record| (self.next..self.until).contains(&record.position.offset));
        self.next = records.last().map_or(self.until, |record| record.position.offset + 1);
        Ok(records)
    }
}
