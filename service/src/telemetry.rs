//! Where the process tells what it does: lines for people on a terminal, JSON elsewhere.

use anyhow::anyhow;
use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

/// What is logged, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct TelemetrySettings {
    /// What is logged, as `level` or `target=level,…`
    #[arg(long, env = "FOOTFALL_LOG", default_value = "info,sqlx=warn", global = true)]
    pub log: String,
    /// How log lines look; by default for people on a terminal and JSON elsewhere
    #[arg(long, env = "FOOTFALL_LOG_FORMAT", value_enum, global = true)]
    pub log_format: Option<LogFormat>,
}

/// Starts logging to standard error. To be called once.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(settings: &TelemetrySettings) -> anyhow::Result<()> {
    let filter = filter(&settings.log)
        .map_err(|error| anyhow!("--log (FOOTFALL_LOG): {error}; for example `info` or `projector=debug,info`"))?;
    let terminal = std::io::stderr().is_terminal();
    let format = settings.log_format.unwrap_or(if terminal { LogFormat::Human } else { LogFormat::Json });
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Human => registry.with(fmt::layer().with_writer(std::io::stderr).with_ansi(terminal)).try_init()?,
        LogFormat::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()?;
        }
    }
    Ok(())
}

/// A bare word would be the name of a target of which everything is logged, and nothing else: most likely it is a level
/// that is misspelt, and all would be silent.
fn filter(text: &str) -> Result<EnvFilter, String> {
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let word = match part.rsplit_once('=') {
            Some((_, level)) if !level.contains(['}', ']']) => level,
            None if !part.contains('[') => part,
            _ => continue,
        };
        word.parse::<LevelFilter>()
            .map_err(|_| format!("{word:?} is no level; there are off, error, warn, info, debug and trace"))?;
    }
    EnvFilter::try_new(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_is_misspelt_does_not_silence_everything() {
        for good in ["info", "WARN", "info,sqlx=warn", "off", "projector=debug, info", "[request{id=1}]=debug,error"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for (wrong, told) in [("wran", "\"wran\" is no level"), ("sqlx=warn,inf", "\"inf\""), ("sqlx=wran", "\"wran\"")]
        {
            let error = filter(wrong).unwrap_err();
            assert!(error.contains(told), "{wrong}: {error}");
        }
    }
}
