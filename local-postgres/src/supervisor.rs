//! The thread that PostgreSQL belongs to. It lives as long as the server does, because the server's parent-death
//! signal fires when the thread that started it ends, whatever the rest of the process does.

use crate::{
    Error, Settings, State, account, binaries, cluster,
    folder::{Folder, Lock},
    leftover,
    log::Log,
    postmaster::{Postmaster, Server, options},
};
use sqlx::postgres::PgConnectOptions;
use std::{
    future::Future,
    time::{Duration, Instant},
};
use tokio::{
    sync::{oneshot, watch},
    time::sleep,
};

/// Between an end and the next start: at first, and at most.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Who has run for this long is well again, and starts over with a short pause.
const WELL_AFTER: Duration = Duration::from_mins(1);

/// Resolves when the owner wants the server to stop, or is gone.
pub(crate) type StopAsked = oneshot::Receiver<()>;

/// Runs PostgreSQL until `stop` resolves. `started` learns how to connect, or why it does not run.
pub(crate) async fn supervise(
    settings: Settings,
    started: oneshot::Sender<Result<PgConnectOptions, Error>>,
    state: watch::Sender<State>,
    mut stop: StopAsked,
) -> Result<(), Error> {
    let prepared = unless_stopped(&mut stop, prepare(settings)).await;
    let (server, _lock) = match prepared {
        Some(Ok(prepared)) => prepared,
        Some(Err(error)) => return report(started, Err(error)),
        None => return Ok(()),
    };
    let postmaster = match start(&server, &mut stop).await {
        Ok(Some(postmaster)) => postmaster,
        Ok(None) => return Ok(()),
        Err(error) => return report(started, Err(error)),
    };
    report(started, Ok(options(&server.folder, &server.password)))?;
    keep_running(&server, postmaster, &state, &mut stop).await
}

/// Who no longer waits for the answer has asked to stop as well, and that is heeded elsewhere.
fn report<T>(started: oneshot::Sender<Result<T, Error>>, result: Result<T, Error>) -> Result<(), Error> {
    started.send(result).or(Ok(()))
}

/// Everything up to the point where a server can be started. The lock comes first.
async fn prepare(settings: Settings) -> Result<(Server, Lock), Error> {
    let account = account::for_postgres()?;
    let folder = Folder::prepare(&settings.data_dir, account.as_ref())?;
    let lock = folder.lock()?;
    let binaries = binaries::choose(&settings.sources, &folder, account.as_ref()).await?;
    let password = cluster::prepare(&folder, &binaries, account.as_ref()).await?;
    let log = Log::new(&folder.log());
    tracing::debug!(version = binaries.version, data_dir = %folder.root.display(), "PostgreSQL is ready to start");
    Ok((Server { settings, folder, binaries, account, password, log }, lock))
}

/// `None`: it was asked to stop meanwhile, and has.
async fn start<'a>(server: &'a Server, stop: &mut StopAsked) -> Result<Option<Postmaster<'a>>, Error> {
    match unless_stopped(stop, leftover::clear(&server.folder)).await {
        Some(cleared) => cleared?,
        None => return Ok(None),
    }
    let mut postmaster = server.spawn()?;
    match unless_stopped(stop, postmaster.answers()).await {
        Some(Ok(())) => Ok(Some(postmaster)),
        Some(Err(error)) => postmaster.stop().await.and(Err(error)),
        None => postmaster.stop().await.map(|()| None),
    }
}

/// A server that ends is started again, ever more slowly if it keeps ending.
async fn keep_running<'a>(
    server: &'a Server,
    mut postmaster: Postmaster<'a>,
    state: &watch::Sender<State>,
    stop: &mut StopAsked,
) -> Result<(), Error> {
    let mut pause = PAUSE;
    loop {
        state.send_replace(State::Running);
        let running_since = Instant::now();
        let Some(mut reason) = unless_stopped(stop, postmaster.ended()).await else {
            state.send_replace(State::Stopped);
            return postmaster.stop().await;
        };
        if running_since.elapsed() > WELL_AFTER {
            pause = PAUSE;
        }
        postmaster = loop {
            tracing::error!(%reason, "PostgreSQL has ended and is started again");
            state.send_replace(State::Restarting { reason: reason.to_string() });
            if unless_stopped(stop, sleep(pause)).await.is_none() {
                return Ok(());
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            match start(server, stop).await {
                Ok(Some(postmaster)) => break postmaster,
                Ok(None) => return Ok(()),
                Err(error) => reason = error,
            }
        };
        tracing::info!("PostgreSQL runs again");
    }
}

/// What `work` gives; `None` when it was given up because the server is to stop.
async fn unless_stopped<T>(stop: &mut StopAsked, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        // an owner that is gone has dropped the sender, which counts as asking
        _ = stop => None,
        result = work => Some(result),
    }
}
