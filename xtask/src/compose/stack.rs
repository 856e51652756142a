use crate::cargo::root;
use anyhow::{Context, bail, ensure};
use std::{
    process::{Output, Stdio},
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, process::Command, time::sleep};

/// How long anything may take that is waited for, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_mins(5);

/// The services of `docker-compose.yml`, under a project name of their own.
///
/// Knows `docker` alone, and whatever engine the environment names.
#[derive(Clone)]
pub(crate) struct Stack {
    variables: Vec<(String, String)>,
}

/// The volume in which loads write down what was acknowledged.
pub(crate) const LOADS: &str = "footfall-xtask-loads";

/// The services that run all the time.
pub(crate) const SERVICES: [&str; 6] = ["kafka", "postgres", "ingest", "projector", "query-api", "proxy"];

impl Stack {
    /// The stack of these files, which `root` is the folder of; `variables` are those that the files heed.
    pub(crate) fn new(project: &str, files: &[&str], variables: &[(&str, &str)]) -> Self {
        let own = [("COMPOSE_PROJECT_NAME", project), ("COMPOSE_FILE", &files.join(":"))];
        let all = own.iter().chain(variables);
        Self { variables: all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
    }

    /// The same with one more variable, or another value of one.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut stack = self.clone();
        stack.variables.retain(|(known, _)| known != name);
        stack.variables.push((name.to_owned(), value.to_owned()));
        stack
    }

    /// A program in the repository, which finds this stack.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root()).stdin(Stdio::null()).kill_on_drop(true);
        // settings of whoever runs this are not the stack's
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FOOTFALL_")) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end, and gives what it said.
    pub(crate) async fn output(&self, program: &str, arguments: &[&str]) -> anyhow::Result<Output> {
        self.command(program, arguments).output().await.with_context(|| format!("{program} cannot be run"))
    }

    /// The same; an error when it does not end well.
    pub(crate) async fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.output(program, arguments).await?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("{program} {} failed ({}): {said} {}", arguments.join(" "), output.status, why.trim());
        }
        Ok(said)
    }

    /// `docker …`
    pub(crate) async fn docker(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run("docker", arguments).await
    }

    /// `docker compose …`
    pub(crate) async fn compose(&self, arguments: &[&str]) -> anyhow::Result<String> {
        self.run("docker", &[&["compose"], arguments].concat()).await
    }

    /// `docker …` with a text on its standard input.
    pub(crate) async fn docker_with_input(&self, arguments: &[&str], input: &str) -> anyhow::Result<()> {
        let mut docker = self.command("docker", arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        // closed by the end of this statement, which is what docker waits for
        docker.stdin.take().context("it has a standard input")?.write_all(input.as_bytes()).await?;
        ensure!(docker.wait().await?.success(), "docker {} failed", arguments.join(" "));
        Ok(())
    }

    /// Gone, with all data.
    pub(crate) async fn down(&self) -> anyhow::Result<()> {
        self.compose(&["--profile", "*", "down", "--volumes", "--remove-orphans"]).await?;
        // what the loads have acknowledged belongs to no service
        self.docker(&["volume", "rm", "--force", LOADS]).await.map(drop)
    }

    /// Containers of a service that are there, running or not.
    pub(crate) async fn containers(&self, service: &str) -> anyhow::Result<Vec<String>> {
        let said = self.compose(&["ps", "-aq", service]).await?;
        Ok(said.split_whitespace().map(str::to_owned).collect())
    }

    /// Waits until every container of these services is healthy.
    pub(crate) async fn until_healthy(&self, services: &[&str]) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let mut waiting = Vec::new();
            for service in services {
                let containers = self.containers(service).await?;
                if containers.is_empty() {
                    waiting.push(format!("{service}: none"));
                }
                for container in containers {
                    // it may be gone by now
                    let format = "{{.State.Status}} {{.State.Health.Status}}";
                    let state = self.docker(&["inspect", "-f", format, &container]).await.unwrap_or_default();
                    if state != "running healthy" {
                        waiting.push(format!("{service}: {state}"));
                    }
                }
            }
            if waiting.is_empty() {
                return Ok(());
            }
            ensure!(started.elapsed() < PATIENCE, "not healthy: {}", waiting.join(", "));
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// `kill -9` of a container's process, from outside: the engine sees it end, and has not been asked for it.
    pub(crate) async fn crash(&self, container: &str) -> anyhow::Result<()> {
        let process = self.docker(&["inspect", "-f", "{{.State.Pid}}", container]).await?;
        let image = self.image("postgres").await?;
        let kill = format!("kill -9 {process}");
        self.docker(&["run", "--rm", "--pid=host", "--network=none", "--entrypoint=bash", &image, "-c", &kill])
            .await
            .map(drop)
    }

    /// The image that a service's container runs.
    pub(crate) async fn image(&self, service: &str) -> anyhow::Result<String> {
        let containers = self.containers(service).await?;
        let container = containers.first().with_context(|| format!("{service} has no container"))?;
        self.docker(&["inspect", "-f", "{{.Image}}", container]).await
    }

    /// The first column of the only row that a query of the read model gives.
    pub(crate) async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let sql = format!("SET search_path = footfall; {sql}");
        let arguments = ["exec", "-T", "postgres", "psql", "-U", "footfall", "-d", "footfall", "-qtAc", &sql];
        let said = self.compose(&arguments).await?;
        said.parse().with_context(|| format!("PostgreSQL says {said:?}"))
    }

    /// Events that are in the read model, rows or folded into their session.
    pub(crate) async fn stored(&self) -> anyhow::Result<i64> {
        self.number("SELECT coalesce(sum(events), 0)::bigint FROM tally WHERE outcome IN ('stored', 'folded')").await
    }

    /// How many partitions each projector has.
    pub(crate) async fn shares(&self) -> anyhow::Result<String> {
        let tool = "/opt/kafka/bin/kafka-consumer-groups.sh";
        let arguments = ["exec", "-T", "kafka", tool, "--bootstrap-server", "kafka:9092", "--describe", "--members"];
        let said = self.compose(&[&arguments[..], &["--group", "footfall-projector"]].concat()).await?;
        // GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS
        let members = said.lines().filter(|line| line.starts_with("footfall-projector"));
        let shares: Vec<&str> = members.filter_map(|line| line.split_whitespace().nth(4)).collect();
        Ok(shares.join(" + "))
    }

    /// Waits until nothing comes to the read model any more; `expected` events are to be there by then.
    pub(crate) async fn until_stored(&self, expected: i64) -> anyhow::Result<i64> {
        let started = Instant::now();
        let mut before = -1;
        loop {
            let stored = self.stored().await?;
            if (stored >= expected && stored == before) || started.elapsed() > PATIENCE {
                return Ok(stored);
            }
            before = stored;
            sleep(Duration::from_secs(2)).await;
        }
    }
}
