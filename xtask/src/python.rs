use crate::cache;
use anyhow::{Context, ensure};
use std::{ffi::OsStr, path::PathBuf, process::Stdio};
use tokio::process::Command;

/// What the clients written in Python are tried with.
const REQUIREMENTS: &str = include_str!("../python/requirements.txt");

/// A Python that has those packages, in an environment of its own; fetched by pip, once for each Python.
pub(crate) async fn environment() -> anyhow::Result<PathBuf> {
    let version =
        run("python3", &["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3], sys.base_prefix)"]).await?;
    let number = version.split_whitespace().next().unwrap_or_default();
    // an environment belongs to the very Python that made it
    let made_from = format!("# {}\n{REQUIREMENTS}", version.trim());
    let folder = cache::folder(&format!("python-{number}"), ("requirements.txt", &made_from), install).await?;
    Ok(folder.join("bin/python"))
}

async fn install(folder: PathBuf) -> anyhow::Result<()> {
    let (place, list) = (folder.display().to_string(), format!("{}/wanted.txt", folder.display()));
    std::fs::write(&list, REQUIREMENTS)?;
    run("python3", &["-m", "venv", &place]).await?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"];
    let arguments = [&pip[..], &["--requirement", &list]].concat();
    run(folder.join("bin/python"), &arguments).await.map(drop)
}

async fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.context("python3 cannot be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().last().unwrap_or_default();
    ensure!(output.status.success(), "python3 {} failed: {reason}", arguments[..2].join(" "));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
