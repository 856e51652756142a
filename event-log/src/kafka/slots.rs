//! The partitions of a reader: whose they are, and where each one stands.

use super::{lane::Lane, rebalance::Rebalancing};
use crate::ReadError;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use std::{sync::Arc, time::Duration};

/// How long the client's own threads may take to note a new place to read from.
const SEEK_TIMEOUT: Duration = Duration::from_secs(2);

/// One partition.
#[derive(Default)]
pub(super) struct Slot {
    /// The group has given it to this reader.
    pub owned: bool,
    /// The client fetches it, or has fetched it and is paused. Only what was opened is ever assigned: so nothing is
    /// fetched from a place that nobody asked for.
    pub assigned: bool,
    /// The next offset to give.
    pub next: i64,
    /// Where its records go while it is open.
    pub lane: Option<Arc<Lane>>,
}

/// All partitions, by number.
pub(super) struct Slots {
    topic: String,
    slots: Vec<Slot>,
}

impl Slots {
    pub fn new(topic: String, partitions: u16, owned: bool) -> Self {
        Self { topic, slots: (0..partitions).map(|_| Slot { owned, ..Slot::default() }).collect() }
    }

    pub fn get(&mut self, partition: u16) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(partition))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u16, &mut Slot)> {
        (0..).zip(self.slots.iter_mut())
    }

    /// A list with these partitions at their next offsets.
    pub fn list(&self, partitions: impl IntoIterator<Item = u16>) -> Result<TopicPartitionList, KafkaError> {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            let next = self.slots[usize::from(partition)].next;
            list.add_partition_offset(&self.topic, i32::from(partition), Offset::Offset(next))?;
        }
        Ok(list)
    }

    /// Starts to fetch a partition from its next offset, whether or not it was fetched before.
    pub fn start(&mut self, consumer: &BaseConsumer<Rebalancing>, partition: u16) -> Result<(), KafkaError> {
        let list = self.list([partition])?;
        if self.slots[usize::from(partition)].assigned {
            let sought = consumer.seek_partitions(self.list([partition])?, SEEK_TIMEOUT)?;
            if sought.elements().iter().all(|element| element.error().is_ok()) {
                return consumer.resume(&list);
            }
            // Its fetcher has ended, as it does at an offset that is out of range.
            consumer.incremental_unassign(&list)?;
            self.slots[usize::from(partition)].assigned = false;
        }
        consumer.incremental_assign(&list)?;
        self.slots[usize::from(partition)].assigned = true;
        // A pause of an earlier time would outlive the assignment.
        consumer.resume(&list)
    }

    /// Gives partitions back to the group. Those that were never opened are not known to the client.
    pub fn give_back(&mut self, consumer: &BaseConsumer<Rebalancing>, partitions: &[u16]) -> Result<(), KafkaError> {
        let assigned = partitions.iter().copied().filter(|partition| self.slots[usize::from(*partition)].assigned);
        let list = self.list(assigned)?;
        for partition in partitions {
            self.slots[usize::from(*partition)].assigned = false;
        }
        consumer.incremental_unassign(&list)
    }

    /// Ends all open partitions.
    pub fn end_all(&mut self, reason: &ReadError) {
        for slot in &mut self.slots {
            if let Some(lane) = slot.lane.take() {
                lane.end(reason.clone());
            }
        }
    }
}
