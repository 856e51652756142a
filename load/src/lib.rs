//! `footfall load`: sends realistic sessions and measures the answers.
//!
//! `traffic` makes the sessions out of a seed; a `worker` for each connection sends them, event after event, and
//! repeats what is not confirmed under the same `event_id`; `verdict` reads the answers; `acknowledged` writes
//! down what the server has promised to keep.

mod acknowledged;
mod connection;
mod pace;
mod progress;
mod settings;
mod summary;
mod tally;
mod target;
mod traffic;
mod verdict;
mod worker;

pub use settings::LoadSettings;
pub use summary::{Latencies, Summary};

use acknowledged::Ledger;
use anyhow::Context;
use pace::Pace;
use progress::Progress;
use std::{
    io::Write,
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};
use tally::Tally;
use target::Target;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use traffic::Traffic;
use worker::{Run, Worker};

/// Sends what the settings say, prints the summary on standard output and gives it back.
///
/// When `stopping` is cancelled, nothing new is begun; the answers under way are waited for, for a second or two.
///
/// # Errors
/// When a setting cannot be used, or the file of acknowledged events cannot be written. Whatever the server does is
/// no error but part of the summary: see [`Summary::ok`].
pub async fn run(settings: LoadSettings, stopping: CancellationToken) -> anyhow::Result<Summary> {
    let json = settings.json;
    let summary = send(settings, stopping).await?;
    let text = if json { serde_json::to_string_pretty(&summary)? } else { summary.to_string() };
    match writeln!(std::io::stdout(), "{text}") {
        // whoever reads may stop
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error).context("cannot print the summary"),
        _ => Ok(summary),
    }
}

async fn send(settings: LoadSettings, stopping: CancellationToken) -> anyhow::Result<Summary> {
    let seed = settings.seed.unwrap_or_else(rand::random);
    let target = Target::new(&settings)?;
    let (ledger, written) = Ledger::open(settings.acknowledged.clone()).await?;
    let run = Arc::new(Run {
        traffic: Traffic::new(&settings, seed),
        pace: Pace::new(settings.rate),
        tally: Tally::new(),
        progress: Progress::new(settings.events),
        halt: stopping.child_token(),
        events_per_request: usize::from(settings.batch),
        give_up_after: settings.give_up_after(),
        told_of_throttle: AtomicBool::new(false),
        target,
    });
    run.progress.say(&format!("{} events to {} with --seed {seed}", settings.events, settings.url));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..settings.connections {
        workers.spawn(Worker::new(run.clone(), ledger.clone()).work());
    }
    drop(ledger);
    tokio::select! {
        ended = all(&mut workers) => ended?,
        never = run.progress.follow(&run.tally) => never,
    }
    let took = started.elapsed();
    run.progress.finish();
    written.await.context("the writer of --acknowledged broke down")??;
    let counts = run.tally.counts();
    let stopped = stopping.is_cancelled() && counts.acknowledged + counts.refused < settings.events;
    Ok(Summary::new(&counts, seed, took, stopped))
}

async fn all(workers: &mut JoinSet<()>) -> anyhow::Result<()> {
    while let Some(ended) = workers.join_next().await {
        ended.context("a connection's task broke down")?;
    }
    Ok(())
}
