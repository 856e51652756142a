//! How PostgreSQL's programs are started: as the right user, out of reach of Ctrl-C, and never outliving us.

use crate::{Error, account::Account};
use rustix::process::{Pid, Signal};
use std::{
    env,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::Command;

/// One of PostgreSQL's programs, to be run in `folder`.
///
/// When the thread that starts it ends, it gets `at_our_death` (on Linux; elsewhere the next start has to clear up).
pub(crate) fn command(program: &Path, folder: &Path, account: Option<&Account>, at_our_death: Signal) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    // nothing of ours (PGDATA, PGPORT, a locale) may leak in; messages have to be English, as we look at some of them
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C");
    for name in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"] {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    if let Some(account) = account {
        // supplementary groups are dropped along with root
        command.uid(account.uid).gid(account.gid);
    }
    // a group of its own: Ctrl-C reaches us alone, and we stop PostgreSQL last
    command.process_group(0);
    end_with_us(&mut command, at_our_death);
    command
}

#[cfg(target_os = "linux")]
fn end_with_us(command: &mut Command, signal: Signal) {
    let parent = Pid::from_raw(i32::try_from(std::process::id()).unwrap_or_default());
    let set = move || {
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        // we may have ended before the signal was set
        if rustix::process::getppid() == parent { Ok(()) } else { Err(rustix::io::Errno::CHILD.into()) }
    };
    #[expect(unsafe_code, reason = "the only way to set a parent-death signal; two system calls, no allocation")]
    // SAFETY: between fork and exec the closure makes two system calls and touches neither heap nor locks.
    unsafe {
        command.pre_exec(set);
    }
}

#[cfg(not(target_os = "linux"))]
fn end_with_us(_: &mut Command, _: Signal) {}

/// Sends a signal; a process that is gone is fine, everything else is visible from whether it ends.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw)
        && let Err(error) = rustix::process::kill_process(pid, signal)
    {
        tracing::debug!(pid = pid.as_raw_nonzero().get(), %error, "signal not sent");
    }
}

/// Whether any process has this id and we might signal it.
pub(crate) fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

/// Asks every few milliseconds until `condition` holds; false when it does not within `limit`.
pub(crate) async fn wait_until(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !condition() {
        if started.elapsed() > limit {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    true
}

/// What PostgreSQL says when the disk is full, in the C locale.
pub(crate) const DISK_FULL: &str = "No space left on device";

/// A program's last words as one line: what was fatal if it says so, else the last that it said.
pub(crate) fn cause(output: &str) -> String {
    let lines = || output.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = |line: &&str| ["PANIC:", "FATAL:", "error:", "ERROR:"].iter().any(|mark| line.contains(mark));
    lines().rev().find(telling).or_else(|| lines().next_back()).unwrap_or("it said nothing").to_owned()
}

/// What keeps `program` from being started at all.
pub(crate) fn not_started(program: &Path, account: Option<&Account>, error: &std::io::Error) -> String {
    match (error.kind(), account) {
        (std::io::ErrorKind::PermissionDenied, Some(account)) => {
            format!("the user `{}` may not run {}", account.name, program.display())
        }
        _ => format!("{} cannot be run: {error}", program.display()),
    }
}

/// [`Error::DiskFull`] when that is what `output` speaks of, else what `otherwise` makes of its cause.
pub(crate) fn failure(output: &str, folder: &Path, otherwise: impl FnOnce(String) -> Error) -> Error {
    if output.contains(DISK_FULL) {
        return Error::DiskFull { path: folder.to_owned() };
    }
    otherwise(cause(output))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_the_last_line_that_says_what_was_fatal() {
        assert_eq!(cause("LOG: a\nFATAL:  lock file\nHINT: is another\n"), "FATAL:  lock file");
        assert_eq!(cause("creating\n\n"), "creating");
        assert_eq!(cause(""), "it said nothing");
    }

    #[test]
    fn a_full_disk_is_recognised() {
        let error = failure("PANIC: could not write: No space left on device\n", Path::new("/d"), |cause| {
            Error::Initdb { cause }
        });
        assert!(matches!(error, Error::DiskFull { .. }));
    }
}
