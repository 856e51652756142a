//! `footfall verify`: the tables against the log.

use crate::{
    output::say,
    stores::{StoreSettings, Stores},
};
use ::projector::{Progress, VerifyOptions};
use std::{path::PathBuf, process::ExitCode};

/// Prove that every event on the log has its row or its reason, every row its event, and every number its rows.
///
/// Facts are compared with all that their event holds, metadata by its value; sessions with what their events fold into.
/// Memory grows with the events within the deduplication window whose id the client chose (up to 100 bytes each) and
/// with the rows that were deleted (32 each), not with the length of the log: where a partition has more than 200,000
/// sessions, its log is read again for the others.
#[derive(clap::Args)]
pub struct Verify {
    #[command(flatten)]
    stores: StoreSettings,
    /// Events that were answered 202, as `footfall load --acknowledged` writes them: each must be on the log
    #[arg(long, value_name = "FILE")]
    acknowledged: Option<PathBuf>,
}

impl Verify {
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let stores = Stores::attach(&self.stores).await?;
        let verified = async {
            stores.has_read_model().await?;
            let log = stores.log(&self.stores).await?;
            let options = VerifyOptions { acknowledged: self.acknowledged, ..VerifyOptions::default() };
            ::projector::verify(&stores.database, &*log, &options, &Progress::visible()).await
        };
        let verified = verified.await;
        stores.close().await?;
        let report = verified?;
        say(&report)?;
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
