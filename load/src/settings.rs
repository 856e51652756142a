use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, time::Duration};

/// Most events that the contract (§ 12) lets one batch have.
const MAX_BATCH: u64 = 2_000;

/// What to send, where to, and how fast.
#[derive(Clone, Debug, clap::Args)]
pub struct LoadSettings {
    /// Where ingest answers, with the base path if it has one
    #[arg(long, env = "FOOTFALL_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// How many events to send, announcements and ends of sessions included
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub events: u64,
    /// Events per second; without it as fast as the answers come
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// Connections; each carries one session at a time, and waits for an answer before it sends the next event
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub connections: u16,
    /// File that gets a line of JSON for every event answered 202, for `footfall verify --acknowledged`
    #[arg(long, value_name = "FILE")]
    pub acknowledged: Option<PathBuf>,
    /// Number that all sessions are made from; the same number gives the same events under the same ids, which are
    /// then stored once however often they are sent. By default a new one, which is printed
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Events per request; more than one are sent to /batch/
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=MAX_BATCH as i64))]
    pub batch: u16,
    /// Mean number of page views of a session
    #[arg(long, value_name = "N", default_value_t = 4.0, value_parser = parse_mean_of_page_views)]
    pub page_views_mean: f64,
    /// Mean number of interactions after a page view
    #[arg(long, value_name = "N", default_value_t = 2.0, value_parser = parse_mean)]
    pub interactions_mean: f64,
    /// Token to send along, where writing is not open to everybody
    #[arg(long, env = "FOOTFALL_TOKEN", hide_env_values = true)]
    pub token: Option<SecretString>,
    /// File that holds the token instead
    #[arg(long, env = "FOOTFALL_TOKEN_FILE", value_name = "FILE", conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
    /// How long to go on without any acknowledgement before giving up, in seconds
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub give_up_after_seconds: u64,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
}

impl LoadSettings {
    /// How long to go on without any acknowledgement.
    pub(crate) fn give_up_after(&self) -> Duration {
        Duration::from_secs(self.give_up_after_seconds)
    }

    /// The value of the `Authorization` header, if a token is given.
    pub(crate) fn authorization(&self) -> anyhow::Result<Option<hyper::header::HeaderValue>> {
        let token = match (&self.token, &self.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(file)) => std::fs::read_to_string(file)
                .with_context(|| format!("--token-file (FOOTFALL_TOKEN_FILE): cannot read {}", file.display()))?
                .trim()
                .into(),
            (None, None) => return Ok(None),
        };
        let Ok(mut value) = hyper::header::HeaderValue::try_from(format!("Bearer {}", token.expose_secret())) else {
            bail!("--token (FOOTFALL_TOKEN): not a token, it has characters that no header can carry");
        };
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

fn parse_mean(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(mean) if (0.0..=1_000.0).contains(&mean) => Ok(mean),
        _ => Err("give a number from 0 to 1000".into()),
    }
}

fn parse_mean_of_page_views(text: &str) -> Result<f64, String> {
    match parse_mean(text) {
        Ok(mean) if mean >= 1.0 => Ok(mean),
        _ => Err("give a number from 1 to 1000: every session views a page".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        load: LoadSettings,
    }

    fn parse(arguments: &[&str]) -> Result<LoadSettings, String> {
        let arguments = ["load"].iter().chain(arguments);
        Command::try_parse_from(arguments).map(|command| command.load).map_err(|error| error.to_string())
    }

    #[test]
    fn wrong_values_are_refused_by_name() {
        for (flag, value) in [
            ("--rate", "0"),
            ("--connections", "0"),
            ("--batch", "0"),
            ("--batch", "2001"),
            ("--page-views-mean", "0.5"),
            ("--interactions-mean", "NaN"),
        ] {
            let error = parse(&[flag, value]).unwrap_err();
            assert!(error.contains(flag), "{error}");
        }
    }

    #[test]
    fn the_token_is_sent_and_never_shown() {
        let settings = parse(&["--token", "hunter2"]).unwrap();
        let header = settings.authorization().unwrap().unwrap();
        assert_eq!(header, "Bearer hunter2");
        assert!(!format!("{settings:?}{header:?}").contains("hunter2"));
        let error = parse(&["--token", "a\nb"]).unwrap().authorization().unwrap_err().to_string();
        assert!(error.contains("FOOTFALL_TOKEN"), "{error}");
    }

    #[test]
    fn the_token_can_lie_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "hunter2\n").unwrap();
        let settings = parse(&["--token-file", file.to_str().unwrap()]).unwrap();
        assert_eq!(settings.authorization().unwrap().unwrap(), "Bearer hunter2");
        std::fs::remove_file(&file).unwrap();
        assert!(settings.authorization().unwrap_err().to_string().contains("FOOTFALL_TOKEN_FILE"));
    }
}
