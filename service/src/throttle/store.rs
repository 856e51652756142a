//! What is known of each client, in bounded memory: the state store behind `governor`'s arithmetic.
//!
//! A client is a 64-bit key, its state the moment at which its budget will be full again. Clients whose budget is full
//! are forgotten: they are like those who have never been seen. When a part of the table is full of clients that cannot
//! be forgotten, newcomers share: a keyed hash puts each of them on one of the part's shared budgets, and what was spent
//! there goes along when there is room for a state of their own. So nobody gets more than the rate, however many
//! addresses are sent from; the price, in such a flood alone, is that a newcomer may find its shared budget spent.

use governor::{
    nanos::Nanos,
    state::{StateStore, keyed::ShrinkableKeyedStateStore},
};
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Parts of the table, each behind a lock of its own: 2^6.
const PARTS: usize = 64;

/// Shared budgets of a part.
const SHARED: usize = 64;

/// Newcomers after which a part is looked through at the earliest.
const MIN_NEWCOMERS: usize = 256;

/// The table. Clones are the same one.
#[derive(Clone)]
pub(super) struct Store(Arc<Table>);

struct Table {
    parts: Box<[Mutex<Part>]>,
    /// Clients of a part at most.
    capacity: usize,
    /// Keyed, so that nobody can choose addresses that share a part or a shared budget.
    hasher: RandomState,
    /// Some part has had enough newcomers to be looked through.
    due: AtomicBool,
}

/// Moments are nanoseconds since the limiter's start; 0 is none.
#[derive(Default)]
struct Part {
    own: HashMap<u64, u64>,
    shared: Vec<u64>,
    /// Since it was looked through.
    newcomers: usize,
}

impl Store {
    /// For at most so many clients, rounded down to what fills its memory: 17 bytes each, and 32 KiB.
    pub fn new(clients: usize) -> Self {
        let parts = (0..PARTS).map(|_| Mutex::new(Part { shared: vec![0; SHARED], ..Part::default() })).collect();
        // the standard table fills 7 of 8 places and has a power of two of them
        let places = (clients / PARTS * 8 / 7).max(2);
        let capacity = (1 << places.ilog2()) * 7 / 8;
        Self(Arc::new(Table {
            parts,
            capacity: capacity.max(1),
            hasher: RandomState::new(),
            due: AtomicBool::new(false),
        }))
    }

    /// Whether it should be swept before the next client is asked about.
    pub fn is_due(&self) -> bool {
        self.0.due.load(Ordering::Relaxed)
    }

    /// A key for something that is no number.
    pub fn key_of(&self, name: &str) -> u64 {
        self.0.hasher.hash_one(name)
    }

    /// Takes back what a request has cost.
    pub fn give_back(&self, key: u64, cost: Nanos) {
        let (mut part, place) = self.part(key);
        let cost = cost.as_u64();
        match part.own.get_mut(&key) {
            Some(full_at) => *full_at = full_at.saturating_sub(cost),
            None => part.shared[place] = part.shared[place].saturating_sub(cost),
        }
    }

    /// The part that a client belongs to, and its place among the shared budgets.
    fn part(&self, key: u64) -> (MutexGuard<'_, Part>, usize) {
        let hash = usize::try_from(self.0.hasher.hash_one(key) >> 52).unwrap_or_default();
        (lock(&self.0.parts[hash % PARTS]), hash / PARTS % SHARED)
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStore for Store {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, key: &u64, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (mut part, place) = self.part(*key);
        if let Some(full_at) = part.own.get_mut(key) {
            let (outcome, next) = measure(Some(Nanos::from(*full_at)))?;
            *full_at = next.as_u64();
            return Ok(outcome);
        }
        let shared = part.shared[place];
        let (outcome, next) = measure((shared > 0).then(|| Nanos::from(shared)))?;
        if part.own.len() < self.0.capacity {
            part.own.insert(*key, next.as_u64());
        } else {
            part.shared[place] = next.as_u64();
        }
        part.newcomers += 1;
        if part.is_due() {
            self.0.due.store(true, Ordering::Relaxed);
        }
        Ok(outcome)
    }
}

impl Part {
    /// A look through it costs a few steps for each newcomer, on average, however full it is.
    fn is_due(&self) -> bool {
        self.newcomers >= MIN_NEWCOMERS.max(self.own.len() / 8)
    }
}

impl ShrinkableKeyedStateStore<u64> for Store {
    /// Forgets clients whose budget was full again by `now`, in the parts that have had enough newcomers.
    fn retain_recent(&self, now: Nanos) {
        self.0.due.store(false, Ordering::Relaxed);
        for part in &self.0.parts {
            let mut part = lock(part);
            if !part.is_due() {
                continue;
            }
            part.own.retain(|_, full_at| *full_at > now.as_u64());
            part.newcomers = 0;
            let room = (part.own.len() * 2).max(MIN_NEWCOMERS);
            if part.own.capacity() > room * 2 {
                part.own.shrink_to(room);
            }
        }
    }

    fn len(&self) -> usize {
        self.0.parts.iter().map(|part| lock(part).own.len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
