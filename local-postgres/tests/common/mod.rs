//! A process that owns a PostgreSQL, to be killed and to be run as somebody else.

#![expect(dead_code, reason = "no test uses all of it")]

use rustix::process::{Pid, Signal, geteuid, kill_process};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    ffi::OsStr,
    fs::{self, Permissions},
    io::{BufRead, BufReader, Read},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use test_support::eventually;

/// Long enough for a machine that is busy with other tests.
pub const SOON: Duration = Duration::from_mins(1);

/// A folder that everybody may enter, with a data directory in it that is still to be made.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("footfall").tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn cluster(&self) -> PathBuf {
        self.data_dir().join("postgres")
    }

    /// The process id in `postmaster.pid`, once it is there.
    pub fn postmaster(&self) -> Option<u32> {
        fs::read_to_string(self.cluster().join("postmaster.pid")).ok()?.lines().next()?.parse().ok()
    }
}

pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Where only root can show something, anybody else says so and goes on.
pub fn only_as_root(test: &str) -> bool {
    if !is_root() {
        println!("{test}: can be shown as root alone");
    }
    is_root()
}

/// The user `nobody` of this system.
pub fn nobody() -> (u32, u32) {
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let line = passwd.lines().find(|line| line.starts_with("nobody:")).unwrap();
    let field = |at: usize| line.split(':').nth(at).unwrap().parse().unwrap();
    (field(2), field(3))
}

/// A running `run-postgres`; killed with the value.
pub struct Owner {
    child: Child,
    pub started: bool,
    options: PgConnectOptions,
}

/// How to run `run-postgres`.
pub struct Start {
    command: Command,
}

impl Start {
    pub fn on(data_dir: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_run-postgres"));
        command.arg(data_dir).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        for variable in local_postgres::VARIABLES {
            command.env_remove(variable);
        }
        Self { command }
    }

    /// As the user `nobody` where we are root, who may run a copy of the program in `place`.
    pub fn unprivileged_on(data_dir: &Path, place: &Place) -> Self {
        let mut start = Self::on(data_dir);
        if is_root() {
            let program = place.path().join("run-postgres");
            fs::copy(env!("CARGO_BIN_EXE_run-postgres"), &program).unwrap();
            let mut command = Command::new(program);
            command.args(start.command.get_args()).current_dir("/").env("HOME", place.path());
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let (uid, gid) = nobody();
            command.uid(uid).gid(gid);
            start.command = command;
        }
        start
    }

    pub fn with(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn spawn(mut self) -> Child {
        self.command.spawn().unwrap()
    }

    /// Waits until PostgreSQL answers.
    pub fn start(self) -> Owner {
        let mut child = self.spawn();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some((how, url)) = line.trim().split_once(' ') else {
            panic!("PostgreSQL did not start: {}", said(&mut child));
        };
        Owner { started: how == "started", options: url.parse().unwrap(), child }
    }

    /// Waits for the refusal that is to come, one line.
    pub fn refused(self) -> String {
        let mut child = self.spawn();
        let said = said(&mut child);
        assert!(!child.wait().unwrap().success(), "it was not refused");
        let line = said.lines().last().unwrap_or_default().to_owned();
        println!("{line}");
        line
    }
}

fn said(child: &mut Child) -> String {
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    said
}

impl Owner {
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect_with(&self.options).await.unwrap()
    }

    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// What a statement gives, as text.
    pub async fn ask(&self, statement: &str) -> String {
        let mut connection = self.connect().await;
        let answer = sqlx::query_scalar(statement).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        answer
    }

    /// Runs statements that give nothing.
    pub async fn run(&self, statements: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and expects that all ends well.
    pub fn stop(mut self) {
        signal(self.pid(), Signal::TERM);
        assert!(self.child.wait().unwrap().success(), "{}", said(&mut self.child));
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // it may be dead already, and then there is nothing to do
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

/// The processes, apart from zombies, that work in this folder.
pub fn workers(folder: &Path) -> Vec<u32> {
    let works_there = |pid: &u32| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder);
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(works_there).collect()
}

pub async fn gone(folder: &Path) {
    eventually("PostgreSQL is gone", SOON, async || workers(folder).is_empty().then_some(())).await;
}
