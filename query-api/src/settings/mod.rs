//! Settings of query-api.

mod admin;
mod field_names;

use crate::paging::PageSizes;
pub use admin::AdminSettings;
pub use field_names::{FieldNames, FieldSettings};
use service::{access::AccessLevel, resource::Resource};
use std::{str::FromStr, time::Duration};

service::per_resource! {
    /// Who may read lists and details
    pub struct ReadAccess("read-access", "READ_ACCESS"): AccessLevel = "anyone";
}
service::per_resource! {
    /// Whether lists are answered
    pub struct AllowList("allow-list", "ALLOW_LIST"): bool = "true";
}
service::per_resource! {
    /// Whether details are answered
    pub struct AllowRetrieve("allow-retrieve", "ALLOW_RETRIEVE"): bool = "true";
}
service::per_resource! {
    /// Whether lists and details can be filtered; searching is another thing
    pub struct Filters("filters", "FILTERS"): bool = "true";
}
service::per_resource! {
    /// Objects on a page when the client does not say
    pub struct PageSizeDefault("page-size-default", "PAGE_SIZE_DEFAULT"): PageSize = "10";
}
service::per_resource! {
    /// Fewest objects on a page; a client that asks for less gets the default
    pub struct PageSizeMin("page-size-min", "PAGE_SIZE_MIN"): PageSize = "1";
}
service::per_resource! {
    /// Most objects on a page; a client that asks for more gets as many
    pub struct PageSizeMax("page-size-max", "PAGE_SIZE_MAX"): PageSize = "100";
}

/// Connections for accounts.
pub(crate) const ACCOUNT_CONNECTIONS: u32 = 2;

/// A number of objects on a page, 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(u32);

impl FromStr for PageSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(size @ 1..=10_000) => Ok(Self(size)),
            _ => Err(format!("{text:?} is no number from 1 to 10000")),
        }
    }
}

/// Settings of query-api.
#[derive(Clone, Debug, clap::Args)]
pub struct QuerySettings {
    /// Who may read lists and details.
    #[command(flatten)]
    pub read_access: ReadAccess,
    /// Whether lists are answered.
    #[command(flatten)]
    pub allow_list: AllowList,
    /// Whether details are answered.
    #[command(flatten)]
    pub allow_retrieve: AllowRetrieve,
    /// Whether filters count.
    #[command(flatten)]
    pub filters: Filters,
    /// Fields to order by, to search in and to show.
    #[command(flatten)]
    pub fields: FieldSettings,
    /// Who may see the report
    #[arg(long, env = "FOOTFALL_REPORT_ACCESS", value_enum, default_value_t = AccessLevel::Staff)]
    pub report_access: AccessLevel,
    /// Objects on a page when the client does not say.
    #[command(flatten)]
    pub page_size_default: PageSizeDefault,
    /// Fewest objects on a page.
    #[command(flatten)]
    pub page_size_min: PageSizeMin,
    /// Most objects on a page.
    #[command(flatten)]
    pub page_size_max: PageSizeMax,
    /// What the admin is called and what it may do.
    #[command(flatten)]
    pub admin: AdminSettings,
    /// Memory for days of the report that have been added up, in megabytes; with 0 each report adds up all of its days
    #[arg(long, env = "FOOTFALL_REPORT_CACHE_MB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(0..=4_096))]
    pub report_cache_mb: u64,
    /// Longest time that one question to the database may take, in milliseconds
    #[arg(long, env = "FOOTFALL_STATEMENT_TIMEOUT_MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub statement_timeout_ms: u64,
    /// Connections to the database at most
    #[arg(long, env = "FOOTFALL_QUERY_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub query_connections: u32,
}

impl QuerySettings {
    /// Connections to PostgreSQL that query-api takes at most, those for accounts included.
    pub fn connections(&self) -> u32 {
        self.query_connections + ACCOUNT_CONNECTIONS
    }

    /// Whether the settings fit one another.
    ///
    /// # Errors
    /// Names the settings that do not.
    pub fn check(&self) -> Result<(), String> {
        for resource in Resource::ALL {
            let PageSizes { default, min, max } = self.page_sizes(resource);
            let path = resource.path();
            let wrong = |one: &str, one_size, what: &str, other: &str, other_size| {
                Err(format!(
                    "--page-size-{one} of {path} is {one_size}, and that is {what} --page-size-{other}, which is \
                     {other_size} (FOOTFALL_PAGE_SIZE_{}, FOOTFALL_PAGE_SIZE_{}, or those of {path} alone)",
                    one.to_uppercase(),
                    other.to_uppercase(),
                ))
            };
            if min > max {
                return wrong("min", min, "above", "max", max);
            }
            if default < min {
                return wrong("default", default, "below", "min", min);
            }
            if default > max {
                return wrong("default", default, "above", "max", max);
            }
        }
        Ok(())
    }

    pub(crate) fn page_sizes(&self, resource: Resource) -> PageSizes {
        PageSizes {
            default: self.page_size_default.get(resource).0.into(),
            min: self.page_size_min.get(resource).0.into(),
            max: self.page_size_max.get(resource).0.into(),
        }
    }

    pub(crate) fn report_cache_bytes(&self) -> u64 {
        self.report_cache_mb * 1024 * 1024
    }

    pub(crate) fn statement_timeout(&self) -> Duration {
        Duration::from_millis(self.statement_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use rstest::rstest;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        settings: QuerySettings,
    }

    fn check(arguments: &[&str]) -> Result<(), String> {
        Command::parse_from(["query-api"].iter().chain(arguments)).settings.check()
    }

    #[rstest]
    #[case(&["--page-size-max", "5"], "--page-size-default of sessions is 10")]
    #[case(&["--page-size-min", "11"], "--page-size-default of sessions is 10")]
    #[case(&["--page-size-min", "50", "--page-size-max", "20"], "--page-size-min of sessions is 50")]
    #[case(&["--interactions-page-size-max", "5"], "--page-size-default of interactions is 10")]
    fn page_sizes_that_do_not_fit_are_named(#[case] arguments: &[&str], #[case] named: &str) {
        let told = check(arguments).unwrap_err();
        assert!(told.contains(named) && told.lines().count() == 1, "{told}");
        assert!(told.contains("FOOTFALL_PAGE_SIZE_"), "{told}");
    }

    #[test]
    fn page_sizes_that_fit_are_taken() {
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["--page-size-min", "7", "--page-size-default", "7", "--page-size-max", "7"]), Ok(()));
        assert_eq!(check(&["--page-size-max", "5", "--page-size-default", "5"]), Ok(()));
    }
}
