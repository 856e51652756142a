use anyhow::{Context, ensure};
use std::{fs, process::Stdio};
use tokio::process::Command;

/// Whether packages can be installed by ourselves: as root on Debian, which is what a fresh CI machine is.
pub(crate) fn can_install() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    rustix::process::geteuid().is_root() && release.lines().any(|line| line == "ID=debian")
}

/// Installs packages, saying so.
pub(crate) async fn install(packages: Vec<&'static str>) -> anyhow::Result<()> {
    let names = packages.join(" ");
    eprintln!("installing {names} with apt-get, once");
    apt_get(&["update", "-qq"]).await?;
    let install = ["install", "-qq", "--no-install-recommends"];
    apt_get(&[&install[..], &packages].concat()).await.with_context(|| format!("install the packages {names}"))
}

async fn apt_get(arguments: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments).arg("--yes").env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    let output = command.kill_on_drop(true).output().await.context("apt-get cannot be run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let reason = said.lines().find(|line| line.starts_with("E: ")).unwrap_or_default();
    ensure!(output.status.success(), "apt-get {} failed: {reason}", arguments[0]);
    Ok(())
}
