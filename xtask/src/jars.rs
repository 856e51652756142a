use crate::cargo::root;
use anyhow::{Context, ensure};
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// Which Apache Kafka, and everything it needs.
const POM: &str = include_str!("../kafka/pom.xml");

/// The folder of Apache Kafka's jars; fetched by Maven, once.
pub(crate) async fn kafka() -> anyhow::Result<PathBuf> {
    let cache = cache()?;
    let place = cache.join(format!("kafka-{}", version()));
    // what stands in the folder is what it was made from: another pom.xml needs other jars
    if fs::read_to_string(place.join("pom.xml")).is_ok_and(|pom| pom == POM) {
        return Ok(place);
    }
    eprintln!("fetching Apache Kafka {} into {}, once", version(), place.display());
    fs::create_dir_all(&cache).with_context(|| format!("{} cannot be made", cache.display()))?;
    // under a temporary name, so that an interruption leaves nothing half-made under the one that counts
    let new = tempfile::Builder::new().prefix("kafka.new-").tempdir_in(&cache)?;
    copy_jars(new.path()).await?;
    fs::write(new.path().join("pom.xml"), POM)?;
    if place.exists() {
        fs::remove_dir_all(&place)?;
    }
    let new = new.keep();
    match fs::rename(&new, &place) {
        // somebody else was faster, with the same jars
        Err(_) if place.join("pom.xml").exists() => fs::remove_dir_all(&new)?,
        other => other.with_context(|| format!("{} cannot be made", place.display()))?,
    }
    Ok(place)
}

async fn copy_jars(folder: &Path) -> anyhow::Result<()> {
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

/// `$XDG_CACHE_HOME/footfall`, or `~/.cache/footfall`: outside the target folder, which people remove.
pub(crate) fn cache() -> anyhow::Result<PathBuf> {
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set: nowhere to keep what is fetched once")?.join("footfall"))
}
