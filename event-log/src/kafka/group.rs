//! The poll thread's answers to the group.

use super::{poll::Poller, rebalance::Decision};
use crate::{Change, ReadError};
use rdkafka::consumer::Consumer;
use std::time::Instant;
use tokio::sync::oneshot;

/// Partitions that the group has taken away and that are being let go.
pub(super) struct Revoking {
    partitions: Vec<u16>,
    done: oneshot::Receiver<()>,
    deadline: Instant,
}

impl Poller {
    /// Takes the next decision of the group.
    pub fn decision(&mut self) -> Option<Revoking> {
        match self.consumer.context().next()? {
            Decision::Assign(partitions) => {
                // An answer without partitions: each is assigned when it is opened, at the offset wanted then.
                let answer = self.slots.list([]).and_then(|nothing| self.consumer.incremental_assign(&nothing));
                if let Err(error) = answer {
                    tracing::warn!(%error, "the group's assignment could not be taken");
                }
                for partition in &partitions {
                    if let Some(slot) = self.slots.get(*partition) {
                        slot.owned = true;
                    }
                }
                if !partitions.is_empty() {
                    // Nobody asks for changes any more when the reader is being dropped.
                    let _ = self.changes.send(Change::Assigned(partitions));
                }
                None
            }
            Decision::Revoke(partitions) => {
                for partition in &partitions {
                    let Some(slot) = self.slots.get(*partition) else { continue };
                    slot.owned = false;
                    if let Some(lane) = slot.lane.take() {
                        lane.end(ReadError::Revoked);
                    }
                }
                let (let_go, done) = oneshot::channel();
                if !partitions.is_empty() {
                    let _ = self.changes.send(Change::Revoked { partitions: partitions.clone(), done: let_go });
                }
                let deadline = Instant::now() + self.patience;
                self.revoke(Revoking { partitions, done, deadline })
            }
        }
    }

    /// Gives partitions back once they were let go or time is up; gives the revocation back otherwise.
    pub fn revoke(&mut self, mut revoking: Revoking) -> Option<Revoking> {
        if matches!(revoking.done.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
            if Instant::now() < revoking.deadline {
                return Some(revoking);
            }
            tracing::warn!(partitions = ?revoking.partitions, "partitions were taken away from workers that did not let go");
        }
        if let Err(error) = self.slots.give_back(&self.consumer, &revoking.partitions) {
            tracing::warn!(%error, "partitions could not be given back to the group");
        }
        None
    }
}
