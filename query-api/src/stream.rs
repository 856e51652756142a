//! Long answers, sent as they are read: memory is bounded however much they hold.

use crate::error::QueryError;
use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures::stream;
use service::http::Problem;
use sqlx::{Executor, PgConnection};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};

/// What is put together before it is sent, and how many of those wait for the client.
const PIECE: usize = 16 * 1024;
const WAITING: usize = 4;

/// How long an answer waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// A client that has not read all of it by then gets no more.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where the answer goes.
pub(crate) struct Sink {
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: String,
}

impl Sink {
    /// Adds text; waits while the client is behind.
    pub async fn put(&mut self, text: &str) -> anyhow::Result<()> {
        self.piece.push_str(text);
        if self.piece.len() >= PIECE { self.flush().await } else { Ok(()) }
    }

    async fn flush(&mut self) -> anyhow::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        self.sender.send(Ok(piece.into())).await.map_err(|_| anyhow::anyhow!("the client is gone"))
    }
}

/// A place for one answer, of those that are sent at once; 503 when none gets free in time.
pub(crate) async fn turn(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, QueryError> {
    let turn = timeout(TURN, places.clone().acquire_owned()).await.ok().and_then(Result::ok);
    turn.ok_or_else(|| Problem::unavailable("Too many long answers are being sent. Try again.", 5).into())
}

/// Statements of this transaction may take as long as the whole answer.
pub(crate) async fn take_time(snapshot: &mut PgConnection) -> sqlx::Result<()> {
    let patience = format!("SET LOCAL statement_timeout = {}", PATIENCE.as_millis());
    snapshot.execute(patience.as_str()).await.map(drop)
}

/// Answers with what `write` puts in. What goes wrong on the way cuts the answer off, so that nobody takes a part for
/// the whole.
pub(crate) fn answer<F>(turn: OwnedSemaphorePermit, write: impl FnOnce(Sink) -> F) -> Response
where
    F: Future<Output = anyhow::Result<Sink>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(WAITING);
    let failed = sender.clone();
    let writing = write(Sink { sender, piece: String::new() });
    tokio::spawn(async move {
        let written = timeout(PATIENCE, async { writing.await?.flush().await }).await;
        drop(turn);
        let error = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        tracing::info!(error, "a long answer was cut off");
        let _ = failed.send(Err(io::Error::other(error))).await;
    });
    let pieces = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    Body::from_stream(pieces).into_response()
}
