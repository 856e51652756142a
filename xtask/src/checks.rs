use crate::{TestArguments, cargo::cargo, engines::Engines, fuzz, jars, parts::Parts, tools};
use anyhow::Context;
use std::{path::PathBuf, process::ExitCode};

/// `cargo xtask test`. Whatever happens, the engines are stopped and what was done is listed.
pub(crate) async fn test(arguments: TestArguments, interrupted: impl Future<Output = ()>) -> anyhow::Result<ExitCode> {
    tools::check()?;
    let mut parts = Parts::default();
    let mut engines = None;
    let was_interrupted = tokio::select! {
        // a part that fails has said so, and is listed
        _ = run(&arguments, &mut parts, &mut engines) => false,
        () = interrupted => true,
    };
    if let Some(engines) = engines {
        // counted as a failure as well: they are to stop
        drop(parts.run("end of the engines", engines.stop()).await);
    }
    eprintln!("\n{parts}");
    if was_interrupted {
        eprintln!("interrupted");
    }
    let well = parts.all_well() && !was_interrupted;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run(arguments: &TestArguments, parts: &mut Parts, engines: &mut Option<Engines>) -> anyhow::Result<()> {
    // Maven waits for the network while the compiler works
    let jars = tokio::spawn(jars::kafka());
    let mut tests = vec!["test", "--locked"];
    if let Some(package) = &arguments.only {
        tests.extend(["--package", package]);
    } else {
        check(parts).await?;
        tests.push("--workspace");
    }
    parts.run("compilation of the tests", cargo(&[&tests[..], &["--no-run"]].concat(), &[])).await?;
    let jars = async { jars.await.context("fetching Apache Kafka's jars was broken off")? };
    let jars: PathBuf = parts.run("Apache Kafka's jars", jars).await?;
    let running = engines.insert(parts.run("start of the engines", Engines::start(jars)).await?);
    let given = arguments.cargo_arguments.iter().map(String::as_str);
    tests.extend(given);
    let tests = parts.run("tests", cargo(&tests, &running.variables())).await;
    if arguments.full {
        fuzz::run(parts).await?;
    }
    tests
}

/// What needs no engine. A wrong format keeps nothing else from being looked at.
async fn check(parts: &mut Parts) -> anyhow::Result<()> {
    let format = parts.run("format", cargo(&["fmt", "--all", "--check"], &[])).await;
    let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    parts.run("lints", cargo(&lints, &[])).await?;
    let strict = [("RUSTDOCFLAGS".to_owned(), "-Dwarnings".to_owned())];
    parts.run("documentation", cargo(&["doc", "--workspace", "--no-deps", "--locked"], &strict)).await?;
    // it is listed as failed already
    drop(format);
    Ok(())
}
