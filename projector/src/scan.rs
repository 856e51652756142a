//! Reading a stretch of a partition from its beginning to a known end.

use crate::write::backoff;
use anyhow::bail;
use event_log::{EventReader, OpenError, PartitionReader, ReadError, Record};
use schema::Position;
use std::time::Duration;

/// How long nothing has to come below the wanted end until the log is asked whether there is anything: offsets are not
/// dense.
const SILENCE: Duration = Duration::from_secs(10);

/// Records of one partition, up to an offset.
pub struct Scan<'a> {
    reader: &'a dyn EventReader,
    partition: u16,
    next: i64,
    until: i64,
    log: Option<Box<dyn PartitionReader>>,
    silence: Duration,
}

impl<'a> Scan<'a> {
    /// Will read from `from` up to and without `until`.
    pub fn new(reader: &'a dyn EventReader, partition: u16, from: i64, until: i64) -> Self {
        Self { reader, partition, next: from, until, log: None, silence: SILENCE }
    }

    /// The next records, none at the end. Waits while the log is away or slow: only the log's own word that there are
    /// no more makes an end before `until`.
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
            tokio::time::sleep(waits.next().unwrap_or(SILENCE)).await;
        }
        Ok(Vec::new())
    }

    async fn step(&mut self, max_records: usize, max_bytes: usize) -> Result<Vec<Record>, OpenError> {
        if self.log.is_none() {
            self.log = Some(self.reader.open(self.partition, self.next).await?);
        }
        let Some(log) = &mut self.log else { return Ok(Vec::new()) };
        let at = Position::new(self.partition, self.next);
        let read = tokio::select! {
            biased;
            // never given up for being slow: what it has read already would be read again, and again
            records = log.next(max_records, max_bytes) => Some(records?),
            gap = gap(self.reader, at, self.until, self.silence) => {
                gap?;
                None
            }
        };
        let mut records = read.unwrap_or_default();
        records.retain(|record| (self.next..self.until).contains(&record.position.offset));
        self.next = records.last().map_or(self.until, |record| record.position.offset + 1);
        Ok(records)
    }
}

/// Ends when the log says that it has nothing from the position up to `until`; asks after each `silence`.
async fn gap(reader: &dyn EventReader, from: Position, until: i64, silence: Duration) -> Result<(), ReadError> {
    loop {
        tokio::time::sleep(silence).await;
        match reader.record_from(from).await {
            Ok(None) => return Ok(()),
            Ok(Some(record)) if record.position.offset >= until => return Ok(()),
            Ok(Some(_)) => tracing::warn!(at = %from, "the log is slow"),
            // whoever reads will be told, or will get through
            Err(ReadError::Unavailable(reason)) => tracing::warn!(at = %from, reason, "the log does not answer"),
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use chrono::{DateTime, Utc};
    use event_log::{Change, LogId, Watermarks};
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How a log answers.
    #[derive(Clone, Copy)]
    struct Log {
        /// The offsets that it has.
        offsets: &'static [i64],
        /// What it takes to read.
        takes: Duration,
        /// Questions about a single record that it does not answer, before it does.
        unanswered: usize,
    }

    struct Reader {
        id: LogId,
        log: Log,
        asked: AtomicUsize,
    }

    struct Lane {
        log: Log,
        next: i64,
    }

    fn record(offset: i64) -> Record {
        let position = Position::new(0, offset);
        Record { position, appended_at: DateTime::UNIX_EPOCH, schema_version: None, key: None, value: Vec::new() }
    }

    #[async_trait]
    impl PartitionReader for Lane {
        async fn next(&mut self, max_records: usize, _: usize) -> Result<Vec<Record>, ReadError> {
            let waiting = self.log.offsets.iter().copied().filter(|offset| *offset >= self.next);
            let records: Vec<_> = waiting.take(max_records).map(record).collect();
            let Some(last) = records.last() else { std::future::pending().await };
            tokio::time::sleep(self.log.takes).await;
            self.next = last.position.offset + 1;
            Ok(records)
        }
    }

    #[async_trait]
    impl EventReader for Reader {
        fn log_id(&self) -> &LogId {
            &self.id
        }

        fn partitions(&self) -> u16 {
            1
        }

        async fn assignment(&self) -> Result<Change, ReadError> {
            Err(ReadError::Revoked)
        }

        async fn open(&self, _: u16, from: i64) -> Result<Box<dyn PartitionReader>, OpenError> {
            Ok(Box::new(Lane { log: self.log, next: from }))
        }

        async fn watermarks(&self, _: u16) -> Result<Watermarks, ReadError> {
            Ok(Watermarks { low: 0, high: 100 })
        }

        async fn offset_at(&self, _: u16, _: DateTime<Utc>) -> Result<i64, ReadError> {
            Ok(0)
        }

        async fn record_from(&self, position: Position) -> Result<Option<Record>, ReadError> {
            if self.asked.fetch_add(1, Ordering::Relaxed) < self.log.unanswered {
                return Err(ReadError::Unavailable("slow".into()));
            }
            Ok(self.log.offsets.iter().copied().find(|offset| *offset >= position.offset).map(record))
        }

        async fn report(&self, _: &[Position]) {}

        async fn close(&self) {}
    }

    /// The offsets that a scan up to `until` gives, two at a time.
    async fn scanned(log: Log, until: i64) -> Vec<i64> {
        let reader = Reader { id: LogId("log".into()), log, asked: AtomicUsize::default() };
        let mut scan = Scan { silence: Duration::from_millis(1), ..Scan::new(&reader, 0, 0, until) };
        let mut offsets = Vec::new();
        loop {
            let records = scan.next(2, 1_000).await.unwrap();
            if records.is_empty() {
                return offsets;
            }
            offsets.extend(records.into_iter().map(|record| record.position.offset));
        }
    }

    #[tokio::test]
    async fn a_slow_log_is_read_to_its_end() {
        for unanswered in [0, usize::MAX] {
            let log = Log { offsets: &[0, 1, 2, 3, 4, 5, 6], takes: Duration::from_millis(100), unanswered };
            assert_eq!(scanned(log, 6).await, [0, 1, 2, 3, 4, 5]);
        }
    }

    #[tokio::test]
    async fn what_the_log_says_it_does_not_have_is_passed_over() {
        for (offsets, until, expected) in
            [(&[0, 1, 4][..], 4, &[0, 1][..]), (&[0, 1, 4], 5, &[0, 1, 4]), (&[0, 1, 4], 9, &[0, 1, 4]), (&[], 9, &[])]
        {
            let log = Log { offsets, takes: Duration::ZERO, unanswered: 3 };
            assert_eq!(scanned(log, until).await, expected, "{offsets:?} {until}");
        }
    }
}
