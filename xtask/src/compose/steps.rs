use super::{
    ADDRESS, ComposeArguments,
    stack::{LOADS, SERVICES, Stack},
    table::{Row, Table},
    tls,
    traffic::{Traffic, a_while, status_of},
};
use anyhow::{Context, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How long traffic flows before something happens, and after it.
const BEFORE: u64 = 4;
const AFTER: u64 = 6;

/// All steps, one row each.
pub(crate) async fn all(stack: &Stack, arguments: &ComposeArguments, table: &mut Table) -> anyhow::Result<()> {
    stack.down().await?;
    if !arguments.no_build {
        silent(table, "build the image", async { stack.compose(&["build", "secrets"]).await.map(drop) }).await?;
    }
    let size = stack.docker(&["image", "inspect", "-f", "{{.Size}}", "footfall:local"]).await?;
    println!("image: {} MB", size.parse::<u64>()? / 1_000_000);
    let wanted = |step: &str| arguments.only.as_ref().is_none_or(|only| step.contains(only.as_str()));
    if wanted("first start, interrupted") {
        silent(table, "first start, interrupted four times", interrupted_first_starts(stack)).await?;
    }
    silent(table, "first start", start(stack)).await?;
    let used = usage(stack).await?;
    println!("idle:\n{used}");
    let welcome = stack.compose(&["logs", "--no-log-prefix", "welcome"]).await?;
    ensure!(welcome.contains("/sign-in/?link="), "it does not say how to sign in: {welcome:?}");
    ensure!(status_of(ADDRESS, "/").await? == 200, "the published address does not answer");

    for (step, action) in ACTIONS {
        if wanted(step) {
            under_traffic(stack, table, step, *action).await?;
        }
    }
    let slow = "a broker that starts slower than everything else";
    if wanted(slow) {
        silent(table, slow, slow_broker(stack)).await?;
    }
    if wanted("verify") {
        silent(table, "verify every acknowledged event", verify(stack)).await?;
    }
    for (step, which) in tls::STEPS {
        if wanted(step) {
            silent(table, step, tls::run(stack, *which)).await?;
        }
    }
    Ok(())
}

/// What happens under traffic.
#[derive(Clone, Copy)]
enum Action {
    Nothing,
    Scale([u8; 3]),
    Crash(&'static str),
    CrashAll,
    Restart(&'static str),
    Update,
    DownAndUp,
}

const ACTIONS: &[(&str, Action)] = &[
    ("traffic alone", Action::Nothing),
    ("scale to 3 ingest, 3 projectors, 2 query-api", Action::Scale([3, 3, 2])),
    ("crash an ingest of 3", Action::Crash("ingest")),
    ("crash a projector of 3", Action::Crash("projector")),
    ("crash a query-api of 2", Action::Crash("query-api")),
    ("rolling update", Action::Update),
    ("scale to 1, 1, 1", Action::Scale([1, 1, 1])),
    ("scale to 2, 2, 2", Action::Scale([2, 2, 2])),
    ("crash kafka", Action::Crash("kafka")),
    ("restart kafka", Action::Restart("kafka")),
    ("crash postgres", Action::Crash("postgres")),
    ("restart postgres", Action::Restart("postgres")),
    ("crash the proxy", Action::Crash("proxy")),
    ("crash everything at once", Action::CrashAll),
    ("down and up", Action::DownAndUp),
];

async fn silent(table: &mut Table, step: &str, work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    eprintln!("── {step}");
    let started = Instant::now();
    work.await.with_context(|| step.to_owned())?;
    table.0.push(Row::silent(step, started.elapsed()));
    Ok(())
}

/// Does it while events are sent and read, and counts what became of them.
async fn under_traffic(stack: &Stack, table: &mut Table, step: &str, action: Action) -> anyhow::Result<()> {
    eprintln!("── {step}");
    let before = stack.stored().await?;
    let name = table.0.len().to_string();
    let work = async {
        if let Action::DownAndUp = action {
            // nobody can be asked meanwhile: what was acknowledged before has to be there after it
            let traffic = Traffic::begin(stack, ADDRESS, &name).await?;
            a_while(BEFORE + AFTER).await;
            let outcome = traffic.end().await?;
            let started = Instant::now();
            stack.compose(&["down"]).await?;
            start(stack).await?;
            return anyhow::Ok((outcome, started.elapsed()));
        }
        let traffic = Traffic::begin(stack, ADDRESS, &name).await?;
        let started = a_while(BEFORE).await;
        act(stack, action).await?;
        let took = started.elapsed();
        a_while(AFTER).await;
        if let Action::Scale([3, ..]) = action {
            println!("busy:\n{}", usage(stack).await?);
            println!("partitions of the projectors: {}", stack.shares().await?);
        }
        Ok((traffic.end().await?, took))
    };
    let (outcome, took) = work.await.with_context(|| step.to_owned())?;
    let stored = stack.until_stored(before + outcome.acknowledged).await? - before;
    for trouble in &outcome.troubles {
        println!("{step}: {trouble}");
    }
    table.0.push(Row::new(step, took, &outcome, stored));
    println!("{table}");
    Ok(())
}

async fn act(stack: &Stack, action: Action) -> anyhow::Result<()> {
    match action {
        Action::Nothing | Action::DownAndUp => sleep(Duration::from_secs(10)).await,
        Action::Scale(numbers) => {
            let scales = ["ingest", "projector", "query-api"].iter().zip(numbers);
            let scales: Vec<String> = scales.map(|(service, number)| format!("--scale={service}={number}")).collect();
            let scales: Vec<&str> = scales.iter().map(String::as_str).collect();
            let services = ["ingest", "projector", "query-api"];
            stack.compose(&[&["up", "-d", "--no-deps", "--no-recreate"], &scales[..], &services].concat()).await?;
            stack.until_healthy(&SERVICES).await?;
        }
        Action::Crash(service) => {
            let containers = stack.containers(service).await?;
            stack.crash(containers.first().context("it has no container")?).await?;
            sleep(Duration::from_secs(1)).await;
            stack.until_healthy(&SERVICES).await?;
        }
        Action::CrashAll => {
            for service in SERVICES {
                for container in stack.containers(service).await? {
                    stack.crash(&container).await?;
                }
            }
            sleep(Duration::from_secs(1)).await;
            stack.until_healthy(&SERVICES).await?;
        }
        Action::Restart(service) => {
            stack.compose(&["restart", service]).await?;
            stack.until_healthy(&SERVICES).await?;
        }
        Action::Update => {
            // the same program in another image: one more label
            let old = stack.image("ingest").await?;
            let label = ["build", "-q", "-t", "footfall:next", "--label", "footfall.xtask=next", "-"];
            stack.docker_with_input(&label, "FROM footfall:local\n").await?;
            let next = stack.with("FOOTFALL_IMAGE", "footfall:next");
            next.run("compose/update", &[]).await?;
            stack.until_healthy(&SERVICES).await?;
            ensure!(stack.image("ingest").await? != old, "ingest still runs the old image");
        }
    }
    Ok(())
}

async fn start(stack: &Stack) -> anyhow::Result<()> {
    stack.compose(&["up", "-d", "--no-build"]).await?;
    stack.until_healthy(&SERVICES).await
}

/// Kills everything at four moments of the first start.
async fn interrupted_first_starts(stack: &Stack) -> anyhow::Result<()> {
    for seconds in [2, 5, 8, 12] {
        let mut starting = stack.command("docker", &["compose", "up", "-d", "--no-build"]);
        let starting = starting.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        sleep(Duration::from_secs(seconds)).await;
        // docker and its plug-in are two processes; by now they may have come to their end
        if let Some(process) = starting.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
            kill_process_group(process, Signal::KILL).ok();
        }
        stack.compose(&["kill"]).await.ok();
        stack.compose(&["rm", "--force"]).await?;
    }
    Ok(())
}

/// All is started anew, and the broker comes half a minute late.
async fn slow_broker(stack: &Stack) -> anyhow::Result<()> {
    stack.compose(&["down"]).await?;
    let slow = stack.with("COMPOSE_FILE", "docker-compose.yml:compose/tests/slow-broker.yml");
    slow.compose(&["up", "-d", "--no-build"]).await?;
    stack.until_healthy(&SERVICES).await
}

/// Every acknowledged event of all steps, in one `verify`.
async fn verify(stack: &Stack) -> anyhow::Result<()> {
    let volume = format!("{LOADS}:/load");
    let volume = ["-v", &volume];
    let cat = [&["run", "--rm", "--no-deps", "--user=0:0", "-T"][..], &volume, &["--entrypoint=sh", "tools", "-c"]];
    stack.compose(&[&cat.concat()[..], &["cat /load/[0-9]* > /load/all && chmod a+r /load/all"]].concat()).await?;
    let verify =
        [&["run", "--rm", "--no-deps", "-T"][..], &volume, &["tools", "verify", "--acknowledged", "/load/all"]];
    println!("{}", stack.compose(&verify.concat()).await?);
    Ok(())
}

/// What each container takes.
async fn usage(stack: &Stack) -> anyhow::Result<String> {
    let mut containers = Vec::new();
    for service in SERVICES {
        containers.extend(stack.containers(service).await?);
    }
    let containers: Vec<&str> = containers.iter().map(String::as_str).collect();
    let format = "{{.Name}} {{.MemUsage}} {{.CPUPerc}}";
    stack.docker(&[&["stats", "--no-stream", "--format", format], &containers[..]].concat()).await
}
