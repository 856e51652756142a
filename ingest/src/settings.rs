use chrono::TimeDelta;
use service::access::AccessLevel;

/// Settings of ingest.
#[derive(Clone, Debug, clap::Args)]
pub struct IngestSettings {
    /// Oldest time that a client may give an event, in days before it arrives; older ones get the server's time
    #[arg(long, env = "FOOTFALL_ACCEPTED_AGE_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16))]
    pub accepted_age_days: u16,
    /// Who may send events
    #[arg(long, env = "FOOTFALL_WRITE_ACCESS", value_enum, default_value_t = AccessLevel::Anyone)]
    pub write_access: AccessLevel,
    /// Memory for request bodies under way, in MiB; beyond it requests are answered 503
    #[arg(long, env = "FOOTFALL_BODY_MEMORY_MIB", default_value_t = 64, value_parser = clap::value_parser!(u16).range(4..=2048))]
    pub body_memory_mib: u16,
}

impl IngestSettings {
    /// How old a client's time may be.
    pub fn accepted_age(&self) -> TimeDelta {
        TimeDelta::days(i64::from(self.accepted_age_days))
    }
}
