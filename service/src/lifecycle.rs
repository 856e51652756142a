//! How a process starts to stop, and how it ends.

use anyhow::{Context, anyhow};
use futures::FutureExt;
use std::{
    future::Future,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Exit code of a process that stopped because a part of it failed.
pub const EXIT_FAILED: u8 = 1;
/// Exit code of a process whose command line cannot be understood.
pub const EXIT_MISUNDERSTOOD: u8 = 2;
/// Exit code of a process that was told to stop and could not finish within its drain budget.
pub const EXIT_NOT_DRAINED: u8 = 3;
/// Exit code of a process that was told to stop a second time and did not wait any more.
pub const EXIT_SECOND_SIGNAL: u8 = 130;

/// Told to all parts of a process: go on, finish what is under way, or this part has failed. Clones are the same one.
#[derive(Clone)]
pub struct Shutdown {
    inner: Arc<Inner>,
}

struct Inner {
    leaving: CancellationToken,
    token: CancellationToken,
    workers: TaskTracker,
    failure: Mutex<Option<anyhow::Error>>,
    drain_budget: Duration,
    announce: Duration,
}

/// The workers did not finish within the drain budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "what was under way was not finished within {budget:?} (parts still busy: {workers}): --drain-seconds (FOOTFALL_DRAIN_SECONDS) gives it longer"
)]
pub struct NotDrained {
    /// How many were left.
    pub workers: usize,
    /// How long was waited.
    pub budget: Duration,
}

impl Shutdown {
    /// `drain_budget` is how long workers may take to finish once the shutdown has begun.
    pub fn new(drain_budget: Duration) -> Self {
        Self::announced(drain_budget, Duration::ZERO)
    }

    /// The same; a SIGTERM is announced for so long before the shutdown begins.
    pub fn announced(drain_budget: Duration, announce: Duration) -> Self {
        let inner = Inner {
            leaving: CancellationToken::new(),
            token: CancellationToken::new(),
            workers: TaskTracker::new(),
            failure: Mutex::new(None),
            drain_budget,
            announce,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Cancelled when the process is to stop: take no new work, finish what is under way.
    pub fn token(&self) -> &CancellationToken {
        &self.inner.token
    }

    /// Cancelled when it is known that the process will stop soon: say so, and go on. At the latest when it does stop.
    pub fn leaving(&self) -> &CancellationToken {
        &self.inner.leaving
    }

    /// Begins the shutdown.
    pub fn begin(&self) {
        self.inner.leaving.cancel();
        self.inner.token.cancel();
    }

    /// Says that the process will stop, and begins the shutdown `after` that.
    fn leave(&self, after: Duration) {
        self.inner.leaving.cancel();
        let shutdown = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            shutdown.begin();
        });
    }

    /// Runs a worker that has to live as long as the process: its error, its panic, or its end before the shutdown
    /// has begun ends the whole process, with the reason.
    pub fn spawn<F>(&self, name: &'static str, worker: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let shutdown = self.clone();
        self.inner.workers.spawn(async move {
            let result: anyhow::Result<()> = match AssertUnwindSafe(worker).catch_unwind().await {
                Ok(Ok(())) if shutdown.token().is_cancelled() => return,
                Ok(Ok(())) => Err(anyhow!("ended before it was told to")),
                Ok(Err(error)) => Err(error),
                Err(panic) => Err(anyhow!("panicked: {}", panic_message(panic.as_ref()))),
            };
            if let Err(error) = result.context(name) {
                tracing::error!(worker = name, error = one_line(&error), "worker failed, stopping");
                let mut failure = shutdown.inner.failure.lock().unwrap_or_else(PoisonError::into_inner);
                failure.get_or_insert(error);
            }
            shutdown.begin();
        });
    }

    /// Waits until the shutdown begins and then until the workers have finished, within the budget. Gives the first
    /// failure of a worker, or [`NotDrained`].
    pub async fn drained(&self) -> anyhow::Result<()> {
        self.inner.token.cancelled().await;
        self.inner.workers.close();
        let waited = tokio::time::timeout(self.inner.drain_budget, self.inner.workers.wait()).await;
        if let Some(error) = self.inner.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        waited.map_err(|_| NotDrained { workers: self.inner.workers.len(), budget: self.inner.drain_budget }.into())
    }

    /// Begins the shutdown at the first SIGINT, and at the first SIGTERM when it has been announced: a proxy stops
    /// sending requests meanwhile. At the second signal the process ends at once.
    ///
    /// # Errors
    /// When the process may not handle signals.
    pub fn listen_for_signals(&self) -> anyhow::Result<()> {
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
        let shutdown = self.clone();
        tokio::spawn(async move {
            for first in [true, false] {
                let name = tokio::select! { _ = interrupt.recv() => "SIGINT", _ = terminate.recv() => "SIGTERM" };
                if first {
                    tracing::info!(signal = name, "stopping; a second signal does not wait");
                    // who presses Ctrl-C has no proxy before it
                    shutdown.leave(if name == "SIGTERM" { shutdown.inner.announce } else { Duration::ZERO });
                } else {
                    tracing::warn!(signal = name, "stopping at once");
                    std::process::exit(i32::from(EXIT_SECOND_SIGNAL));
                }
            }
        });
        Ok(())
    }
}

/// An error with its causes on one line, each thing said once: some errors name their cause in their own text.
pub fn one_line(error: &anyhow::Error) -> String {
    let mut line = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !line.contains(&cause) {
            line.push_str(": ");
            line.push_str(&cause);
        }
    }
    line.replace(['\r', '\n'], " ")
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Shutdown {
        Shutdown::new(Duration::from_secs(5))
    }

    #[test]
    fn an_error_says_each_thing_once_on_one_line() {
        let disk = std::io::Error::other("the disk\nis full");
        let named = anyhow!("no commit: {disk}");
        let chain = anyhow::Error::new(disk).context(named.to_string()).context("projector");
        assert_eq!(one_line(&chain), "projector: no commit: the disk is full");
    }

    #[tokio::test]
    async fn a_worker_that_fails_ends_the_process_with_its_reason() {
        let shutdown = soon();
        shutdown.spawn("folding", async { Err(anyhow!("the disk is full")) });
        let error = shutdown.drained().await.unwrap_err();
        assert_eq!(format!("{error:#}"), "folding: the disk is full");
    }

    #[tokio::test]
    async fn a_worker_that_panics_or_just_ends_ends_the_process() {
        let shutdown = soon();
        shutdown.spawn("folding", async { panic!("no {}", "way") });
        assert_eq!(format!("{:#}", shutdown.drained().await.unwrap_err()), "folding: panicked: no way");
        let shutdown = soon();
        shutdown.spawn("folding", async { Ok(()) });
        assert!(format!("{:#}", shutdown.drained().await.unwrap_err()).contains("ended before"));
    }

    #[tokio::test]
    async fn workers_finish_what_is_under_way() {
        let shutdown = soon();
        let (token, (done, finished)) = (shutdown.token().clone(), tokio::sync::oneshot::channel());
        shutdown.spawn("folding", async move {
            token.cancelled().await;
            tokio::task::yield_now().await;
            done.send(()).map_err(|()| anyhow!("nobody waits"))
        });
        shutdown.begin();
        shutdown.drained().await.unwrap();
        finished.await.unwrap();
    }

    #[tokio::test]
    async fn a_worker_that_hangs_is_not_waited_for_beyond_the_budget() {
        let shutdown = Shutdown::new(Duration::from_millis(20));
        shutdown.spawn("folding", std::future::pending());
        shutdown.begin();
        let error = shutdown.drained().await.unwrap_err();
        assert_eq!(error.downcast_ref::<NotDrained>().map(|e| e.workers), Some(1));
    }
}
