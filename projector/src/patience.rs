//! How long PostgreSQL may take, seen from here: a network that falls silent tells nobody anything.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// A statement over a row or two that has not been answered after this is never answered.
const LOOK: Duration = Duration::from_secs(10);

/// What the network may add to what the server is allowed.
const AIR: Duration = Duration::from_secs(5);

/// After how long a batch that is not committed is told.
const SLOW: Duration = Duration::from_secs(15);

/// How long a batch may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For one of its statements, on the server.
    pub statement: Duration,
    /// For one of its steps, from here; then the attempt is given up and the checkpoint says what has become of it.
    /// All of it takes as many steps as it has work: the deletion of a session with millions of events takes minutes.
    pub step: Duration,
    /// Until readiness says that it is not done.
    pub told: Duration,
}

impl Patience {
    /// Of a server that may take so long for one statement.
    pub fn with(statement: Duration) -> Self {
        Self { statement, step: statement * 2 + AIR, told: SLOW.min(statement) }
    }
}

/// When the last step of an attempt was done. Clones are of one attempt.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Mutex<Instant>>);

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Pulse {
    /// A step is done.
    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Waits until nothing has been done for so long.
    pub async fn stopped_for(&self, long: Duration) {
        loop {
            let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner) + long;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

/// Ends a look at the tables that is not answered, with the error of a server that is away.
pub async fn look<T>(looking: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(LOOK, looking).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
