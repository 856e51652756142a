use crate::{cache, cargo::root};
use anyhow::{Context, ensure};
use std::path::PathBuf;
use tokio::process::Command;

/// Which Apache Kafka, and everything it needs.
const POM: &str = include_str!("../kafka/pom.xml");

/// The folder of Apache Kafka's jars; fetched by Maven, once.
pub(crate) async fn kafka() -> anyhow::Result<PathBuf> {
    cache::folder(&format!("kafka-{}", version()), ("pom.xml", POM), copy_jars).await
}

async fn copy_jars(folder: PathBuf) -> anyhow::Result<()> {
    let mut mvn = Command::new("mvn");
    mvn.args(["--batch-mode", "--no-transfer-progress", "--file"]).arg(root().join("xtask/kafka/pom.xml"));
    mvn.args(["dependency:copy-dependencies", "-DincludeScope=runtime"]);
    mvn.arg(format!("-DoutputDirectory={}", folder.display()));
    let output = mvn.kill_on_drop(true).output().await.context("mvn cannot be run")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let errors: Vec<&str> = said.lines().filter(|line| line.contains("ERROR")).take(3).collect();
    ensure!(output.status.success(), "Maven could not fetch Apache Kafka: {}", errors.join(" "));
    Ok(())
}

fn version() -> &'static str {
    let (_, rest) = POM.split_once("<kafka.version>").expect("pom.xml names the version");
    rest.split('<').next().unwrap_or(rest)
}
