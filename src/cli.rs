//! The command line.

use crate::output::complain;
use crate::{
    account, config, dead_letter, environment, healthcheck, ingest, load, migrate, projector, query_api, rebuild,
    secret, sign_in_link, token, up, verify,
};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};
use service::{
    lifecycle::EXIT_MISUNDERSTOOD,
    telemetry::{self, TelemetrySettings},
};
use std::process::ExitCode;

/// Exact user-behaviour tracking: what is answered 202 is never lost, nothing counts twice, everything can be rebuilt
/// from the log, and `footfall verify` proves it.
#[derive(Parser)]
#[command(name = "footfall", version, propagate_version = true, max_term_width = 120)]
pub struct Cli {
    #[command(flatten)]
    telemetry: TelemetrySettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything in one process, on servers of its own or on yours
    Up(Box<up::Up>),
    /// Run ingest alone: HTTP in, log out (needs Kafka)
    Ingest(Box<ingest::Ingest>),
    /// Run a projector alone: log in, read model out (needs Kafka and PostgreSQL)
    Projector(Box<projector::Projector>),
    /// Run query-api alone: lists, details and the report (needs PostgreSQL)
    QueryApi(Box<query_api::QueryApi>),
    /// Make or update the tables and, on Kafka, the topic
    Migrate(Box<migrate::Migrate>),
    /// Build the read model anew from the log, compare it, and put it in place (projectors stopped)
    Rebuild(Box<rebuild::Rebuild>),
    /// Prove that the tables hold exactly what the log says; exit code 1 when they do not
    Verify(Box<verify::Verify>),
    /// Records that could not be projected
    DeadLetter(Box<dead_letter::DeadLetter>),
    /// Tokens for programs
    Token(Box<token::Token>),
    /// Accounts for people
    Account(Box<account::Account>),
    /// Print where to look, with a link that signs in once
    SignInLink(Box<sign_in_link::SignInLink>),
    /// Secrets in files
    Secret(secret::Secret),
    /// Send realistic sessions and measure the answers
    Load(Box<load::Load>),
    /// Ask the ops port of a running service whether it is ready; exit code 1 when it is not
    Healthcheck(healthcheck::Healthcheck),
    /// Print the effective settings of a service (of `up` when none is named), and where each comes from
    Config,
}

/// The whole command line.
pub fn command() -> clap::Command {
    config::with_services(Cli::command())
}

/// Reads the command line and the environment.
pub fn parse() -> Result<(Cli, ArgMatches), clap::Error> {
    let matches = environment::without_empty(command()).try_get_matches()?;
    Ok((Cli::from_arg_matches(&matches)?, matches))
}

impl Cli {
    /// Runs the command to its end; `matches` is what it was read from.
    pub async fn run(self, matches: &ArgMatches) -> anyhow::Result<ExitCode> {
        telemetry::start(&self.telemetry)?;
        environment::warn_of_unknown(&command());
        match self.command {
            Command::Up(command) => command.run().await,
            Command::Ingest(command) => command.run().await,
            Command::Projector(command) => command.run().await,
            Command::QueryApi(command) => command.run().await,
            Command::Migrate(command) => command.run().await,
            Command::Rebuild(command) => command.run().await,
            Command::Verify(command) => command.run().await,
            Command::DeadLetter(command) => command.run().await,
            Command::Token(command) => command.run(),
            Command::Account(command) => command.run().await,
            Command::SignInLink(command) => command.run(),
            Command::Secret(command) => command.run(),
            Command::Load(command) => command.run().await,
            Command::Healthcheck(command) => command.run().await,
            Command::Config => config::run(matches),
        }
    }
}

/// Help where it was asked for; else what is wrong with the command line, on one line like every other error.
pub fn misunderstood(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        error.exit();
    }
    complain(format_args!("footfall: {}; `--help` tells more", on_one_line(&error.render().to_string())));
    ExitCode::from(EXIT_MISUNDERSTOOD)
}

/// clap's text without its usage.
fn on_one_line(text: &str) -> String {
    let telling = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
    let telling = telling.filter(|line| !line.is_empty() && !line.starts_with("For more information"));
    telling.fold(String::new(), |said, line| match said.as_str() {
        "" => line.strip_prefix("error: ").unwrap_or(line).to_owned(),
        _ if said.ends_with(':') => said + " " + line,
        _ => said + "; " + line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_on_one_line() {
        for (arguments, told) in [
            (
                &["up", "--lissten"][..],
                "unexpected argument '--lissten' found; tip: a similar argument exists: '--listen'",
            ),
            (&["account", "add"], "the following required arguments were not provided: <NAME>"),
            (
                &["token", "issue", "--role", "king"],
                "invalid value 'king' for '--role <ROLE>'; [possible values: user, staff]",
            ),
        ] {
            let error = Cli::try_parse_from([&["footfall"], arguments].concat()).err().unwrap();
            assert_eq!(on_one_line(&error.render().to_string()), told);
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    /// Contract § 11: every setting is a flag and an environment variable of the same name.
    #[test]
    fn every_setting_has_its_variable() {
        let mut commands = vec![command()];
        while let Some(command) = commands.pop() {
            for argument in command.get_arguments() {
                let (Some(flag), Some(variable)) = (argument.get_long(), argument.get_env()) else { continue };
                let expected = format!("FOOTFALL_{}", flag.to_uppercase().replace('-', "_"));
                assert_eq!(variable.to_string_lossy(), expected, "--{flag} of {}", command.get_name());
            }
            commands.extend(command.get_subcommands().cloned());
        }
    }
}
