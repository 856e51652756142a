//! `cargo xtask compose`: the stack of `docker-compose.yml` from nothing to nothing, with traffic through the proxy while
//! it is scaled, crashed, updated and restarted; and what became of every event.

mod stack;
mod steps;
mod table;
mod tls;
mod traffic;

use anyhow::ensure;
use stack::Stack;
use std::{pin::pin, process::ExitCode};
use table::Table;

/// Out of the way of a stack that is in use.
const PROJECT: &str = "footfall-xtask";
const NET: &str = "172.30.86";
const ADDRESS: &str = "127.0.0.1:18086";

/// What to do.
#[derive(clap::Args)]
pub(crate) struct ComposeArguments {
    /// Take the image footfall:local as it is.
    #[arg(long)]
    no_build: bool,
    /// Leave the stack as it is at the end.
    #[arg(long)]
    keep: bool,
    /// Only the steps whose names contain this; the stack is started in any case.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// `cargo xtask compose`.
pub(crate) async fn run(
    arguments: ComposeArguments,
    interrupted: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    let stack = Stack::new(
        PROJECT,
        &["docker-compose.yml"],
        &[("FOOTFALL_NET", NET), ("FOOTFALL_PUBLISH", ADDRESS), ("FOOTFALL_THROTTLE_BASE", "off")],
    );
    let mut table = Table::default();
    let done = tokio::select! {
        done = steps::all(&stack, &arguments, &mut table) => done,
        () = pin!(interrupted) => Err(anyhow::anyhow!("interrupted")),
    };
    println!("\n{table}");
    if !arguments.keep {
        stack.down().await?;
    }
    done?;
    ensure!(table.all_well(), "events were lost or counted twice");
    Ok(ExitCode::SUCCESS)
}
