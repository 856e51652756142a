//! What waits to be written, between the callers and the appender.

use super::tables::Head;
use crate::{AppendError, NewRecord};
use schema::Position;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    vec,
};
use tokio::sync::{Notify, oneshot, watch};

pub(super) type Outcomes = Vec<Result<Position, AppendError>>;

/// One append: what is left of its records, and what is known of the others.
pub(super) struct Call {
    id: u64,
    pub records: vec::IntoIter<NewRecord>,
    /// Bytes of the records when they were queued.
    bytes: usize,
    outcomes: Outcomes,
    reply: oneshot::Sender<Outcomes>,
}

impl Call {
    /// Gives the outcome of the next `count` records, and answers the caller when these were the last ones; gives
    /// the call back when it is not finished.
    pub fn settle(mut self, outcomes: impl IntoIterator<Item = Result<Position, AppendError>>) -> Option<Self> {
        self.outcomes.extend(outcomes);
        if self.records.len() > 0 {
            return Some(self);
        }
        // The caller may have given up; then nobody wants the answer.
        let _ = self.reply.send(self.outcomes);
        None
    }

    /// Answers the caller with one error for all records that have no outcome yet.
    pub fn fail(mut self, taken: usize, error: &AppendError) {
        let rest = taken + self.records.len();
        self.outcomes.extend(std::iter::repeat_n(Err(error.clone()), rest));
        let _ = self.reply.send(self.outcomes);
    }
}

/// The bytes of a record that count against the bounds.
pub(super) fn size(record: &NewRecord) -> usize {
    record.key.len() + record.value.len()
}

#[derive(Default)]
struct Waiting {
    calls: VecDeque<Call>,
    records: usize,
    bytes: usize,
    last_id: u64,
    closed: Option<AppendError>,
}

/// The bounded queue before the appender: at most `max_records` records and `max_bytes` bytes of keys and values.
pub(super) struct Queue {
    max_records: usize,
    max_bytes: usize,
    waiting: Mutex<Waiting>,
    arrived: Notify,
}

impl Queue {
    pub fn new(max_records: usize, max_bytes: usize) -> Self {
        Self { max_records, max_bytes, waiting: Mutex::default(), arrived: Notify::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Every change under the lock is complete before anything in it can panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues the records of one append, or says at once why not. An append that is larger than the whole queue is
    /// taken when nothing else waits.
    pub fn push(&self, records: Vec<NewRecord>) -> Result<(u64, oneshot::Receiver<Outcomes>), AppendError> {
        let (count, bytes) = (records.len(), records.iter().map(size).sum::<usize>());
        let mut waiting = self.waiting();
        if let Some(error) = &waiting.closed {
            return Err(error.clone());
        }
        let fits = waiting.records + count <= self.max_records && waiting.bytes + bytes <= self.max_bytes;
        if !fits && waiting.records > 0 {
            return Err(AppendError::Overloaded("too many records wait already".into()));
        }
        let (reply, answer) = oneshot::channel();
        waiting.last_id += 1;
        let id = waiting.last_id;
        let outcomes = Vec::with_capacity(count);
        waiting.calls.push_back(Call { id, records: records.into_iter(), bytes, outcomes, reply });
        waiting.records += count;
        waiting.bytes += bytes;
        drop(waiting);
        self.arrived.notify_one();
        Ok((id, answer))
    }

    /// The oldest call. Its bounds are free from now on: the appender holds one batch beside the queue.
    pub fn pop(&self) -> Option<Call> {
        let mut waiting = self.waiting();
        let call = waiting.calls.pop_front()?;
        waiting.forget(&call);
        Some(call)
    }

    /// Takes a call out that has waited for too long; `false` when the appender has it already.
    pub fn withdraw(&self, id: u64) -> bool {
        let mut waiting = self.waiting();
        let Ok(at) = waiting.calls.binary_search_by_key(&id, |call| call.id) else { return false };
        let Some(call) = waiting.calls.remove(at) else { return false };
        waiting.forget(&call);
        true
    }

    /// Refuses what comes from now on. The first reason stays.
    pub fn close(&self, reason: AppendError) {
        self.waiting().closed.get_or_insert(reason);
        self.arrived.notify_one();
    }

    pub fn closed(&self) -> Option<AppendError> {
        self.waiting().closed.clone()
    }

    /// Waits until there is something to do: a call or the end.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }
}

impl Waiting {
    fn forget(&mut self, call: &Call) {
        self.records -= call.records.len();
        self.bytes -= call.bytes;
    }
}

/// Where the partitions end, for the readers in this process: they are woken by a commit.
pub(super) struct Heads(Vec<watch::Sender<i64>>);

impl Heads {
    pub fn at(heads: &[Head]) -> Self {
        Self(heads.iter().map(|head| watch::Sender::new(head.next)).collect())
    }

    /// For a process that does not append: its readers only poll.
    pub fn unknown(partitions: u16) -> Self {
        Self((0..partitions).map(|_| watch::Sender::new(0)).collect())
    }

    pub fn watch(&self, partition: u16) -> watch::Receiver<i64> {
        self.0[usize::from(partition)].subscribe()
    }

    pub fn moved(&self, partition: usize, next: i64) {
        self.0[partition].send_replace(next);
    }
}
