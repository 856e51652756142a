//! The one thread that polls a consumer. Everything that touches the consumer happens here, in messages.

use super::{client::CALL_TIMEOUT, group::Revoking, lane::Lane, lookup::record, rebalance::Rebalancing, slots::Slots};
use crate::{Change, ReadError};
use rdkafka::{
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::KafkaError,
    message::{BorrowedMessage, Message},
    types::RDKafkaErrorCode as Code,
};
use schema::Position;
use std::{
    sync::{
        Arc, OnceLock,
        mpsc::{Receiver, TryRecvError},
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};
use tokio::sync::{mpsc::UnboundedSender, oneshot};

/// The longest sleep without a look at the client: its log lines and the group's decisions do not always wake us.
const IDLE: Duration = Duration::from_millis(20);

/// How often to look whether revoked partitions were let go.
const REVOKING: Duration = Duration::from_millis(2);

/// Messages between two looks at the commands.
const BURST: usize = 256;

/// What the poll thread is asked to do.
pub(super) enum Command {
    Open { partition: u16, from: i64, lane: Arc<Lane>, reply: oneshot::Sender<Result<(), ReadError>> },
    Resume { partition: u16, lane: Arc<Lane> },
    Dropped { partition: u16, lane: Arc<Lane> },
    Report(Vec<Position>),
    Close(oneshot::Sender<()>),
}

/// Wakes the poll thread: for commands, and for messages that have come.
#[derive(Clone, Default)]
pub(super) struct Wake(Arc<OnceLock<Thread>>);

impl Wake {
    pub fn wake(&self) {
        if let Some(thread) = self.0.get() {
            thread.unpark();
        }
    }
}

/// The state of the poll thread.
pub(super) struct Poller {
    pub consumer: BaseConsumer<Rebalancing>,
    pub topic: String,
    pub slots: Slots,
    pub commands: Receiver<Command>,
    pub changes: UnboundedSender<Change>,
    /// How long a revocation waits for `done`.
    pub patience: Duration,
    pub in_group: bool,
    pub wake: Wake,
    /// A fetcher has ended at an offset that is out of range: when to look which.
    pub suspect_at: Option<Instant>,
}

impl Poller {
    pub fn run(mut self) {
        // Nobody else sets it.
        let _ = self.wake.0.set(thread::current());
        let mut revoking: Option<Revoking> = None;
        let closed = loop {
            match self.commands(revoking.is_some()) {
                Ok(()) => {}
                Err(closed) => break closed,
            }
            let busy = self.messages();
            revoking = match revoking {
                Some(revoking) => self.revoke(revoking),
                None => self.decision(),
            };
            if self.suspect_at.is_some_and(|at| at <= Instant::now()) {
                self.look_for_ended_fetchers();
            }
            if !busy {
                thread::park_timeout(if revoking.is_some() { REVOKING } else { IDLE });
            }
        };
        self.slots.end_all(&ReadError::Revoked);
        self.consumer.context().close();
        drop(self.changes);
        // Leaves the group; the callbacks of that give everything back at once.
        drop(self.consumer);
        if let Some(closed) = closed {
            let _ = closed.send(());
        }
    }

    /// Does what was asked for; `Err` ends the thread.
    fn commands(&mut self, revoking: bool) -> Result<(), Option<oneshot::Sender<()>>> {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Open { partition, from, lane, reply }) => {
                    let opened = self.open(partition, from, lane, revoking);
                    // The caller may be gone: its lane was dropped then, and says so in a command of its own.
                    let _ = reply.send(opened);
                }
                Ok(Command::Resume { partition, lane }) => {
                    if self.is_open(partition, &lane) {
                        self.set_paused(partition, false);
                    }
                }
                Ok(Command::Dropped { partition, lane }) => {
                    if self.is_open(partition, &lane) {
                        self.set_paused(partition, true);
                        if let Some(slot) = self.slots.get(partition) {
                            slot.lane = None;
                        }
                    }
                }
                Ok(Command::Report(next)) => self.report(&next),
                Ok(Command::Close(closed)) => return Err(Some(closed)),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(None),
            }
        }
    }

    fn is_open(&mut self, partition: u16, lane: &Arc<Lane>) -> bool {
        let open = self.slots.get(partition).and_then(|slot| slot.lane.as_ref());
        open.is_some_and(|open| Arc::ptr_eq(open, lane))
    }

    fn set_paused(&mut self, partition: u16, paused: bool) {
        let change = self
            .slots
            .list([partition])
            .and_then(|list| if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) });
        if let Err(error) = change {
            self.fail(partition, &error);
        }
    }

    fn fail(&mut self, partition: u16, error: &KafkaError) {
        tracing::warn!(partition, %error, "a partition cannot be read on");
        if let Some(lane) = self.slots.get(partition).and_then(|slot| slot.lane.take()) {
            lane.end(ReadError::Unavailable(error.to_string()));
        }
    }

    fn open(&mut self, partition: u16, from: i64, lane: Arc<Lane>, revoking: bool) -> Result<(), ReadError> {
        let slot = self.slots.get(partition).filter(|slot| slot.owned).ok_or(ReadError::Revoked)?;
        if revoking && slot.assigned {
            // Starting it anew may take an unassignment, which would answer the group's question too early.
            return Err(ReadError::Unavailable("the group is dividing the partitions anew".into()));
        }
        if let Some(former) = slot.lane.take() {
            former.end(ReadError::Revoked);
        }
        slot.next = from;
        self.slots.start(&self.consumer, partition)?;
        if let Some(slot) = self.slots.get(partition) {
            slot.lane = Some(lane);
        }
        Ok(())
    }

    fn report(&mut self, next: &[Position]) {
        if !self.in_group {
            return;
        }
        let mut list = rdkafka::TopicPartitionList::new();
        for position in next {
            let owned = self.slots.get(position.partition).is_some_and(|slot| slot.owned);
            let offset = rdkafka::Offset::Offset(position.offset);
            if owned && list.add_partition_offset(&self.topic, i32::from(position.partition), offset).is_err() {
                return;
            }
        }
        if list.count() > 0
            && let Err(error) = self.consumer.commit(&list, CommitMode::Async)
        {
            tracing::debug!(%error, "a commit to the group was not taken");
        }
    }

    /// Moves some messages into their lanes; whether there may be more.
    fn messages(&mut self) -> bool {
        let mut empty = 0;
        for _ in 0..BURST {
            // A log line or a decision of the group also ends a poll with nothing: look twice.
            let full = match self.consumer.poll(Duration::ZERO) {
                Some(Ok(message)) => deliver(&mut self.slots, &message),
                Some(Err(error)) => {
                    self.suspect_at = self.suspect_at.or(trouble(&mut self.slots, &error));
                    None
                }
                None if empty > 0 => return false,
                None => {
                    empty += 1;
                    None
                }
            };
            if let Some(partition) = full {
                self.set_paused(partition, true);
            }
        }
        true
    }

    /// The client does not say which partition it has given up: all open ones are compared with what the log holds.
    fn look_for_ended_fetchers(&mut self) {
        self.suspect_at = None;
        let open: Vec<u16> =
            self.slots.iter_mut().filter(|(_, slot)| slot.lane.is_some()).map(|(partition, _)| partition).collect();
        for partition in open {
            let Ok((low, high)) = self.consumer.fetch_watermarks(&self.topic, i32::from(partition), CALL_TIMEOUT)
            else {
                self.suspect_at = Some(Instant::now() + Duration::from_secs(1));
                return;
            };
            let Some(slot) = self.slots.get(partition) else { continue };
            if (low..=high).contains(&slot.next) {
                if let Err(error) = self.slots.start(&self.consumer, partition) {
                    self.fail(partition, &error);
                }
            } else if let Some(lane) = slot.lane.take() {
                lane.end(ReadError::Fatal(format!(
                    "offset {} of partition {partition} is outside of what the log holds: {low} to {high}",
                    slot.next
                )));
            }
        }
    }
}

/// Puts a message into its lane; the partition if that is full now.
fn deliver(slots: &mut Slots, message: &BorrowedMessage<'_>) -> Option<u16> {
    let partition = u16::try_from(message.partition()).ok()?;
    let slot = slots.get(partition)?;
    // What was fetched before the partition was opened anew.
    if message.offset() < slot.next {
        return None;
    }
    let lane = slot.lane.as_ref()?;
    slot.next = message.offset() + 1;
    lane.push(record(message)).then_some(partition)
}

/// Notes an error of the consumer; a time to look for ended fetchers if it may have ended one.
fn trouble(slots: &mut Slots, error: &KafkaError) -> Option<Instant> {
    if let KafkaError::MessageConsumptionFatal(_) = error {
        tracing::error!(%error, "the Kafka consumer has failed for good");
        slots.end_all(&ReadError::Fatal(error.to_string()));
        return None;
    }
    if let Some(Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation) = error.rdkafka_error_code() {
        return Some(Instant::now());
    }
    // The client goes on by itself when the brokers are back.
    tracing::debug!(%error, "the Kafka consumer has trouble");
    None
}
