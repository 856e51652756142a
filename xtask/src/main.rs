//! `cargo xtask`: the project's own commands. `cargo xtask test` is everything that has to be green before a change
//! lands; `cargo xtask engines` keeps the tests' engines running while one works on them.

mod cache;
mod cargo;
mod checks;
mod compose;
mod debian;
mod engines;
mod fuzz;
mod jars;
mod needs;
mod npm;
mod parts;
mod picture;
mod python;
mod schemathesis;
mod screenshots;
mod site;
mod tools;

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Footfall's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Formatting, lints, documentation and every test, on a PostgreSQL and an Apache Kafka of its own.
    Test(TestArguments),
    /// Starts the tests' engines, prints how to reach them, and keeps them until Ctrl-C.
    Engines,
    /// The stack of docker-compose.yml from nothing to nothing: scaled, crashed, updated and restarted under traffic.
    Compose(compose::ComposeArguments),
    /// The part of `test --full` that asks a running Footfall with schemathesis, on the engines that run already.
    Schemathesis,
    /// Writes pictures of every page into `docs/screenshots/`, on the engines that run already.
    Screenshots,
}

/// What to test.
#[derive(clap::Args)]
struct TestArguments {
    /// The tests of this package alone, and no formatting, lints and documentation.
    #[arg(long, value_name = "PACKAGE")]
    only: Option<String>,
    /// What takes minutes as well: schemathesis, which asks a running Footfall whatever its description allows, and what
    /// it does not; and the fuzz targets, a while each. Needs Python and a C++ compiler.
    #[arg(long, conflicts_with = "only")]
    full: bool,
    /// Given to `cargo test` as they are, such as a test's name.
    #[arg(last = true)]
    cargo_arguments: Vec<String>,
}

// on the main thread: what is bound to the thread that started it ends with the process
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::Test(arguments) => checks::test(arguments, interrupted()).await,
        Command::Engines => engines::keep(interrupted()).await,
        Command::Screenshots => screenshots::alone(interrupted()).await,
        Command::Compose(arguments) => compose::run(arguments, interrupted()).await,
        Command::Schemathesis => schemathesis::alone(interrupted()).await,
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Resolves at the first SIGINT, SIGTERM or SIGHUP.
fn interrupted() -> impl Future<Output = ()> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] =
        kinds.map(|kind| signal(kind).expect("the runtime has its signal driver"));
    async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
