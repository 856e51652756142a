use crate::{Error, LocalPostgres, Settings, account, cluster, folder::Folder, postmaster};
use sqlx::postgres::PgConnectOptions;
use std::time::{Duration, Instant};

/// How long a server that somebody else is starting may take until it answers us.
const PATIENCE: Duration = Duration::from_mins(1);

/// The server on a data directory, as a command beside a running `up` needs it.
#[derive(Debug)]
pub enum Attached {
    /// It was running: how to connect. Its owner may stop it at any time.
    Running(PgConnectOptions),
    /// Nobody held the data directory, so it was started, and stops with this value.
    Started(LocalPostgres),
}

impl Attached {
    /// Connects as the superuser to the database `footfall`, over the socket.
    pub fn options(&self) -> PgConnectOptions {
        match self {
            Self::Running(options) => options.clone(),
            Self::Started(postgres) => postgres.options(),
        }
    }

    /// Stops it if it was started here.
    pub async fn stop(self) -> Result<(), Error> {
        match self {
            Self::Running(_) => Ok(()),
            Self::Started(postgres) => postgres.stop().await,
        }
    }
}

/// Connects to the server that runs on the data directory, or starts one when nobody holds it.
///
/// # Errors
/// As [`LocalPostgres::start`]; [`Error::InUse`] when whoever holds the data directory runs no server that answers
/// within a minute.
pub async fn attach(settings: Settings) -> Result<Attached, Error> {
    let asked = Instant::now();
    loop {
        let in_use = match LocalPostgres::start(settings.clone()).await {
            Ok(postgres) => return Ok(Attached::Started(postgres)),
            Err(error @ Error::InUse { .. }) => error,
            Err(error) => return Err(error),
        };
        let folder = Folder::prepare(&settings.data_dir, account::for_postgres()?.as_ref())?;
        // it may be about to make its cluster; then there is no password yet
        if let Ok(password) = cluster::read_password(&folder) {
            let options = postmaster::options(&folder, &password);
            if postmaster::is_answering(&options, &folder.socket()).await {
                return Ok(Attached::Running(options));
            }
        }
        if asked.elapsed() > PATIENCE {
            return Err(in_use);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
