//! `footfall token issue`: a token for a program, alone on standard output.

use crate::{output::say, secret, stores::DataDirSettings};
use chrono::{TimeDelta, Utc};
use clap::Subcommand;
use service::{
    access::{Purpose, Role},
    settings::KeySettings,
};
use std::process::ExitCode;
use uuid::Uuid;

/// Tokens for programs.
#[derive(clap::Args)]
pub struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print a new token, for `Authorization: Bearer …`
    Issue(Box<Issue>),
}

#[derive(clap::Args)]
struct Issue {
    /// What its bearer may do
    #[arg(long, value_enum)]
    role: Role,
    /// How long it is good, as a number and s, m, h or d
    #[arg(long, default_value = "90d", value_parser = parse_ttl)]
    ttl: TimeDelta,
    /// Whose it is, for logs, history and the throttle: programs of one name share a budget. By default each token has a
    /// name of its own
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    keys: KeySettings,
    #[command(flatten)]
    data_dir: DataDirSettings,
}

impl Token {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Action::Issue(issue) = self.action;
        let keys = secret::keys(&issue.keys, &issue.data_dir.path()?)?;
        let name = issue.name.unwrap_or_else(|| format!("token-{}", Uuid::new_v4()));
        say(keys.issue(Purpose::Api, &name, issue.role, Utc::now(), issue.ttl))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn parse_ttl(text: &str) -> Result<TimeDelta, String> {
    let wrong = || format!("{text:?} is no duration; for example 90d or 12h");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let ttl = number.checked_mul(seconds).and_then(TimeDelta::try_seconds).filter(|ttl| *ttl > TimeDelta::zero());
    ttl.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_a_number_and_a_unit() {
        assert_eq!(parse_ttl("90d"), Ok(TimeDelta::days(90)));
        assert_eq!(parse_ttl("30s"), Ok(TimeDelta::seconds(30)));
        for wrong in ["", "d", "90", "-1d", "0h", "1y", "9999999999999999d", "é"] {
            assert!(parse_ttl(wrong).is_err(), "{wrong}");
        }
    }
}
