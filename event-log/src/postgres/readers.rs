//! The connections that the readers of a log share, and how long the server may say nothing to one of them.
//!
//! A network can fall silent without telling anybody. What is asked then is given up, and the connection with it: one
//! that was only put back would keep its place among the few there are for as long as the network says nothing.

use super::error::no_answer;
use sqlx::{
    Connection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{future::Future, time::Duration};
use tokio::time::timeout;

/// Connections that all readers of a log share; a reader holds one for the length of a step only.
pub(super) const CONNECTIONS: u32 = 6;

/// How long a reader waits for a connection before it calls the log unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection that comes back may take to show that it still works.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(5);

/// A connection that nobody has used for so long is tried before it is given out: after a restart of the server all
/// of them are dead, and each one would fail one question.
const TRY_AFTER_IDLE: Duration = Duration::from_secs(2);

/// How long that may take; then the next one is tried, or another one is made.
const TRIED_WITHIN: Duration = Duration::from_secs(1);

/// A question about a row or two that has not been answered after this is never answered.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// The next row of many may take longer, as it may be 4 MiB on a slow line.
const ROW_WITHIN: Duration = Duration::from_secs(30);

/// The pool; connects when it is first used.
pub(super) fn pool(options: PgConnectOptions) -> PgPool {
    let options = options.application_name("footfall log reader").options([
        // the server learns within a minute that nobody is there
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "60000"),
    ]);
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection, found| {
            Box::pin(async move {
                if found.idle_for < TRY_AFTER_IDLE {
                    return Ok(true);
                }
                timeout(TRIED_WITHIN, connection.ping()).await.unwrap_or_else(|_| Err(no_answer(TRIED_WITHIN)))?;
                Ok(true)
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                let tried = timeout(COMES_BACK_WITHIN, connection.ping()).await;
                // an error closes it at once; `Ok(false)` would say good-bye first
                tried.unwrap_or_else(|_| Err(no_answer(COMES_BACK_WITHIN))).map(|()| true)
            })
        })
        .connect_lazy_with(options)
}

/// A question about a row or two, given up when it is not answered.
pub(super) async fn answered<T>(question: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(ANSWERED_WITHIN, question).await.unwrap_or_else(|_| Err(no_answer(ANSWERED_WITHIN)))
}

/// The next row of an answer, given up when it does not come.
pub(super) async fn row<T>(next: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    timeout(ROW_WITHIN, next).await.unwrap_or_else(|_| Err(no_answer(ROW_WITHIN)))
}
