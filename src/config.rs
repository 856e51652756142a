//! `footfall config [up | ingest | projector | query-api]`: the settings that a service would start with here.

use crate::{cli, environment, output::say};
use ::query_api::QuerySettings;
use anyhow::Context;
use clap::{Arg, ArgMatches, Command, FromArgMatches, parser::ValueSource};
use std::process::ExitCode;

/// The services whose settings can be shown.
const SERVICES: [&str; 4] = ["up", "ingest", "projector", "query-api"];

/// Gives `config` a subcommand for each service, with the arguments of the service itself.
pub fn with_services(command: Command) -> Command {
    let services: Vec<Command> = command
        .get_subcommands()
        .filter(|service| SERVICES.contains(&service.get_name()))
        .map(|service| service.clone().about(format!("The settings of `footfall {}`", service.get_name())))
        .collect();
    command.mut_subcommand("config", |config| config.subcommands(services))
}

/// Prints the settings, one a line, as an environment file can have them.
pub fn run(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let again;
    let matches = if is_named(matches) {
        matches
    } else {
        // the same command line once more, with the service that it leaves out
        let arguments = std::env::args_os().chain([SERVICES[0].into()]);
        again = environment::without_empty(cli::command()).try_get_matches_from(arguments)?;
        &again
    };
    let (service, matches) =
        matches.subcommand_matches("config").and_then(ArgMatches::subcommand).context("there is no such service")?;
    let lines = lines(service, matches).context("there is no such service")?;
    // what the service would refuse as a whole
    if ["up", "query-api"].contains(&service) {
        QuerySettings::from_arg_matches(matches)?.check().map_err(anyhow::Error::msg)?;
    }
    say(lines.join("\n"))?;
    Ok(ExitCode::SUCCESS)
}

fn is_named(matches: &ArgMatches) -> bool {
    matches.subcommand_matches("config").is_some_and(|config| config.subcommand().is_some())
}

/// `NAME=value  # where it comes from`, in the order of `--help`.
fn lines(service: &str, matches: &ArgMatches) -> Option<Vec<String>> {
    let mut command = cli::command();
    command.build();
    let service = command.find_subcommand("config")?.find_subcommand(service)?;
    let settings = || service.get_arguments().filter(|argument| argument.get_env().is_some());
    let line = |argument: &Arg| {
        let name = argument.get_env()?.to_string_lossy();
        let base = settings().find(|base| is_for_one_resource(argument, base));
        let (value, source) = match (effective(argument, matches), base) {
            (Some(own), _) => own,
            // what one resource has not got of its own is that of all
            (None, Some(base)) => {
                let (value, _) = effective(base, matches).unwrap_or_default();
                (value, format!("as {}", base.get_env()?.to_string_lossy()))
            }
            (None, None) => (String::new(), "not set".to_owned()),
        };
        Some(format!("{name}={value}  # {source}"))
    };
    let mut lines: Vec<String> = settings().filter_map(line).collect();
    if service.get_name() == SERVICES[0] {
        lines.extend(local_postgres::VARIABLES.map(without_flag));
    }
    Some(lines)
}

/// A variable that has no flag.
fn without_flag(name: &str) -> String {
    match std::env::var_os(name).filter(|value| !value.is_empty()) {
        Some(value) => format!("{name}={}  # environment variable", value.to_string_lossy()),
        None => format!("{name}=  # not set"),
    }
}

/// Whether `argument` is `base` for one resource alone.
fn is_for_one_resource(argument: &Arg, base: &Arg) -> bool {
    let (own, base) = (argument.get_id().as_str(), base.get_id().as_str());
    ["sessions-", "pageviews-", "interactions-"].iter().any(|resource| own.strip_prefix(resource) == Some(base))
}

/// The value, hidden where it is a secret, and where it comes from.
fn effective(argument: &Arg, matches: &ArgMatches) -> Option<(String, String)> {
    let id = argument.get_id().as_str();
    let source = match matches.value_source(id)? {
        ValueSource::DefaultValue => "default".to_owned(),
        ValueSource::EnvVariable => "environment variable".to_owned(),
        _ => format!("flag --{}", argument.get_long().unwrap_or(id)),
    };
    let values: Vec<_> = matches.get_raw(id)?.map(std::ffi::OsStr::to_string_lossy).collect();
    let value = values.join(",");
    let secret = argument.is_hide_env_values_set() && !value.is_empty();
    Some((if secret { "(hidden)".to_owned() } else { value }, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(arguments: &[&str]) -> Vec<String> {
        let matches = cli::command().try_get_matches_from([&["footfall", "config"], arguments].concat()).unwrap();
        let (service, matches) = matches.subcommand_matches("config").unwrap().subcommand().unwrap();
        lines(service, matches).unwrap()
    }

    #[test]
    fn each_setting_is_shown_with_where_it_comes_from() {
        let lines =
            shown(&["up", "--page-size-max", "50", "--sessions-throttle", "false", "--time-zone", "Asia/Tehran"]);
        for expected in [
            "FOOTFALL_PAGE_SIZE_MAX=50  # flag --page-size-max",
            "FOOTFALL_THROTTLE=true  # default",
            "FOOTFALL_SESSIONS_THROTTLE=false  # flag --sessions-throttle",
            "FOOTFALL_PAGEVIEWS_THROTTLE=true  # as FOOTFALL_THROTTLE",
            "FOOTFALL_TIME_ZONE=Asia/Tehran  # flag --time-zone",
            "FOOTFALL_THROTTLE_BASE=30/minute  # default",
            "FOOTFALL_LOG=info,sqlx=warn  # default",
            "FOOTFALL_KAFKA_BROKERS=  # not set",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{expected} is not in {lines:#?}");
        }
    }

    #[test]
    fn secrets_are_hidden() {
        let secret = "postgres://ann:hunter2@db/footfall";
        let lines = shown(&[
            "query-api",
            "--database-url",
            secret,
            "--secret-key",
            "hunter2",
            "--kafka-properties",
            "a=hunter2",
        ]);
        assert!(!lines.iter().any(|line| line.contains("hunter2")), "{lines:#?}");
        assert!(lines.contains(&"FOOTFALL_SECRET_KEY=(hidden)  # flag --secret-key".to_owned()), "{lines:#?}");
    }

    #[test]
    fn a_service_has_its_own_settings_alone() {
        assert!(shown(&["ingest"]).iter().all(|line| !line.starts_with("FOOTFALL_PAGE_SIZE")));
        assert!(shown(&["projector"]).iter().all(|line| !line.starts_with("FOOTFALL_THROTTLE")));
    }
}
