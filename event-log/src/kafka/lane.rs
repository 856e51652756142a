//! What lies between the poll thread and the reader of one partition: a bounded queue.

use crate::{ReadError, Record};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::Notify;

/// Records that a lane holds at most: four batches of the projector.
pub(super) const MAX_RECORDS: usize = 20_000;

/// Bytes that a lane holds at most, and one record more.
pub(super) const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Bytes that all lanes of a reader hold at most, however many partitions it has, and one record more for each of
/// them. The 12 partitions of a default topic never come that far. librdkafka has fetched 16 MiB at most beside.
pub(super) const MAX_BYTES_TOGETHER: usize = 128 * 1024 * 1024;

/// What all lanes of a reader hold.
#[derive(Default)]
pub(super) struct Held(AtomicUsize);

impl Held {
    fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn remove(&self, bytes: usize) {
        self.0.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn is_full(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= MAX_BYTES_TOGETHER
    }
}

/// What a record takes beside its key and value.
const OVERHEAD: usize = size_of::<Record>();

#[derive(Default)]
struct State {
    records: VecDeque<Record>,
    bytes: usize,
    /// Full, or there was no room for all lanes together: its partition is paused until the lane is half empty. One
    /// that has nothing is never paused, so each partition comes further, if only by a record at a time.
    paused: bool,
    ended: Option<ReadError>,
}

/// The bounded queue of one opened partition.
pub(super) struct Lane {
    state: Mutex<State>,
    changed: Notify,
    held: Arc<Held>,
}

impl Lane {
    /// One of those that share their room.
    pub fn new(held: Arc<Held>) -> Self {
        Self { state: Mutex::default(), changed: Notify::default(), held }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a record; `true` when the lane is full and its partition has to be paused.
    pub fn push(&self, record: Record) -> bool {
        let mut state = self.state();
        if state.ended.is_some() {
            return false;
        }
        let size = size(&record);
        state.bytes += size;
        self.held.add(size);
        state.records.push_back(record);
        let was_empty = state.records.len() == 1;
        let full = state.records.len() >= MAX_RECORDS || state.bytes >= MAX_BYTES || self.held.is_full();
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
        self.held.remove(std::mem::take(&mut state.bytes));
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
                    let before = state.bytes;
                    let taken = state.take(max_records, max_bytes);
                    self.held.remove(before - state.bytes);
                    return Ok(taken);
                }
            }
            self.changed.notified().await;
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.held.remove(self.state().bytes);
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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use schema::Position;

    fn record(offset: i64, bytes: usize) -> Record {
        let position = Position::new(0, offset);
        Record { position, appended_at: DateTime::UNIX_EPOCH, schema_version: None, key: None, value: vec![0; bytes] }
    }

    fn lanes(count: usize) -> (Vec<Lane>, Arc<Held>) {
        let held = Arc::<Held>::default();
        ((0..count).map(|_| Lane::new(Arc::clone(&held))).collect(), held)
    }

    /// Fills a lane until it wants to be paused; the number of records.
    fn fill(lane: &Lane) -> i64 {
        (1..1_000).find(|offset| lane.push(record(*offset, MAX_BYTES / 8))).unwrap()
    }

    #[tokio::test]
    async fn the_lanes_of_many_partitions_share_their_room_and_each_one_comes_further() {
        let (lanes, held) = lanes(1_000);
        for lane in &lanes[..16] {
            assert_eq!(fill(lane), 8);
        }
        for lane in &lanes[16..] {
            assert!(lane.push(record(0, 100)), "paused with its first record");
        }
        assert!(held.0.load(Ordering::Relaxed) < MAX_BYTES_TOGETHER + MAX_BYTES);
        for lane in &lanes[16..] {
            let (records, resume) = lane.take(10, 1_000).await.unwrap();
            assert_eq!((records.len(), resume), (1, true));
            assert!(lane.push(record(1, 100)), "paused again");
        }
        // whoever takes his records makes room for all
        let (records, resume) = lanes[0].take(100, MAX_BYTES * 2).await.unwrap();
        assert_eq!((records.len(), resume), (8, true));
        let (_, resume) = lanes[999].take(10, 1_000).await.unwrap();
        assert!(resume && !lanes[999].push(record(2, 100)));
    }

    #[tokio::test]
    async fn what_ends_gives_its_room_back() {
        let (lanes, held) = lanes(3);
        for lane in &lanes {
            fill(lane);
        }
        lanes[0].end(ReadError::Revoked);
        assert!(!lanes[0].push(record(0, 1)), "an ended lane takes nothing");
        lanes[1].take(usize::MAX, usize::MAX).await.unwrap();
        assert_eq!(held.0.load(Ordering::Relaxed), 8 * (MAX_BYTES / 8 + OVERHEAD));
        drop(lanes);
        assert_eq!(held.0.load(Ordering::Relaxed), 0);
    }
}
