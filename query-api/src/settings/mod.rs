use crate::paging::PageSizes;
use service::access::AccessLevel;
use std::time::Duration;

/// Settings of query-api.
#[derive(Clone, Debug, clap::Args)]
pub struct QuerySettings {
    /// Who may read lists and details
    #[arg(long, env = "FOOTFALL_READ_ACCESS", value_enum, default_value_t = AccessLevel::Anyone)]
    pub read_access: AccessLevel,
    /// Who may see the report
    #[arg(long, env = "FOOTFALL_REPORT_ACCESS", value_enum, default_value_t = AccessLevel::Staff)]
    pub report_access: AccessLevel,
    /// Objects on a page when the client does not say
    #[arg(long, env = "FOOTFALL_PAGE_SIZE_DEFAULT", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub page_size_default: u32,
    /// Fewest objects on a page; a client that asks for less gets the default
    #[arg(long, env = "FOOTFALL_PAGE_SIZE_MIN", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub page_size_min: u32,
    /// Most objects on a page; a client that asks for more gets as many
    #[arg(long, env = "FOOTFALL_PAGE_SIZE_MAX", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub page_size_max: u32,
    /// Longest time that one question to the database may take, in milliseconds
    #[arg(long, env = "FOOTFALL_STATEMENT_TIMEOUT_MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub statement_timeout_ms: u64,
    /// Connections to the database at most
    #[arg(long, env = "FOOTFALL_QUERY_CONNECTIONS", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub query_connections: u32,
}

impl QuerySettings {
    pub(crate) fn page_sizes(&self) -> PageSizes {
        PageSizes {
            default: self.page_size_default.into(),
            min: self.page_size_min.into(),
            max: self.page_size_max.into(),
        }
    }

    pub(crate) fn statement_timeout(&self) -> Duration {
        Duration::from_millis(self.statement_timeout_ms)
    }
}
