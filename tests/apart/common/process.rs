use super::{SOON, http};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

/// A running command. Killed when dropped, and what it said is shown when the test has failed.
pub struct Process {
    name: String,
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    /// Both outputs, line by line.
    pub said: Vec<String>,
}

impl Ended {
    /// The last line, in which a command that failed says why. Each of the two outputs keeps its order, and a line of one
    /// may be read after the last one of the other.
    pub fn last_line(&self) -> &str {
        let complaint = self.said.iter().rfind(|line| line.starts_with("footfall: "));
        complaint.or_else(|| self.said.last()).map_or("", String::as_str)
    }

    /// # Panics
    /// When it has not ended well.
    pub fn well(self) -> Vec<String> {
        assert_eq!(self.code, Some(0), "{:#?}", self.said);
        self.said
    }
}

impl Process {
    pub fn start(name: &str, mut command: Command) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let said = Arc::default();
        collect(child.stdout.take().unwrap(), &said);
        collect(child.stderr.take().unwrap(), &said);
        Self { name: name.to_owned(), child, said }
    }

    /// What it has said so far, both outputs line by line.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    /// Looks again and again until there is something to be seen.
    async fn until<T>(&mut self, what: &str, within: Duration, look: impl Fn(&mut Self) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(seen) = look(self) {
                return seen;
            }
            assert!(started.elapsed() < within, "{}: not within {within:?}: {what}", self.name);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where its server of this name (`http`, `ops port`) listens, once it does.
    pub async fn address(&mut self, server: &str) -> SocketAddr {
        let pattern = format!("\"server\":\"{server}\"");
        let look = |process: &mut Self| {
            assert!(process.is_running(), "{} has ended", process.name);
            let said = process.said.lock().unwrap();
            let line = said.iter().find(|line| line.contains("\"listening\"") && line.contains(&pattern))?;
            serde_json::from_str::<serde_json::Value>(line).ok()?["address"].as_str()?.parse().ok()
        };
        self.until("it listens", SOON, look).await
    }

    /// What its ops port says is not ready; empty when it is ready.
    pub async fn not_ready(&mut self) -> String {
        let answer = http::get(self.address("ops port").await, "/readyz").await;
        let body = answer.json();
        assert_eq!(answer.status, if body["ready"] == true { 200 } else { 503 }, "{body}");
        if body["ready"] == true { String::new() } else { body["not_ready"].to_string() }
    }

    pub async fn until_ready(&mut self) {
        self.until_says("readiness", str::is_empty).await;
    }

    /// Waits until it has ended (`true`) or is ready.
    pub async fn ended_or_ready(&mut self) -> bool {
        let look = |process: &mut Self| {
            if !process.is_running() && Arc::strong_count(&process.said) == 1 {
                return Some(true);
            }
            let said = process.said.lock().unwrap();
            said.iter().any(|line| line.contains("\"message\":\"ready\"")).then_some(false)
        };
        self.until("it ends or is ready", SOON, look).await
    }

    /// Waits until it is not ready for a reason that contains this text.
    pub async fn until_not_ready(&mut self, reason: &str) {
        self.until_says(reason, |said| said.contains(reason)).await;
    }

    async fn until_says(&mut self, what: &str, condition: impl Fn(&str) -> bool) {
        let started = Instant::now();
        loop {
            let said = self.not_ready().await;
            if condition(&said) {
                return;
            }
            assert!(started.elapsed() < SOON, "{}: waited for {what:?}, and it says {said:?}", self.name);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// SIGKILL, and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> Ended {
        let status: ExitStatus = self.until("it ends", SOON * 5, |process| process.child.try_wait().unwrap()).await;
        // the last lines come a moment after the end
        self.until("its outputs are closed", SOON, |process| (Arc::strong_count(&process.said) == 1).then_some(()))
            .await;
        Ended { code: status.code(), said: self.said() }
    }

    /// SIGTERM, and fails unless it ends with exit code 0.
    pub async fn stop(self) {
        self.terminate();
        let name = self.name.clone();
        let ended = self.ended().await;
        assert_eq!(ended.code, Some(0), "{name}: {:#?}", ended.said);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // fails only for one that has ended
        drop(self.child.kill());
        drop(self.child.wait());
        if thread::panicking() {
            let said = self.said.lock().unwrap();
            println!("--- {} said, at the end:", self.name);
            said.iter().rev().take(60).rev().for_each(|line| println!("{line}"));
        }
    }
}

fn collect(output: impl Read + Send + 'static, said: &Arc<Mutex<Vec<String>>>) {
    let said = said.clone();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            said.lock().unwrap().push(String::from_utf8_lossy(&line).into_owned());
        }
    });
}
