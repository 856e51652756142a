//! `footfall healthcheck`: whether the service beside it is well, for HEALTHCHECK of a container.

use anyhow::bail;
use service::probe;
use std::{net::SocketAddr, process::ExitCode, time::Duration};

/// Ask the ops port of a service on this machine whether it is ready.
#[derive(clap::Args)]
pub struct Healthcheck {
    /// Where the service has its ops port
    #[arg(long, env = "FOOTFALL_OPS_LISTEN", default_value = "127.0.0.1:9090")]
    ops_listen: SocketAddr,
    /// Ask only whether it lives, not whether it can do its work now
    #[arg(long)]
    live: bool,
    /// How long an answer may take, in seconds
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout_seconds: u64,
}

impl Healthcheck {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let path = if self.live { "/healthz" } else { "/readyz" };
        let (status, said) = probe::ask(self.ops_listen, path, Duration::from_secs(self.timeout_seconds)).await?;
        if status != 200 {
            bail!("{path} answers {status}: {said}");
        }
        println!("{said}");
        Ok(ExitCode::SUCCESS)
    }
}
