use crate::{
    cargo::{cargo, root},
    site::Site,
};
use anyhow::{Context, bail, ensure};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};
use test_support::http;
use tokio::{process::Command, time::timeout};

/// The version whose checks the configuration answers.
const VERSION: &str = "4.32.5";

/// The same requests each time; `FOOTFALL_TEST_SEED` gives others.
const SEED: u64 = 20_261_125;

/// How long an event may take to be seen.
const START: Duration = Duration::from_mins(1);

/// Lets schemathesis ask a running Footfall whatever its description allows, and what it does not. `database` is a server
/// on which a database can be made.
pub(crate) async fn run(database: &str) -> anyhow::Result<()> {
    let schemathesis = install().await?;
    cargo(&["build", "--locked", "--package", "footfall"], &[]).await?;
    let site = Site::start(database, "schemathesis", &[]).await?;
    let session = known_session(site.host()).await?;
    let asked = ask(&schemathesis, &site, &session).await;
    site.stop().await?;
    asked
}

/// `cargo xtask schemathesis`.
pub(crate) async fn alone(interrupted: impl Future<Output = ()>) -> anyhow::Result<ExitCode> {
    let database = crate::site::engine()?;
    tokio::select! {
        asked = run(&database) => asked.map(|()| ExitCode::SUCCESS),
        () = interrupted => Ok(ExitCode::FAILURE),
    }
}

async fn ask(schemathesis: &Path, site: &Site, session: &str) -> anyhow::Result<()> {
    let seed = env::var("FOOTFALL_TEST_SEED").unwrap_or_else(|_| SEED.to_string());
    eprintln!("schemathesis {VERSION}, FOOTFALL_TEST_SEED={seed}");
    let mut command = Command::new(schemathesis);
    command
        .args(["run", &format!("{}/openapi.json", site.address), "--seed", &seed])
        .args(["--checks", "all", "--continue-on-failure", "--workers", "2"])
        // its configuration and its hooks lie here
        .current_dir(root().join("xtask/schemathesis"))
        .env("FOOTFALL_SCHEMATHESIS_TOKEN", &site.token)
        .env("FOOTFALL_SCHEMATHESIS_SESSION", session)
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
