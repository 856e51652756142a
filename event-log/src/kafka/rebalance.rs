use super::client;
use rdkafka::{
    ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::{KafkaError, KafkaResult},
    types::RDKafkaRespErr,
};
use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// What the group has decided about this reader.
#[derive(Debug)]
pub(super) enum Decision {
    Assign(Vec<u16>),
    Revoke(Vec<u16>),
}

/// Turns the callbacks of a consumer into messages. They come in [`BaseConsumer::poll`] only, on the poll thread,
/// which answers each one with an (un)assignment when its turn has come.
#[derive(Default)]
pub(super) struct Rebalancing {
    decisions: Mutex<VecDeque<Decision>>,
    closing: AtomicBool,
}

impl Rebalancing {
    pub fn next(&self) -> Option<Decision> {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// From now on partitions go back at once.
    pub fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }
}

impl ClientContext for Rebalancing {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        client::log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka consumer");
    }
}

impl ConsumerContext for Rebalancing {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, code: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if self.closing.load(Ordering::Relaxed) {
            if let Err(error) = consumer.unassign() {
                tracing::debug!(%error, "giving partitions back at the end");
            }
            return;
        }
        let partitions = list.elements().iter().filter_map(|element| u16::try_from(element.partition()).ok()).collect();
        let decision = match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Decision::Assign(partitions),
            _ => Decision::Revoke(partitions),
        };
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner).push_back(decision);
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            // A hint for lag tools: nothing depends on it.
            tracing::debug!(%error, "a commit to the group was not taken");
        }
    }
}
