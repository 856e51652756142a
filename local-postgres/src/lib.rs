//! A PostgreSQL of one's own, for a program that is to run where no database is installed.
//!
//! [`LocalPostgres::start`] takes hold of a data directory, finds (or fetches) PostgreSQL, makes a cluster if there is
//! none, starts the server and keeps it running until [`LocalPostgres::stop`]. It is a whole PostgreSQL with all its
//! durability, reachable over a unix socket alone, by the user that runs it alone.
//!
//! Whatever way the owner ends, the server ends too (on Linux at once; elsewhere the next start stops what is left), and
//! the next start copes with what it finds.
//!
//! In the data directory:
//!
//! | name | what |
//! |---|---|
//! | `lock` | held by the process that owns the data; its process id stands in it |
//! | `postgres/` | the cluster |
//! | `postgres.password` | the superuser's password |
//! | `postgres.log`, `.1` | what the server said, 16 MiB at most |
//! | `socket/` | the server's socket |
//! | `postgresql-17.11/` | a fetched PostgreSQL, where none was installed |
//! | `postgres.new/`, `fetched.new/` | what is not finished; removed by the next start |

mod account;
mod attach;
mod binaries;
mod cluster;
mod error;
mod fetch;
mod folder;
mod leftover;
mod log;
mod postmaster;
mod process;
mod settings;
mod supervisor;

pub use attach::{Attached, attach};
pub use error::Error;
#[cfg(feature = "download")]
pub use fetch::pinned_archive;
pub use folder::{default_data_dir, prepare_data_dir};
pub use settings::{Settings, Sources, VARIABLES};

use sqlx::postgres::PgConnectOptions;
use std::thread;
use tokio::sync::{oneshot, watch};

/// How the server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It answers.
    Running,
    /// It has ended by itself, for this reason, and is being started again.
    Restarting {
        /// One line for the operator.
        reason: String,
    },
    /// It was stopped.
    Stopped,
}

/// A running server. Dropping it stops it as well, and waits for that.
#[derive(Debug)]
pub struct LocalPostgres {
    options: PgConnectOptions,
    state: watch::Receiver<State>,
    supervisor: Supervisor,
}

/// The other end of the supervisor's thread.
#[derive(Debug)]
struct Supervisor {
    stop: Option<oneshot::Sender<()>>,
    result: Option<oneshot::Receiver<Result<(), Error>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl LocalPostgres {
    /// Starts the server and waits until it answers: 0.1 s for data that is there, about a second for a new cluster,
    /// as long as it takes when PostgreSQL has to be fetched or has to recover. Giving up waiting stops everything.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let (stop, stop_asked) = oneshot::channel();
        let (started, when_started) = oneshot::channel();
        let (state_sender, state) = watch::channel(State::Running);
        let (ended, result) = oneshot::channel();
        let data_dir = settings.data_dir.clone();
        let supervise = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let result = match runtime {
                Ok(runtime) => runtime.block_on(supervisor::supervise(settings, started, state_sender, stop_asked)),
                Err(error) => Err(Error::io("start PostgreSQL on", &data_dir)(error)),
            };
            // nobody may be left to hear it
            ended.send(result).unwrap_or_default();
        };
        let thread = thread::Builder::new().name("postgres".into()).spawn(supervise);
        let thread = thread.map_err(|error| Error::Start { cause: error.to_string(), log: "-".into() })?;
        let supervisor = Supervisor { stop: Some(stop), result: Some(result), thread: Some(thread) };
        let options = when_started.await.map_err(|_| Error::SupervisorGone)??;
        Ok(Self { options, state, supervisor })
    }

    /// Connects as the superuser to the database `footfall`, over the socket.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// How the server is, now and from now on.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Stops the server. To be called when nobody needs it any more: connections that are open are broken.
    pub async fn stop(mut self) -> Result<(), Error> {
        drop(self.supervisor.stop.take());
        let result = self.supervisor.result.take().expect("it is taken here alone, and this takes the value");
        result.await.map_err(|_| Error::SupervisorGone)?
    }
}

impl Drop for Supervisor {
    /// The data directory is free when the value is gone. Bounded by the times that a shutdown may take.
    fn drop(&mut self) {
        drop(self.stop.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("PostgreSQL's supervisor has panicked");
        }
    }
}
