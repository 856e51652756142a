use super::{
    java,
    probe::is_ready,
    properties::{Ports, properties},
};
use anyhow::{Context, bail, ensure};
use rand::seq::IndexedRandom;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, OpenOptions},
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How long a node may take to start, on a machine that compiles meanwhile, and to stop.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a node is made of.
#[derive(Clone, Debug)]
pub struct NodeSettings {
    /// Apache Kafka's jars, as Java takes them: `/some/folder/*`.
    pub classpath: String,
    /// Where everything goes: settings, data, what the broker says. Made if it is not there.
    pub folder: PathBuf,
    /// The largest heap, MiB.
    pub heap: u16,
    /// Whether it lives for so short that compiling its code well would only cost time, and may be killed and started again.
    pub short_lived: bool,
}

/// Apache Kafka, one node. Killed when dropped.
#[derive(Debug)]
pub struct Node {
    settings: NodeSettings,
    ports: Ports,
    running: Option<Running>,
}

/// The process, and what keeps the thread alive that it is bound to.
#[derive(Debug)]
struct Running {
    child: Child,
    _bound_to: mpsc::Sender<()>,
}

impl Node {
    /// Prepares a node's folder, starts it, and waits until topics can be made.
    pub async fn start(settings: NodeSettings) -> anyhow::Result<Self> {
        let data = settings.folder.join("data");
        fs::create_dir_all(&data)?;
        let mut node = Self { settings, ports: Ports::choose(), running: None };
        fs::write(node.properties_file(), properties(node.ports, &data, node.settings.short_lived))?;
        node.format().await?;
        node.start_again().await?;
        Ok(node)
    }

    /// `host:port` for clients.
    pub fn brokers(&self) -> String {
        format!("127.0.0.1:{}", self.ports.broker)
    }

    /// Starts a stopped or killed node on the same ports and the same data.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        ensure!(self.running.is_none(), "the broker runs already");
        let mut command = java::command();
        command.arg(format!("-Xmx{}m", self.settings.heap)).arg("-Xms64m");
        if self.settings.short_lived {
            command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
        }
        command.args(["-cp", &self.settings.classpath, "kafka.Kafka"]).arg(self.properties_file());
        self.running = Some(self.spawn(command)?);

        let started = Instant::now();
        while !is_ready(self.ports.broker).await {
            let running = self.running.as_mut().expect("it was set above and is taken by stop and kill alone");
            if let Some(status) = running.child.try_wait()? {
                self.running = None;
                bail!("the broker has ended ({status}): {}", self.last_words());
            }
            ensure!(started.elapsed() < PATIENCE, "the broker is not ready: {}", self.last_words());
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Asks it to end in order, and waits for that.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut running) = self.running.take() else { return Ok(()) };
        let pid = Pid::from_child(&running.child);
        kill_process(pid, Signal::TERM)?;
        let asked = Instant::now();
        while running.child.try_wait()?.is_none() {
            if asked.elapsed() > PATIENCE {
                running.kill();
                bail!("the broker does not stop: {}", self.last_words());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill();
        }
    }

    async fn format(&self) -> anyhow::Result<()> {
        let mut command = java::command();
        command.args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", &self.settings.classpath]);
        command.args(["kafka.tools.StorageTool", "format", "-t", &cluster_id(), "-c"]).arg(self.properties_file());
        let mut running = self.spawn(command)?;
        let status = loop {
            match running.child.try_wait()? {
                Some(status) => break status,
                None => sleep(Duration::from_millis(20)).await,
            }
        };
        ensure!(status.success(), "the broker's storage cannot be prepared: {}", self.last_words());
        Ok(())
    }

    /// From a thread that lives as long as the process: the process is bound to it, and a test's own threads may end
    /// before the test does.
    fn spawn(&self, mut command: Command) -> anyhow::Result<Running> {
        let log = OpenOptions::new().create(true).append(true).open(self.log_file())?;
        command.stdout(log.try_clone()?).stderr(log);
        let (give, given) = mpsc::sync_channel(1);
        let (bound_to, bound) = mpsc::channel::<()>();
        let spawner = move || {
            let spawned = command.spawn();
            if give.send(spawned).is_ok() {
                // ends with an error, when the sender is gone
                bound.recv().unwrap_or_default();
            }
        };
        thread::Builder::new().name("kafka".into()).spawn(spawner)?;
        let child = given.recv()?.context("java cannot be run")?;
        Ok(Running { child, _bound_to: bound_to })
    }

    fn properties_file(&self) -> PathBuf {
        self.settings.folder.join("server.properties")
    }

    fn log_file(&self) -> PathBuf {
        self.settings.folder.join("kafka.log")
    }

    fn last_words(&self) -> String {
        last_lines(&self.log_file())
    }
}

impl Running {
    fn kill(&mut self) {
        // fails only for one that has ended
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// 16 bytes in base64 for addresses, as Kafka wants them; the last character carries two bits alone.
fn cluster_id() -> String {
    let letters: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').collect();
    let mut random = rand::rng();
    let id = std::iter::repeat_with(|| *letters.choose(&mut random).expect("there are letters"));
    id.take(21).chain(['A']).collect()
}

fn last_lines(log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = said.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}
