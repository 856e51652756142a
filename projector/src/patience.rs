//! How long PostgreSQL may take, seen from here: a network that falls silent tells nobody anything.

use std::{future::Future, time::Duration};
use tokio::time::timeout;

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
    /// For all of it, from here; then the attempt is given up and the checkpoint says what has become of it.
    pub attempt: Duration,
    /// Until readiness says that it is not done.
    pub told: Duration,
}

impl Patience {
    /// Of a server that may take so long for one statement.
    pub fn with(statement: Duration) -> Self {
        Self { statement, attempt: statement * 2 + AIR, told: SLOW.min(statement) }
    }
}

/// Ends a look at the tables that is not answered, with the error of a server that is away.
pub async fn look<T>(looking: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(LOOK, looking).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
