//! `footfall load` without the rest of Footfall, to measure what the client itself can do: see the example `sink`.

use clap::Parser;
use std::process::ExitCode;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    load: load::LoadSettings,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let summary = load::run(Command::parse().load, CancellationToken::new()).await?;
    Ok(if summary.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
