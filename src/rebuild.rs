//! `footfall rebuild`: a new read model from the log.

use crate::{
    output::say,
    stores::{StoreSettings, Stores},
};
use ::projector::{Progress, ProjectorSettings, RebuildOptions};
use service::settings::ZoneSettings;
use std::process::ExitCode;

/// Build the read model anew from the log, compare it with the live one, verify it, and put it in place.
#[derive(clap::Args)]
pub struct Rebuild {
    #[command(flatten)]
    stores: StoreSettings,
    #[command(flatten)]
    zone: ZoneSettings,
    #[command(flatten)]
    projector: ProjectorSettings,
    /// Put the new read model in place even though it differs from the live one: that is what a repair is for
    #[arg(long)]
    accept_differences: bool,
}

impl Rebuild {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let stores = Stores::attach(&self.stores).await?;
        let rebuilt = async {
            let log = stores.log(&self.stores).await?;
            let options = RebuildOptions { accept_differences: self.accept_differences };
            let (zone, progress) = (self.zone.time_zone, Progress::visible());
            Ok(::projector::rebuild(&stores.database, &*log, &self.projector, zone, options, &progress).await?)
        };
        let rebuilt: anyhow::Result<_> = rebuilt.await;
        stores.close().await?;
        let report = rebuilt?;
        say(&report)?;
        Ok(if report.swapped { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
