//! The fuzz targets, a while each: part of `cargo xtask test --full`.

use crate::{
    cargo::{self, cargo, root},
    jars::cache,
    parts::Parts,
};
use anyhow::{Context, bail, ensure};
use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::process::Command;

/// cargo-fuzz, which compiles the targets with the instrumentation that libFuzzer wants.
const VERSION: &str = "0.13.2";

/// How long each target runs unless `FOOTFALL_FUZZ_SECONDS` says otherwise.
const SECONDS: u32 = 30;

/// There is no unsafe code that a sanitizer could watch, and without one the stable compiler is enough.
const BUILD: [&str; 4] = ["--sanitizer", "none", "--target-dir", "target/fuzz"];

/// Compiles the targets and runs each for a while.
pub(crate) async fn run(parts: &mut Parts) -> anyhow::Result<()> {
    let format = ["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"];
    parts.run("format of the fuzz targets", cargo(&format, &[])).await?;
    let path = [("PATH".to_owned(), parts.run("cargo-fuzz", install()).await?)];
    let build = [&["fuzz", "build"], &BUILD[..]].concat();
    parts.run("compilation of the fuzz targets", cargo(&build, &path)).await?;
    parts.run("fuzz targets", run_all(&path[0].1)).await
}

/// Installs cargo-fuzz where no other program sees it, once; gives a `PATH` that has it.
async fn install() -> anyhow::Result<String> {
    let place = cache()?.join(format!("cargo-fuzz-{VERSION}"));
    let folder = place.join("bin");
    if !folder.join("cargo-fuzz").exists() {
        eprintln!("compiling cargo-fuzz {VERSION} into {}, once", place.display());
        let root = place.display().to_string();
        let version = format!("={VERSION}");
        cargo(&["install", "cargo-fuzz", "--version", &version, "--locked", "--quiet", "--root", &root], &[]).await?;
    }
    let paths = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
    let path = env::join_paths([folder].into_iter().chain(paths)).context("PATH")?;
    path.into_string().map_err(|path| anyhow::anyhow!("PATH is no text: {}", path.display()))
}

async fn run_all(path: &str) -> anyhow::Result<()> {
    let seconds = match env::var("FOOTFALL_FUZZ_SECONDS") {
        Ok(text) => text.parse().with_context(|| format!("FOOTFALL_FUZZ_SECONDS: {text:?} is no number"))?,
        Err(_) => SECONDS,
    };
    let mut found = Vec::new();
    for target in targets()? {
        // each has its time, whatever the one before has found
        if let Err(error) = run_one(&target, seconds, path).await {
            eprintln!("{error:#}");
            found.push(target);
        }
    }
    ensure!(found.is_empty(), "found something: {}", found.join(", "));
    Ok(())
}

/// Names of the targets, in order.
fn targets() -> anyhow::Result<Vec<String>> {
    let mut targets = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/targets")).context("fuzz/targets")? {
        let path = entry?.path();
        targets.extend(path.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
    }
    targets.sort();
    Ok(targets)
}

async fn run_one(target: &str, seconds: u32, path: &str) -> anyhow::Result<()> {
    let seeds = root().join("fuzz/corpus").join(target);
    let reproducers = root().join("target/fuzz/reproducers").join(target);
    fs::create_dir_all(&reproducers)?;
    // what a run finds on its way is not for the repository
    let scratch = tempfile::tempdir()?;
    let log = scratch.path().join("log");
    let corpus = scratch.path().join("corpus");
    fs::create_dir(&corpus)?;
    let mut command = Command::new(cargo::program());
    command.args(["fuzz", "run"]).args(BUILD).arg(target).args([&corpus, &seeds]).arg("--");
    command.arg(format!("-max_total_time={seconds}")).args([
        "-print_final_stats=1",
        "-timeout=10",
        "-rss_limit_mb=1024",
    ]);
    command.arg(format!("-artifact_prefix={}/", reproducers.display()));
    command.current_dir(root()).env("PATH", path).stdin(Stdio::null()).stdout(Stdio::null());
    let status = cargo::run(command.stderr(File::create(&log)?)).await?;
    let said = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
    if !status.success() {
        bail!("{}", failure(target, &said, &reproducers));
    }
    let (before, after) = coverage(&said).context("libFuzzer told no coverage")?;
    let executions = statistic(&said, "stat::number_of_executed_units:").context("libFuzzer told no executions")?;
    ensure!(executions > 0 && after > 0, "{target} did nothing");
    eprintln!(
        "{target}: {executions} executions in {seconds} s, {after} edges covered, {} of them new",
        after - before
    );
    Ok(())
}

/// What is covered by the seeds, and at the end.
fn coverage(said: &str) -> Option<(u64, u64)> {
    let covered = |line: &str| line.split_once("cov: ")?.1.split(' ').next()?.parse().ok();
    let seeds = said.lines().find(|line| line.contains("INITED")).and_then(covered)?;
    said.lines().rev().find_map(covered).map(|end| (seeds, end))
}

fn statistic(said: &str, name: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

/// What has been found, and how to see it again.
fn failure(target: &str, said: &str, reproducers: &Path) -> String {
    let reproducer = said.lines().find_map(|line| Some(PathBuf::from(line.split_once("Test unit written to ")?.1)));
    let reason: Vec<&str> = said.lines().skip_while(|line| !line.contains("panicked at")).take(4).collect();
    let reason = if reason.is_empty() { said.lines().rev().take(5).collect() } else { reason };
    let place = reproducer.unwrap_or_else(|| reproducers.to_owned());
    format!(
        "{target} found {}\n{}\nagain: target/fuzz/*/release/{target} {}",
        place.display(),
        reason.join("\n"),
        place.display()
    )
}
