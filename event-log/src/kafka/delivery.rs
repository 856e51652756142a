//! The answers of Kafka to one append: one shared countdown instead of a channel for each record.

use super::{client, error::text};
use crate::AppendError;
use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    error::KafkaError,
    message::{DeliveryResult, Message},
    producer::ProducerContext,
    types::RDKafkaErrorCode as Code,
};
use schema::Position;
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Notify, oneshot};

pub(super) type Outcome = Result<Position, AppendError>;

struct Countdown {
    outcomes: Vec<Option<Outcome>>,
    left: usize,
    done: Option<oneshot::Sender<()>>,
}

/// The outcomes of one append, as far as they are known.
pub(super) struct Pending(Mutex<Countdown>);

impl Pending {
    /// For so many records; the receiver hears when all have an outcome.
    pub fn new(records: usize) -> (Arc<Self>, oneshot::Receiver<()>) {
        let (done, all) = oneshot::channel();
        let countdown = Countdown { outcomes: vec![None; records], left: records, done: Some(done) };
        (Arc::new(Self(Mutex::new(countdown))), all)
    }

    pub fn settle(&self, index: usize, outcome: Outcome) {
        let mut countdown = self.countdown();
        countdown.outcomes[index] = Some(outcome);
        countdown.left -= 1;
        if countdown.left == 0
            && let Some(done) = countdown.done.take()
        {
            // Nobody listens any more after the deadline.
            let _ = done.send(());
        }
    }

    /// The outcomes; `missing` for records without one. Later ones are settled into nothing.
    pub fn take(&self, missing: impl Fn() -> Outcome) -> Vec<Outcome> {
        let mut countdown = self.countdown();
        let empty = vec![None; countdown.outcomes.len() * usize::from(countdown.left > 0)];
        let outcomes = mem::replace(&mut countdown.outcomes, empty);
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(&missing)).collect()
    }

    fn countdown(&self) -> MutexGuard<'_, Countdown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Travels with a message through librdkafka.
pub(super) struct Ticket {
    pub pending: Arc<Pending>,
    pub index: usize,
}

/// Takes the answers and the news about the brokers.
pub(super) struct Deliveries {
    /// Told when the client has lost all brokers or has failed for good.
    pub trouble: Arc<Notify>,
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka producer");
        if matches!(error.rdkafka_error_code(), Some(Code::AllBrokersDown | Code::Fatal)) {
            self.trouble.notify_one();
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        let outcome = match result {
            Ok(message) => Ok(Position {
                partition: u16::try_from(message.partition()).expect("the message went to a partition of ours"),
                offset: message.offset(),
            }),
            Err((error, _)) => Err(append_error(error)),
        };
        ticket.pending.settle(ticket.index, outcome);
    }
}

/// What a failed delivery means for the record.
///
/// The client does not tell whether a message that timed out was ever sent (librdkafka knows, the binding does not
/// show it), so it may have been stored. Records are answered `Overloaded` where it is certain that they were not:
/// they never got into the queue, or the brokers have refused them before writing.
pub(super) fn append_error(error: &KafkaError) -> AppendError {
    match error.rdkafka_error_code() {
        Some(Code::MessageSizeTooLarge) => AppendError::TooLarge,
        Some(Code::QueueFull) => AppendError::Overloaded("too many records wait already".into()),
        Some(Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed) => AppendError::Overloaded(text(error)),
        _ => AppendError::Unknown(text(error)),
    }
}

/// Whether the client is of no more use.
pub(super) fn is_fatal(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(Code::Fatal)
}
