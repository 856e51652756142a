//! `run-postgres DATA_DIR [--fetch | --attach]`: runs a PostgreSQL of one's own until SIGINT or SIGTERM, and says on
//! standard output how to connect. With `--fetch`, installed ones are not looked for; with `--attach`, one that runs on
//! the data directory already will do.

use local_postgres::{Attached, Error, LocalPostgres, Settings, attach};
use sqlx::ConnectOptions;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(data_dir) = arguments.next() else {
        eprintln!("usage: run-postgres DATA_DIR [--fetch | --attach]");
        return ExitCode::from(2);
    };
    let mut settings = Settings::new(data_dir);
    let mode = arguments.next();
    settings.sources.installed = mode.as_deref() != Some("--fetch".as_ref());
    match run(settings, mode.as_deref() == Some("--attach".as_ref())).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: Settings, or_attach: bool) -> Result<(), Error> {
    let signals = [signal(SignalKind::interrupt()), signal(SignalKind::terminate())];
    let [mut interrupt, mut terminate] = signals.map(|signal| signal.expect("the runtime has its signal driver"));
    let starting = async {
        if or_attach { attach(settings).await } else { LocalPostgres::start(settings).await.map(Attached::Started) }
    };
    let postgres = tokio::select! {
        postgres = starting => postgres?,
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
    };
    let how = if matches!(postgres, Attached::Started(_)) { "started" } else { "running" };
    println!("{how} {}", postgres.options().to_url_lossy());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    postgres.stop().await
}
