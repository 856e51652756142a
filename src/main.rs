//! `footfall`: the command. Each subcommand has a file; what they share is in `stores` (which servers) and
//! `process` (how a service runs and ends). There is no logic of its own in here.

mod account;
mod cli;
mod config;
mod dead_letter;
mod description;
mod environment;
mod healthcheck;
mod ingest;
mod load;
mod migrate;
mod output;
mod process;
mod projector;
mod query_api;
mod rebuild;
mod secret;
mod sign_in_link;
mod stores;
mod token;
mod up;
mod verify;

use service::lifecycle::{EXIT_FAILED, EXIT_NOT_DRAINED, NotDrained, one_line};
use std::{process::ExitCode, time::Duration};

/// How long what is left of the process may take when everything that counts has ended.
const LAST_MOMENT: Duration = Duration::from_millis(200);

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (cli, matches) = match cli::parse() {
        Ok(read) => read,
        Err(error) => return cli::misunderstood(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start threads")),
    };
    let code = match runtime.block_on(cli.run(&matches)) {
        Ok(code) => code,
        Err(error) => failed(&error),
    };
    // a question to brokers that say nothing holds a thread for seconds, and nobody waits for its answer any more
    runtime.shutdown_timeout(LAST_MOMENT);
    code
}

/// One line with cause and way out.
fn failed(error: &anyhow::Error) -> ExitCode {
    output::complain(format_args!("footfall: {}", one_line(error)));
    ExitCode::from(if error.is::<NotDrained>() { EXIT_NOT_DRAINED } else { EXIT_FAILED })
}
