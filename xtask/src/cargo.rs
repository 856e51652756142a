use anyhow::ensure;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};
use tokio::process::Command;

/// The cargo that runs us.
pub(crate) fn program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    // at run time where cargo tells it, since a checkout may have been moved
    let package = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_owned)
}

/// Runs cargo in the workspace with these arguments and variables, its output going to ours.
pub(crate) async fn cargo(arguments: &[&str], variables: &[(String, String)]) -> anyhow::Result<()> {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(root()).envs(variables.iter().map(|(name, value)| (name, value)));
    // what cargo has told us about ourselves; build scripts that look at it would run again each time
    for (name, _) in env::vars_os() {
        if ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    let status = run(command.stdin(Stdio::null())).await?;
    ensure!(status.success(), "cargo {} failed ({status})", arguments.first().copied().unwrap_or_default());
    Ok(())
}

/// Runs a program in a process group of its own; when the future is dropped, the whole group is killed, so that no
/// compiler or test goes on after an interruption.
pub(crate) async fn run(command: &mut Command) -> anyhow::Result<ExitStatus> {
    let mut child = command.process_group(0).spawn()?;
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let mut group = Group { pid };
    let status = child.wait().await?;
    group.pid = None;
    Ok(status)
}

struct Group {
    pid: Option<Pid>,
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(pid) = self.pid {
            // fails only when the group is gone
            kill_process_group(pid, Signal::KILL).unwrap_or_default();
        }
    }
}
