use crate::cargo::{cargo, root};
use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use test_support::http;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// The version whose checks the configuration answers.
const VERSION: &str = "4.32.5";

/// The same requests each time; `FOOTFALL_TEST_SEED` gives others.
const SEED: u64 = 20_261_125;

/// How long Footfall may take to be up.
const START: Duration = Duration::from_mins(1);

/// How long it may take to end.
const END: Duration = Duration::from_secs(30);

/// Lets schemathesis ask a running Footfall whatever its description allows, and what it does not. `database` is a server
/// on which a database can be made.
pub(crate) async fn run(database: &str) -> anyhow::Result<()> {
    let schemathesis = install().await?;
    cargo(&["build", "--locked", "--package", "footfall"], &[]).await?;
    let site = Site::start(database).await?;
    let asked = ask(&schemathesis, &site).await;
    site.stop().await?;
    asked
}

/// `cargo xtask schemathesis`.
pub(crate) async fn alone(interrupted: impl Future<Output = ()>) -> anyhow::Result<ExitCode> {
    let variable = "FOOTFALL_TEST_DATABASE_URL";
    let database = env::var(variable).with_context(|| format!("{variable}, as `cargo xtask engines` prints it"))?;
    tokio::select! {
        asked = run(&database) => asked.map(|()| ExitCode::SUCCESS),
        () = interrupted => Ok(ExitCode::FAILURE),
    }
}

async fn ask(schemathesis: &Path, site: &Site) -> anyhow::Result<()> {
    let seed = env::var("FOOTFALL_TEST_SEED").unwrap_or_else(|_| SEED.to_string());
    eprintln!("schemathesis {VERSION}, FOOTFALL_TEST_SEED={seed}");
    let mut command = Command::new(schemathesis);
    command
        .args(["run", &format!("{}/openapi.json", site.address), "--seed", &seed])
        .args(["--checks", "all", "--continue-on-failure", "--workers", "2"])
        // its configuration and its hooks lie here
        .current_dir(root().join("xtask/schemathesis"))
        .env("FOOTFALL_SCHEMATHESIS_TOKEN", &site.token)
        .env("FOOTFALL_SCHEMATHESIS_SESSION", &site.session)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let status = command.status().await.context("schemathesis")?;
    ensure!(status.success(), "schemathesis found something");
    Ok(())
}

/// The program, in an environment of its own in the cache folder. Made once for each version.
async fn install() -> anyhow::Result<PathBuf> {
    let folder = crate::cache::cache()?.join(format!("schemathesis-{VERSION}"));
    let (done, program) = (folder.join("complete"), folder.join("bin/schemathesis"));
    if done.exists() {
        return Ok(program);
    }
    let run = async |program: &Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command.status().await.is_ok_and(|status| status.success())
    };
    fs::create_dir_all(&folder)?;
    if !run(Path::new("python3"), &["-m", "venv", "--clear", &folder.to_string_lossy()]).await {
        bail!("missing: Python 3.10 or newer (`python3`) with venv: install the packages python3 and python3-venv");
    }
    let package = format!("schemathesis=={VERSION}");
    let arguments = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package];
    if !run(&folder.join("bin/python"), &arguments).await {
        bail!("{package} could not be installed with pip");
    }
    File::create(done)?;
    Ok(program)
}

/// A running `footfall up`, with a database and data of its own.
struct Site {
    process: Child,
    address: String,
    token: String,
    /// The id of a session that is there.
    session: String,
    server: PgConnectOptions,
    database: String,
    // last, so that nobody writes in it any more
    _folder: TempDir,
}

impl Site {
    async fn start(server: &str) -> anyhow::Result<Self> {
        let server: PgConnectOptions = server.parse()?;
        let database = format!("schemathesis_{}", std::process::id());
        let mut connection = server.connect().await?;
        sqlx::query(&format!("CREATE DATABASE {database}")).execute(&mut connection).await?;
        connection.close().await?;
        let folder = tempfile::tempdir()?;
        let key = folder.path().join("secret.key");
        fs::write(&key, format!("{database} {}", "for tests alone ".repeat(4)))?;
        let command = |arguments: &[&str]| {
            let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
            let mut command = Command::new(target.join("debug/footfall"));
            let kept: Vec<_> =
                env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("FOOTFALL_")).collect();
            command.args(arguments).env_clear().envs(kept).env("FOOTFALL_SECRET_KEY_FILE", &key).kill_on_drop(true);
            command
        };
        let issued = command(&["token", "issue", "--role", "staff"]).output().await.context("footfall token issue")?;
        let token = String::from_utf8(issued.stdout)?.trim().to_owned();
        ensure!(!token.is_empty(), "no token: {}", String::from_utf8_lossy(&issued.stderr));
        let mut up = command(&["up", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
        up.args(["--throttle-base", "off", "--throttle-staff", "off"]);
        up.arg("--data-dir").arg(folder.path().join("data"));
        up.env("FOOTFALL_DATABASE_URL", server.clone().database(&database).to_url_lossy().as_str());
        up.stdout(Stdio::piped()).stderr(File::create(folder.path().join("log"))?);
        let mut process = up.spawn().context("footfall up")?;
        let output = process.stdout.take().context("footfall up has an output")?;
        let mut lines = BufReader::new(output).lines();
        let greeted = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(address) = line.trim().strip_prefix("Lists") {
                    return Ok(address.trim().trim_end_matches('/').to_owned());
                }
            }
            bail!("it ended: {}", fs::read_to_string(folder.path().join("log")).unwrap_or_default())
        };
        let address = timeout(START, greeted).await.context("it is not up in time")?.context("footfall up")?;
        // what it says further on is read, so that it never waits for us
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let session = known_session(address.trim_start_matches("http://")).await?;
        Ok(Self { process, address, token, session, server, database, _folder: folder })
    }

    async fn stop(mut self) -> anyhow::Result<()> {
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

/// Sends a session and waits until it is in the list: its id.
async fn known_session(host: &str) -> anyhow::Result<String> {
    let body = br#"{"session_id": "known", "user_agent": "schemathesis", "ip_address": "192.0.2.1"}"#;
    let sent = http::send(host, "POST", "/sessions/", &[("Content-Type", "application/json")], body)?;
    ensure!(sent.status == 202, "a session is answered {}", sent.status);
    let found = async {
        loop {
            let list = http::send(host, "GET", "/sessions/?session_id=known", &[], b"")?;
            if list.status == 200
                && let Some(id) = list.json()["results"][0]["id"].as_i64()
            {
                return anyhow::Ok(id.to_string());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(START, found).await.context("the session does not appear in the list")?
}
