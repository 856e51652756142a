//! One run of the server: started, answering, stopped.

use crate::{
    Error, Settings,
    account::Account,
    binaries::Binaries,
    cluster::NAME,
    folder::{Folder, PORT},
    leftover::{FAST, IMMEDIATE, PidFile},
    log::Log,
    process::{command, failure, not_started, signal},
};
use rustix::process::Signal;
use sqlx::{
    Connection, Executor, PgConnection,
    postgres::{PgConnectOptions, PgDatabaseError},
};
use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::{process::Child, task::JoinHandle, time};

/// After a hard stop the server first replays its log, which can take a while; it is said this often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What every run on one data directory has in common.
pub(crate) struct Server {
    pub(crate) settings: Settings,
    pub(crate) folder: Folder,
    pub(crate) binaries: Binaries,
    pub(crate) account: Option<Account>,
    pub(crate) password: String,
    pub(crate) log: Log,
}

/// Connects as the superuser over the socket.
pub(crate) fn options(folder: &Folder, password: &str) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass().socket(folder.sockets()).port(PORT);
    options.username(NAME).password(password).database(NAME)
}

pub(crate) struct Postmaster<'a> {
    server: &'a Server,
    child: Child,
    pid: u32,
    follower: JoinHandle<()>,
}

impl Server {
    pub(crate) fn spawn(&self) -> Result<Postmaster<'_>, Error> {
        let program = self.binaries.program("postgres");
        let cluster = self.folder.cluster();
        // if we end, a fast shutdown
        let mut postgres = command(&program, &cluster, self.account.as_ref(), Signal::INT);
        postgres.arg("-D").arg(&cluster);
        for (name, value) in self.arguments() {
            postgres.arg("-c").arg(format!("{name}={value}"));
        }
        postgres.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = postgres.spawn().map_err(|error| Error::Start {
            cause: not_started(&program, self.account.as_ref(), &error),
            log: self.folder.log(),
        })?;
        let pid = child.id().expect("nobody has waited for it yet");
        let said = child.stderr.take().expect("standard error was asked to be piped");
        let follower = tokio::spawn(self.log.clone().follow(said));
        Ok(Postmaster { server: self, child, pid, follower })
    }

    fn arguments(&self) -> Vec<(&'static str, String)> {
        // the value is a list of folders: quoted, so that a comma in one means itself
        let sockets = self.folder.sockets().display().to_string().replace('"', "\"\"");
        vec![
            ("listen_addresses", String::new()),
            ("port", PORT.to_string()),
            ("unix_socket_directories", format!("\"{sockets}\"")),
            ("unix_socket_permissions", "0700".into()),
            ("cluster_name", NAME.into()),
            ("max_connections", self.settings.max_connections.to_string()),
            ("shared_buffers", "256MB".into()),
            ("max_wal_size", "2GB".into()),
            ("wal_compression", "on".into()),
            // short statements only: compiling them costs more than it brings
            ("jit", "off".into()),
            ("logging_collector", "off".into()),
            ("log_destination", "stderr".into()),
            ("log_timezone", "UTC".into()),
            ("timezone", "UTC".into()),
        ]
    }
}

impl Postmaster<'_> {
    /// Waits until it takes statements, and makes its database if there is none yet.
    pub(crate) async fn answers(&mut self) -> Result<(), Error> {
        let pid_file = PidFile::of(&self.server.folder.cluster());
        let (started, mut said) = (Instant::now(), Instant::now());
        loop {
            if self.child.try_wait().ok().flatten().is_some() {
                let (said, status) = self.last_words().await;
                return Err(failure(&said, &self.server.folder.root, |cause| Error::Start {
                    cause: cause + &status,
                    log: self.server.folder.log(),
                }));
            }
            // the file of an earlier run may still be there, so it has to be ours
            if pid_file.read().is_some_and(|content| content.ready && content.pid == self.pid) {
                self.database().await?;
                // what was said on the way here is no reason for anything that happens from now on
                self.server.log.take_last();
                return Ok(());
            }
            if said.elapsed() > SAY_EVERY {
                said = Instant::now();
                tracing::info!(seconds = started.elapsed().as_secs(), "PostgreSQL is still starting");
            }
            time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn database(&self) -> Result<(), Error> {
        let options = options(&self.server.folder, &self.server.password);
        let made = match PgConnection::connect_with(&options).await {
            Ok(connection) => connection.close().await,
            Err(error) if is_missing_database(&error) => make_database(&options).await,
            Err(error) => Err(error),
        };
        made.map_err(|error| {
            failure(&error.to_string(), &self.server.folder.root, |cause| Error::Start {
                cause,
                log: self.server.folder.log(),
            })
        })
    }

    /// Waits until it ends without having been asked to, and gives the reason.
    pub(crate) async fn ended(&mut self) -> Error {
        if let Err(error) = self.child.wait().await {
            tracing::warn!(%error, "PostgreSQL cannot be waited for");
        }
        let (said, status) = self.last_words().await;
        // what was fatal to a client's connection is no reason; the postmaster's own lines have its pid in them
        let own = format!("[{}]", self.pid);
        let telling: String = said
            .lines()
            .filter(|line| line.contains(&own) || line.contains("PANIC:"))
            .fold(String::new(), |text, line| text + line + "\n");
        failure(&telling, &self.server.folder.root, |cause| Error::Ended {
            cause: cause + &status,
            log: self.server.folder.log(),
        })
    }

    /// What it said at the end, and how it ended.
    async fn last_words(&mut self) -> (String, String) {
        let status = self.child.try_wait().ok().flatten();
        // processes that outlive it may keep the pipe open, and are not waited for
        drop(time::timeout(Duration::from_secs(1), &mut self.follower).await);
        (self.server.log.take_last(), status.map(|status| format!(" ({status})")).unwrap_or_default())
    }

    /// A fast shutdown, and an immediate one if that takes too long.
    pub(crate) async fn stop(mut self) -> Result<(), Error> {
        let pid = self.pid;
        if self.child.try_wait().ok().flatten().is_some() {
            return Ok(());
        }
        for (how, limit) in [(Signal::INT, FAST), (Signal::QUIT, IMMEDIATE)] {
            signal(pid, how);
            if time::timeout(limit, self.child.wait()).await.is_ok() {
                drop(time::timeout(Duration::from_secs(1), &mut self.follower).await);
                return Ok(());
            }
            tracing::warn!(pid, seconds = limit.as_secs(), "PostgreSQL has not stopped yet");
        }
        Err(Error::DoesNotStop { data_dir: self.server.folder.root.clone(), pid })
    }
}

fn is_missing_database(error: &sqlx::Error) -> bool {
    let code = |error: &sqlx::Error| match error {
        sqlx::Error::Database(error) => {
            error.try_downcast_ref::<PgDatabaseError>().map(|error| error.code().to_owned())
        }
        _ => None,
    };
    code(error).as_deref() == Some("3D000")
}

async fn make_database(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(&options.clone().database("postgres")).await?;
    connection.execute(format!("CREATE DATABASE {NAME}").as_str()).await?;
    connection.close().await
}

/// Whether somebody answers on this data directory's socket.
pub(crate) async fn is_answering(options: &PgConnectOptions, socket: &Path) -> bool {
    if !socket.exists() {
        return false;
    }
    match PgConnection::connect_with(options).await {
        Ok(connection) => connection.close().await.is_ok(),
        Err(error) => {
            tracing::debug!(%error, "no answer yet");
            false
        }
    }
}
