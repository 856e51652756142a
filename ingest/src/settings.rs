use chrono::TimeDelta;
use service::{access::AccessLevel, resource::Resource};
use std::str::FromStr;

/// Settings of ingest.
#[derive(Clone, Debug, clap::Args)]
pub struct IngestSettings {
    /// Oldest time that a client may give an event, in days before it arrives; older ones get the server's time, or are
    /// rejected in a batch
    #[arg(long, env = "FOOTFALL_ACCEPTED_AGE_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16))]
    pub accepted_age_days: u16,
    /// Memory for request bodies under way, in MiB; beyond it requests are answered 503
    #[arg(long, env = "FOOTFALL_BODY_MEMORY_MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(32..=2048))]
    pub body_memory_mib: u16,
    #[command(flatten)]
    allow_create: AllowCreate,
    #[command(flatten)]
    write_access: WriteAccess,
    #[command(flatten)]
    parsers: Parsers,
}

service::per_resource! {
    /// Whether events are taken
    struct AllowCreate("allow-create", "ALLOW_CREATE"): bool = "true";
}

service::per_resource! {
    /// Who may send events
    struct WriteAccess("write-access", "WRITE_ACCESS"): AccessLevel = "anyone";
}

service::per_resource! {
    /// How bodies may be written: a list of json, multipart, form.
    /// A batch is JSON whatever this says
    struct Parsers("parsers", "PARSERS"): ParserList = "json,multipart,form";
}

impl IngestSettings {
    /// How old a client's time may be.
    pub fn accepted_age(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.accepted_age_days))
    }

    /// Whether events of a resource are taken.
    pub fn allow_create(&self, resource: Resource) -> bool {
        self.allow_create.get(resource)
    }

    /// Who may send events of a resource.
    pub fn write_access(&self, resource: Resource) -> AccessLevel {
        self.write_access.get(resource)
    }

    /// How bodies of a resource may be written, at least one way.
    pub fn parsers(&self, resource: Resource) -> Vec<Parser> {
        self.parsers.get(resource).0
    }
}

/// A way to write a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parser {
    /// JSON, as `application/json` or `text/plain`.
    Json,
    /// `multipart/form-data`.
    Multipart,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// The value of `--parsers`: names with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ParserList(Vec<Parser>);

impl FromStr for ParserList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |name: &str| match name.trim() {
            "json" => Ok(Parser::Json),
            "multipart" => Ok(Parser::Multipart),
            "form" => Ok(Parser::Form),
            other => Err(format!("{other:?} is no parser; there are json, multipart and form")),
        };
        text.split(',').map(parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        ingest: IngestSettings,
    }

    #[test]
    fn parsers_are_a_list_of_known_names() {
        let parsers = |arguments: &[&str]| {
            let command = Command::try_parse_from([&["x"], arguments].concat()).map_err(|error| error.to_string())?;
            Ok::<_, String>(Resource::ALL.map(|resource| command.ingest.parsers(resource)))
        };
        let all = vec![Parser::Json, Parser::Multipart, Parser::Form];
        assert_eq!(parsers(&[]).unwrap(), [all.clone(), all.clone(), all.clone()]);
        let one = parsers(&["--pageviews-parsers", "form, json"]).unwrap();
        assert_eq!(one, [all.clone(), vec![Parser::Form, Parser::Json], all]);
        for wrong in ["", "json,", "xml"] {
            assert!(parsers(&["--parsers", wrong]).unwrap_err().contains("is no parser"), "{wrong}");
        }
    }
}
