//! `footfall sign-in-link`: where to look, and a link that signs in once.

use crate::{secret, stores::DataDirSettings};
use chrono::Utc;
use query_api::accounts;
use service::settings::KeySettings;
use std::process::ExitCode;

/// Print where to look, with a link that signs its first user in as staff, within the hour.
#[derive(clap::Args)]
pub struct SignInLink {
    /// Where people reach Footfall, with the base path if it has one
    #[arg(long, env = "FOOTFALL_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
    #[command(flatten)]
    keys: KeySettings,
    #[command(flatten)]
    data_dir: DataDirSettings,
}

impl SignInLink {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let keys = secret::keys(&self.keys, &self.data_dir.path()?)?;
        println!("{}", where_to_look(self.url.trim_end_matches('/'), &accounts::issue_link(&keys, Utc::now())));
        Ok(ExitCode::SUCCESS)
    }
}

/// The pages of a site, with a sign-in link's token in the address of the report.
pub fn where_to_look(site: &str, link: &str) -> String {
    format!(
        "  Lists    {site}/\n  API      {site}/docs/\n  Report   {site}/sign-in/?link={link}\n           (signs you in, once, within the hour)"
    )
}
