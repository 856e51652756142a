//! What the projector's readiness says: which partitions stand still, and why.

use service::ops::Component;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Collects the troubles of all parts into one component of the readiness.
#[derive(Clone)]
pub struct Health {
    component: Component,
    troubles: Arc<Mutex<BTreeMap<String, String>>>,
}

/// What is said while PostgreSQL is away.
pub fn postgres_away(error: &impl std::fmt::Display) -> String {
    format!("PostgreSQL is not available: {error}")
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("troubles", &self.troubles).finish_non_exhaustive()
    }
}

impl Health {
    /// Reports to this component.
    pub fn new(component: Component) -> Self {
        Self { component, troubles: Arc::default() }
    }

    /// A part is in trouble, or (`None`) is not any more.
    pub fn set(&self, part: &str, trouble: Option<&str>) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble {
            Some(trouble) => troubles.insert(part.to_owned(), trouble.to_owned()),
            None if troubles.is_empty() => return,
            None => troubles.remove(part),
        };
        if troubles.is_empty() {
            self.component.ready();
        } else {
            let all: Vec<String> = troubles.iter().map(|(part, trouble)| format!("{part}: {trouble}")).collect();
            self.component.not_ready(all.join("; "));
        }
    }

    /// Nothing is known to be wrong.
    pub fn ready(&self) {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.component.ready();
    }

    /// The view of one partition.
    pub fn partition(&self, partition: u16) -> PartitionHealth {
        PartitionHealth { health: self.clone(), name: format!("partition {partition}") }
    }
}

/// The health of one partition.
#[derive(Clone, Debug)]
pub struct PartitionHealth {
    health: Health,
    name: String,
}

impl PartitionHealth {
    /// It goes on.
    pub fn ready(&self) {
        self.health.set(&self.name, None);
    }

    /// It does not go on, for this reason.
    pub fn waiting(&self, reason: &str) {
        self.health.set(&self.name, Some(reason));
    }
}
