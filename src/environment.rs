//! Environment variables that look like settings and are none.

use clap::{Arg, Command, builder::Resettable};
use std::collections::BTreeSet;

const PREFIX: &str = "FOOTFALL_";

/// Warns of every variable that begins like a setting and is none of any command: most likely it is misspelt, and
/// without a word the default would hold in its place. Variables of other services are fine: they often share a file.
pub fn warn_of_unknown(command: &Command) {
    let known = names(command);
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for (name, nearest) in unknown(variables, &known) {
        tracing::warn!("{name} is no setting of Footfall and has no effect; the nearest one is {nearest}");
    }
}

/// Lets an empty variable count as none, as in a file of settings where nothing was filled in: the default holds.
pub fn without_empty(command: Command) -> Command {
    let is_empty = |argument: &Arg| argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
    command
        .mut_args(|argument| if is_empty(&argument) { argument.env(Resettable::Reset) } else { argument })
        .mut_subcommands(without_empty)
}

/// The variables of a command and of all below it, and those that are read without a flag.
fn names(command: &Command) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = local_postgres::VARIABLES.map(str::to_owned).into();
    let mut commands = vec![command];
    while let Some(command) = commands.pop() {
        let own = command.get_arguments().filter_map(clap::Arg::get_env);
        names.extend(own.map(|name| name.to_string_lossy().into_owned()));
        commands.extend(command.get_subcommands());
    }
    names
}

/// Those that are unknown, in order, with the name that is most like each.
fn unknown(variables: impl Iterator<Item = String>, known: &BTreeSet<String>) -> Vec<(String, &str)> {
    let unknown: BTreeSet<String> =
        variables.filter(|name| name.starts_with(PREFIX) && !known.contains(name)).collect();
    let nearest = |name: &str| {
        // what all of them begin with would make everything look alike
        let distance = |known: &String| strsim::damerau_levenshtein(&name[PREFIX.len()..], &known[PREFIX.len()..]);
        known.iter().filter(|known| known.starts_with(PREFIX)).min_by_key(|known| distance(known))
    };
    unknown
        .into_iter()
        .filter_map(|name| Some((nearest(&name)?.as_str(), name)))
        .map(|(near, name)| (name, near))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    #[test]
    fn an_unknown_variable_is_told_with_the_nearest_name() {
        let known = names(&cli::command());
        let variables = [
            "FOOTFALL_READ_ACESS",
            "FOOTFALL_TROTTLE_BASE",
            "FOOTFALL_SESSIONS_THROTLE",
            "FOOTFALL_SECRET_KEY_FIEL",
            "footfall_listen",
            "FOOTFALL_",
            "FOOTFALL_ÄCCESS",
            "PATH",
        ];
        let found = unknown(variables.into_iter().map(str::to_owned), &known);
        let told: Vec<_> = found.iter().map(|(name, nearest)| (name.as_str(), *nearest)).collect();
        assert_eq!(told.len(), 6, "{told:?}");
        for expected in [
            ("FOOTFALL_READ_ACESS", "FOOTFALL_READ_ACCESS"),
            ("FOOTFALL_TROTTLE_BASE", "FOOTFALL_THROTTLE_BASE"),
            ("FOOTFALL_SESSIONS_THROTLE", "FOOTFALL_SESSIONS_THROTTLE"),
            ("FOOTFALL_SECRET_KEY_FIEL", "FOOTFALL_SECRET_KEY_FILE"),
        ] {
            assert!(told.contains(&expected), "{expected:?} of {told:?}");
        }
    }

    #[test]
    fn settings_of_every_command_are_known() {
        let known = names(&cli::command());
        for name in ["FOOTFALL_LISTEN", "FOOTFALL_URL", "FOOTFALL_REPLICATION", "FOOTFALL_LOG", "FOOTFALL_PG_BIN"] {
            assert!(known.contains(name), "{name}");
        }
        assert!(unknown(known.iter().cloned(), &known).is_empty());
    }
}
