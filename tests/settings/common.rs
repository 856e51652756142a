//! A service as a process, what it says, and requests to it.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use test_support::TestDatabase;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_mins(1);

/// The secret of all services here.
pub const SECRET: &str = "a secret of at least 32 bytes, for tests";

/// An empty database.
pub fn database() -> TestDatabase {
    tokio::runtime::Runtime::new().unwrap().block_on(TestDatabase::create())
}

/// The command with no setting of whoever runs the tests.
pub fn footfall(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_footfall"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FOOTFALL_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(arguments: &[&str]) -> Output {
    footfall(arguments).output().unwrap()
}

/// An account for a person.
pub fn add_account(url: &str, name: &str, password: &str) {
    let mut add = footfall(&["account", "add", name, "--database-url", url]);
    let mut child = add.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// A token for a program.
pub fn token(name: &str, role: &str, secret: &str) -> String {
    let issued = run(&["token", "issue", "--role", role, "--name", name, "--secret-key", secret]);
    format!("authorization: Bearer {}\r\n", String::from_utf8(issued.stdout).unwrap().trim())
}

/// A running service; killed when dropped.
pub struct Service {
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    /// `127.0.0.1:port`.
    pub address: String,
    _folder: tempfile::TempDir,
}

impl Service {
    /// `footfall up` on this database.
    pub fn up(database: &TestDatabase, arguments: &[&str]) -> Self {
        let url = database.url();
        Self::start(footfall(&[&["up", "--database-url", &url][..], arguments].concat()))
    }

    /// Starts a service and waits until it listens.
    pub fn start(mut command: Command) -> Self {
        command.stdout(Stdio::null());
        Self::start_with_output(command)
    }

    /// The same; its standard output goes where the command says.
    pub fn start_with_output(command: Command) -> Self {
        let mut service = Self::spawn(command);
        service.address = service.address_of("http");
        service
    }

    /// Starts a service that may not come to listen.
    pub fn spawn(mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let named = command.get_args().any(|argument| argument == "--listen");
        if !named {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mut child = command
            .env("FOOTFALL_OPS_LISTEN", "127.0.0.1:0")
            .env("FOOTFALL_SECRET_KEY", SECRET)
            .env("FOOTFALL_DATA_DIR", folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (lines, noted) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&said));
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| noted.lock().unwrap().push(line)));
        Self { child, said, address: String::new(), _folder: folder }
    }

    /// Waits until a line says this.
    pub fn says<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = self.said.lock().unwrap().iter().find_map(|line| find(line)) {
                return found;
            }
            let running = self.child.try_wait().unwrap().is_none();
            let said = self.said.lock().unwrap().join("\n");
            assert!(running && started.elapsed() < PATIENCE, "{said}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where its server of this name listens.
    pub fn address_of(&mut self, server: &str) -> String {
        self.says(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let listens = line["message"] == "listening" && line["server"] == server;
            let port = line["address"].as_str()?.rsplit(':').next()?;
            listens.then(|| format!("127.0.0.1:{port}"))
        })
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end; gives the exit code, and what it has said.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let started = Instant::now();
        while self.child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
        // the last lines come a moment after the end
        while Arc::strong_count(&self.said) > 1 {
            assert!(started.elapsed() < PATIENCE, "its output is not closed");
            std::thread::sleep(Duration::from_millis(10));
        }
        let said = self.said.lock().unwrap().join("\n");
        (self.child.wait().unwrap().code(), said)
    }

    /// The warnings until it listens.
    pub fn warnings(&self) -> String {
        let said = self.said.lock().unwrap();
        said.iter().filter(|line| line.contains("\"WARN\"")).cloned().collect::<Vec<_>>().join("\n")
    }

    /// One request; `headers` end in CR LF each.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        ask(&self.address, method, path, headers, body)
    }
}

/// One request to any server of a service.
pub fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let host = if headers.to_lowercase().starts_with("host:") { "" } else { &format!("host: {address}\r\n") };
    let request = format!(
        "{method} {path} HTTP/1.1\r\n{host}connection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    // an image is no text
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::parse(&String::from_utf8_lossy(&answer))
}

impl Service {
    /// A GET without more.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.said.lock().unwrap().join("\n"));
        }
    }
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// By name in lower case; the last of several.
    pub headers: BTreeMap<String, String>,
    pub cookies: Vec<String>,
    pub body: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let body = String::from_utf8(test_support::http::joined(head, body.as_bytes()).unwrap()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let cookies = headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, cookie)| cookie.clone());
        Self { status, cookies: cookies.collect(), headers: headers.into_iter().collect(), body }
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// `name=value` of a cookie that was set.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let line = self.cookies.iter().find(|cookie| cookie.starts_with(name))?;
        line.split(';').next()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }
}
