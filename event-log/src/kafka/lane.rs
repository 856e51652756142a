//! What lies between the poll thread and the reader of one partition: a bounded queue.

use crate::{ReadError, Record};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Records that a lane holds at most: four batches of the projector.
pub(super) const MAX_RECORDS: usize = 20_000;

/// Bytes that a lane holds at most, and one record more. A reader of all 12 partitions of a default topic that
/// nobody takes records from thus holds 12 × 8 MiB and what librdkafka has fetched beside (16 MiB at most).
pub(super) const MAX_BYTES: usize = 8 * 1024 * 1024;

/// What a record takes beside its key and value.
const OVERHEAD: usize = size_of::<Record>();

#[derive(Default)]
struct State {
    records: VecDeque<Record>,
    bytes: usize,
    /// Full: its partition is paused until the lane is half empty.
    paused: bool,
    ended: Option<ReadError>,
}

/// The bounded queue of one opened partition.
#[derive(Default)]
pub(super) struct Lane {
    state: Mutex<State>,
    changed: Notify,
}

impl Lane {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a record; `true` when the lane is full and its partition has to be paused.
    pub fn push(&self, record: Record) -> bool {
        let mut state = self.state();
        if state.ended.is_some() {
            return false;
        }
        state.bytes += size(&record);
        state.records.push_back(record);
        let was_empty = state.records.len() == 1;
        let full = state.records.len() >= MAX_RECORDS || state.bytes >= MAX_BYTES;
        let pause = full && !std::mem::replace(&mut state.paused, full);
        drop(state);
        if was_empty {
            self.changed.notify_one();
        }
        pause
    }

    /// No more records come; those that wait are dropped. The first reason stays.
    pub fn end(&self, reason: ReadError) {
        let mut state = self.state();
        state.ended.get_or_insert(reason);
        state.records = VecDeque::new();
        drop(state);
        self.changed.notify_one();
    }

    /// Takes what waits, waiting for the first record. The flag says that the partition may go on.
    pub async fn take(&self, max_records: usize, max_bytes: usize) -> Result<(Vec<Record>, bool), ReadError> {
        loop {
            {
                let mut state = self.state();
                if let Some(reason) = &state.ended {
                    return Err(reason.clone());
                }
                if !state.records.is_empty() {
                    return Ok(state.take(max_records, max_bytes));
                }
            }
            self.changed.notified().await;
        }
    }
}

impl State {
    fn take(&mut self, max_records: usize, max_bytes: usize) -> (Vec<Record>, bool) {
        let mut bytes = 0;
        let fits = |record: &&Record| {
            bytes += record.value.len();
            bytes <= max_bytes
        };
        let count = self.records.iter().take(max_records).take_while(fits).count().max(1);
        let taken: Vec<Record> = self.records.drain(..count).collect();
        self.bytes -= taken.iter().map(size).sum::<usize>();
        let half_empty = self.records.len() <= MAX_RECORDS / 2 && self.bytes <= MAX_BYTES / 2;
        let resume = half_empty && std::mem::take(&mut self.paused);
        (taken, resume)
    }
}

fn size(record: &Record) -> usize {
    OVERHEAD + record.value.len() + record.key.as_ref().map_or(0, Vec::len)
}
