use crate::cache;
use anyhow::{Context, ensure};
use std::{fs, path::PathBuf, process::Stdio};
use tokio::process::Command;

/// What is wanted, and with which checksum.
const PACKAGE: &str = include_str!("../npm/package.json");
const LOCK: &str = include_str!("../npm/package-lock.json");

/// axe-core, as one file for browsers; fetched by npm, once. npm refuses what has another checksum than the lock file says.
pub(crate) async fn axe() -> anyhow::Result<PathBuf> {
    let folder = cache::folder("npm", ("package-lock.json", LOCK), install).await?;
    Ok(folder.join("node_modules/axe-core/axe.min.js"))
}

async fn install(folder: PathBuf) -> anyhow::Result<()> {
    fs::write(folder.join("package.json"), PACKAGE)?;
    fs::write(folder.join("package-lock.json"), LOCK)?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]).current_dir(&folder);
    let output = npm.stdin(Stdio::null()).kill_on_drop(true).output().await.context("npm cannot be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().find(|line| line.contains("npm error")).unwrap_or_default();
    ensure!(output.status.success(), "npm could not fetch axe-core: {reason}");
    Ok(())
}
