//! `footfall load`: realistic sessions against a running Footfall.

use ::load::LoadSettings;
use service::lifecycle::Shutdown;
use std::{process::ExitCode, time::Duration};

/// Send realistic sessions and measure the answers.
#[derive(clap::Args)]
pub struct Load {
    #[command(flatten)]
    load: LoadSettings,
}

impl Load {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let shutdown = Shutdown::new(Duration::ZERO);
        shutdown.listen_for_signals()?;
        let summary = ::load::run(self.load, shutdown.token().clone()).await?;
        Ok(if summary.ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
