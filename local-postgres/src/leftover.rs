//! What an earlier run may have left on the data: a PostgreSQL that still runs, processes of one that was killed, a
//! `postmaster.pid` that speaks of a process id which belongs to somebody else by now.
//!
//! Only the holder of the lock may be here.

use crate::{
    Error,
    folder::Folder,
    process::{is_alive, signal, wait_until},
};
use rustix::process::Signal;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a fast shutdown may take: it writes a checkpoint.
pub(crate) const FAST: Duration = Duration::from_secs(30);
/// How long an immediate one may take.
pub(crate) const IMMEDIATE: Duration = Duration::from_secs(10);
/// How long the processes of a server that was killed may need to notice.
const NOTICED: Duration = Duration::from_secs(5);

/// Ends whatever still works in the cluster, and removes what would keep the next server from starting.
pub(crate) async fn clear(folder: &Folder) -> Result<(), Error> {
    let cluster = folder.cluster();
    let pid_file = PidFile::of(&cluster);
    let Some(pid) = pid_file.read().map(|content| content.pid) else {
        // PostgreSQL refuses to start on a file that a power cut has left empty
        if pid_file.path.exists() && workers(&cluster).is_empty() {
            tracing::warn!("postmaster.pid cannot be read and is removed: nobody works here");
            remove(&pid_file.path)?;
        }
        return Ok(());
    };

    if workers(&cluster).contains(&pid) {
        tracing::warn!(pid, "a PostgreSQL that an earlier run left behind is stopped");
        stop(&cluster, pid).await?;
    }
    // without its postmaster a worker ends as soon as it is idle
    if !wait_until(NOTICED, || workers(&cluster).is_empty()).await {
        for worker in workers(&cluster) {
            signal(worker, Signal::QUIT);
        }
        wait_until(IMMEDIATE, || workers(&cluster).is_empty()).await;
    }
    if let Some(pid) = workers(&cluster).first() {
        return Err(Error::DoesNotStop { data_dir: folder.root.clone(), pid: *pid });
    }
    // PostgreSQL takes any live process of its own user under this id for its predecessor. It is none: nobody works in
    // the cluster. A file that speaks of a dead process stays, as PostgreSQL has more use for it (shared memory).
    if is_alive(pid) {
        tracing::warn!(pid, "postmaster.pid speaks of another program and is removed");
        remove(&pid_file.path)?;
    }
    let socket = folder.socket();
    let mut socket_lock = socket.clone().into_os_string();
    socket_lock.push(".lock");
    remove(&socket)?;
    remove(Path::new(&socket_lock))
}

/// SIGINT is a fast shutdown, SIGQUIT an immediate one. SIGTERM would wait for clients, SIGKILL leave shared memory.
async fn stop(cluster: &Path, pid: u32) -> Result<(), Error> {
    for (how, limit) in [(Signal::INT, FAST), (Signal::QUIT, IMMEDIATE)] {
        signal(pid, how);
        if wait_until(limit, || !workers(cluster).contains(&pid)).await {
            return Ok(());
        }
    }
    Err(Error::DoesNotStop { data_dir: cluster.to_owned(), pid })
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(Error::io("remove", path)),
    }
}

/// PostgreSQL's `postmaster.pid`.
pub(crate) struct PidFile {
    path: PathBuf,
}

/// What stands in it: the first line is the process id, the eighth the state.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFileContent {
    pub(crate) pid: u32,
    pub(crate) ready: bool,
}

impl PidFile {
    pub(crate) fn of(cluster: &Path) -> Self {
        Self { path: cluster.join("postmaster.pid") }
    }

    /// `None` when there is none, or nothing that can be understood.
    pub(crate) fn read(&self) -> Option<PidFileContent> {
        parse(&fs::read_to_string(&self.path).ok()?)
    }
}

fn parse(content: &str) -> Option<PidFileContent> {
    let pid = content.lines().next()?.trim().parse().ok()?;
    Some(PidFileContent { pid, ready: content.lines().nth(7).is_some_and(|state| state.trim() == "ready") })
}

/// The PostgreSQL processes that work in the cluster: they make it their working directory. A process id alone proves
/// nothing, since it may have been given to another program.
#[cfg(target_os = "linux")]
fn workers(cluster: &Path) -> Vec<u32> {
    let is_worker = |process: &Path| {
        fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == cluster)
            && fs::read_to_string(process.join("comm")).is_ok_and(|name| name.starts_with("postgres"))
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbered = processes.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())));
    numbered.filter(|(_, process)| is_worker(process)).map(|(pid, _)| pid).collect()
}

/// Without `/proc`, only the postmaster can be told: it names the cluster in its arguments.
#[cfg(not(target_os = "linux"))]
fn workers(cluster: &Path) -> Vec<u32> {
    let Ok(listed) = std::process::Command::new("ps").args(["-axww", "-o", "pid=,command="]).output() else {
        return Vec::new();
    };
    let argument = format!("-D {} ", cluster.display());
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let workers = listed.lines().filter(|line| line.contains("postgres") && line.contains(&argument));
    workers.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pid_file_is_understood_at_every_stage_of_its_life() {
        let ready = "4711\n/data\n1790000000\n5432\n/socket\n\n  1234   5\nready   \n";
        assert_eq!(parse(ready), Some(PidFileContent { pid: 4711, ready: true }));
        assert_eq!(parse("4711\n/data\n"), Some(PidFileContent { pid: 4711, ready: false }));
        assert_eq!(parse(""), None);
        assert_eq!(parse("-4711\n"), None); // a stand-alone backend: never ours
    }
}
