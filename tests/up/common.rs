//! The program as its users have it: a process, its output, its answers over HTTP.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};
use test_support::Lines;

const FOOTFALL: &str = env!("CARGO_BIN_EXE_footfall");

/// How long anything may take before a test gives up.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// The command with a clean environment.
pub fn footfall<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(FOOTFALL);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FOOTFALL_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The same as the user `nobody` where we are root, who may run a copy of the program in `folder`.
pub fn footfall_as_nobody(folder: &Path) -> Command {
    let mut command = footfall([""; 0]);
    if rustix::process::geteuid().is_root() {
        let program = folder.join("footfall");
        std::fs::copy(FOOTFALL, &program).unwrap();
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
        let nobody = passwd.lines().find(|line| line.starts_with("nobody:")).unwrap();
        let id = |field: usize| nobody.split(':').nth(field).unwrap().parse().unwrap();
        command = Command::new(program);
        command.uid(id(2)).gid(id(3)).current_dir("/").env("HOME", folder).stdin(Stdio::null());
    }
    command
}

/// Runs a command to its end.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    footfall(arguments).output().unwrap()
}

/// What went wrong, without the log lines around it.
pub fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("footfall: ")).collect();
    assert_eq!(lines.len(), 1, "one line for the operator, not: {text}");
    lines[0].to_owned()
}

/// Asks again until there is an answer.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A running `footfall up`, ended with the value.
pub struct Up {
    child: Child,
    /// `127.0.0.1:port`.
    pub address: String,
    /// Path and token of the link that was printed.
    pub link: String,
    /// The command to paste.
    pub curl: String,
}

impl Up {
    /// Starts one on a port that is free, on a data directory, with further arguments.
    pub fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", data_dir, arguments)
    }

    /// Starts one on this address.
    pub fn start_at(listen: &str, data_dir: &Path, arguments: &[&str]) -> Self {
        Self::spawn(&mut footfall([""; 0]), listen, data_dir, arguments)
    }

    /// Starts what this command runs.
    pub fn spawn(footfall: &mut Command, listen: &str, data_dir: &Path, arguments: &[&str]) -> Self {
        let mut child = footfall
            .args(["up", "--listen", listen, "--ops-listen", "127.0.0.1:0", "--log", "warn", "--data-dir"])
            .arg(data_dir)
            .args(arguments)
            // one address sends everything; a test of the throttle sets the flag
            .env("FOOTFALL_THROTTLE_BASE", "off")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            said.push(line.unwrap());
            if said.last().unwrap().contains("Ctrl-C") {
                break;
            }
        }
        let find = |start: &str| said.iter().find_map(|line| line.trim().strip_prefix(start));
        let Some(site) = find("Lists ") else { panic!("`up` did not start: {:?} {said:?}", child.wait()) };
        let address = site.trim().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let report = find("Report ").unwrap().trim();
        let link = report.split_once(&address).unwrap().1.to_owned();
        let curl = said.iter().find(|line| line.contains("curl ")).unwrap().trim().to_owned();
        Self { child, address, link, curl }
    }

    /// As `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As Ctrl-C does; gives the exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        assert!(Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap().success());
        let status = eventually("the process ends", || self.child.try_wait().unwrap());
        status.code()
    }

    /// Waits until the read model has everything that the log has.
    pub fn caught_up(&self) {
        eventually("the projector has caught up", || {
            let (status, _, body) = get(&self.address, "/status/", "");
            let status_says: serde_json::Value = serde_json::from_str(&body).ok()?;
            (status == 200 && status_says["lag_records"] == 0 && status_says["partitions"][0].is_object()).then_some(())
        });
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A load in the background, ended with the value.
pub struct Load {
    child: Child,
    acknowledged: Lines,
}

impl Load {
    /// Sends so many events, `batch` of them a request, and notes what was acknowledged.
    pub fn start(address: &str, events: u64, batch: u16, acknowledged: &Path) -> Self {
        let (url, events, batch) = (format!("http://{address}"), events.to_string(), batch.to_string());
        let many = ["--events", &events, "--batch", &batch, "--connections", "32"];
        let mut command = footfall([&["load", "--url", &url][..], &many, &["--acknowledged"]].concat());
        let child = command.arg(acknowledged).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child, acknowledged: Lines::of(acknowledged) }
    }

    /// Waits until so many events are acknowledged.
    pub fn until_acknowledged(&mut self, events: u64) {
        while self.acknowledged.count() < events {
            assert!(self.progress().is_none(), "the load ended before {events} events were acknowledged");
        }
    }

    /// Waits for its end, which must be a good one.
    pub fn finish(mut self) {
        let status = loop {
            if let Some(status) = self.progress() {
                break status;
            }
        };
        assert!(status.success(), "{status}");
    }

    /// Waits until it has come further or has ended.
    fn progress(&mut self) -> Option<ExitStatus> {
        let before = self.acknowledged.count();
        eventually("the load comes further", || {
            let ended = self.child.try_wait().unwrap();
            (ended.is_some() || self.acknowledged.count() > before).then_some(ended)
        })
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status, head and body of a GET; `headers` end in CR LF each.
pub fn get(address: &str, path: &str, headers: &str) -> (u16, String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n"))
}

/// The same for a POST.
pub fn post(address: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
    let length = body.len();
    ask(
        address,
        &format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        ),
    )
}

/// The header line for JSON.
pub const JSON: &str = "content-type: application/json\r\n";

fn ask(address: &str, request: &str) -> (u16, String, String) {
    let answer = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    });
    // refused or broken off: nobody is there
    let Ok(answer) = answer else { return (0, String::new(), String::new()) };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let body = test_support::http::joined(head, body.as_bytes()).unwrap_or_default();
    (status, head.to_owned(), String::from_utf8_lossy(&body).into_owned())
}
