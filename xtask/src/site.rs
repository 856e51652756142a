//! A Footfall to look at from outside.

use crate::cargo::root;
use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    env,
    fs::{self, File},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// How long Footfall may take to be up.
const START: Duration = Duration::from_mins(1);

/// How long it may take to end.
const END: Duration = Duration::from_secs(30);

/// The server that `cargo xtask engines` runs.
pub(crate) fn engine() -> anyhow::Result<String> {
    let variable = "FOOTFALL_TEST_DATABASE_URL";
    env::var(variable).with_context(|| format!("{variable}, as `cargo xtask engines` prints it"))
}

/// The program, as `cargo build` leaves it.
pub(crate) fn program() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    target.join("debug/footfall")
}

/// A running `footfall up`, with a database and data of its own.
pub(crate) struct Site {
    process: Child,
    /// `http://127.0.0.1:port`.
    pub address: String,
    /// Of staff.
    pub token: String,
    /// The address that signs staff in, once.
    pub link: String,
    server: PgConnectOptions,
    database: String,
    // last, so that nobody writes in it any more
    _folder: TempDir,
}

impl Site {
    /// Starts one, with a database of this name's own on a server, and with further arguments.
    pub(crate) async fn start(server: &str, name: &str, arguments: &[&str]) -> anyhow::Result<Self> {
        let server: PgConnectOptions = server.parse()?;
        let database = format!("{name}_{}", std::process::id());
        let mut connection = server.connect().await?;
        sqlx::query(&format!("CREATE DATABASE {database}")).execute(&mut connection).await?;
        connection.close().await?;
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("secret.key");
        fs::write(&key, format!("{database} {}", "for tests alone ".repeat(4)))?;
        let command = |arguments: &[&str]| {
            let mut command = Command::new(program());
            let kept: Vec<_> =
                env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("FOOTFALL_")).collect();
            command.args(arguments).env_clear().envs(kept).env("FOOTFALL_SECRET_KEY_FILE", &key).kill_on_drop(true);
            command
        };
        let issued = command(&["token", "issue", "--role", "staff"]).output().await.context("footfall token issue")?;
        let token = String::from_utf8(issued.stdout)?.trim().to_owned();
        ensure!(!token.is_empty(), "no token: {}", String::from_utf8_lossy(&issued.stderr));
        let mut up = command(&["up", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
        up.args(["--throttle-base", "off", "--throttle-staff", "off"]).args(arguments);
        up.arg("--data-dir").arg(folder.path().join("data"));
        up.env("FOOTFALL_DATABASE_URL", server.clone().database(&database).to_url_lossy().as_str());
        up.stdout(Stdio::piped()).stderr(File::create(folder.path().join("log"))?);
        let mut process = up.spawn().context("footfall up")?;
        let output = process.stdout.take().context("footfall up has an output")?;
        let mut lines = BufReader::new(output).lines();
        let greeted = async {
            let mut site = String::new();
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.trim().strip_prefix("Lists") {
                    address.trim().trim_end_matches('/').clone_into(&mut site);
                }
                if let Some(link) = line.trim().strip_prefix("Report") {
                    return Ok((site, link.trim().to_owned()));
                }
            }
            bail!("it ended: {}", fs::read_to_string(folder.path().join("log")).unwrap_or_default())
        };
        let (address, link) = timeout(START, greeted).await.context("it is not up in time")?.context("footfall up")?;
        // what it says further on is read, so that it never waits for us
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { process, address, token, link, server, database, _folder: folder })
    }

    /// `127.0.0.1:port`.
    pub(crate) fn host(&self) -> &str {
        self.address.trim_start_matches("http://")
    }

    /// Its database.
    pub(crate) async fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(self.server.clone().database(&self.database).connect().await?)
    }

    /// Ends it, and drops its database.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(pid) = self.process.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)) {
            kill_process(pid, Signal::TERM)?;
        }
        let status = timeout(END, self.process.wait()).await.context("footfall up does not end")??;
        ensure!(status.success(), "footfall up ended with {status}");
        let mut connection: PgConnection = self.server.connect().await?;
        sqlx::query(&format!("DROP DATABASE {} WITH (FORCE)", self.database)).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}
