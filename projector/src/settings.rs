//! The projector's settings.

use crate::patience::Patience;
use std::time::Duration;

/// How long PostgreSQL may take for one statement of a batch: far more than any takes.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// How the log is brought into the read model.
#[derive(Clone, Debug, clap::Args)]
pub struct ProjectorSettings {
    /// Within how many days a repeated event_id is one event; 0 looks for no repetitions
    #[arg(long, env = "FOOTFALL_DEDUPLICATION_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(0..=3_650))]
    pub deduplication_days: u16,
    /// Records that one transaction takes at most
    #[arg(long, env = "FOOTFALL_PROJECTOR_BATCH_RECORDS", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub projector_batch_records: u32,
    /// Bytes of records that one transaction takes at most; a single record always fits
    #[arg(long, env = "FOOTFALL_PROJECTOR_BATCH_BYTES", default_value_t = 4 * 1024 * 1024, value_parser = clap::value_parser!(u32).range(1..=67_108_864))]
    pub projector_batch_bytes: u32,
    /// Dead letters in a row after which a partition stops
    #[arg(long, env = "FOOTFALL_PROJECTOR_MAX_DEAD_LETTERS", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub projector_max_dead_letters: u32,
    /// Connections to PostgreSQL at most, besides one that holds the projector's lock
    #[arg(long, env = "FOOTFALL_PROJECTOR_CONNECTIONS", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub projector_connections: u32,
    /// How long PostgreSQL may take for one statement of a batch, in seconds: then it is tried again
    #[arg(long, env = "FOOTFALL_PROJECTOR_STATEMENT_TIMEOUT_SECONDS", default_value_t = STATEMENT_TIMEOUT.as_secs(), value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub projector_statement_timeout_seconds: u64,
    /// Projectors of one group divide the partitions among them (Kafka)
    #[arg(long, env = "FOOTFALL_PROJECTOR_GROUP", default_value = "footfall-projector")]
    pub projector_group: String,
}

/// How much a worker takes at a time.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Records of a batch.
    pub batch_records: usize,
    /// Bytes of a batch.
    pub batch_bytes: usize,
    /// Dead letters in a row after which a partition stops.
    pub dead_letters_in_a_row: usize,
}

impl ProjectorSettings {
    /// Connections to PostgreSQL that a projector takes at most: one holds its lock.
    pub fn connections(&self) -> u32 {
        self.projector_connections + 1
    }

    /// How long a batch may take.
    pub fn patience(&self) -> Patience {
        Patience::with(Duration::from_secs(self.projector_statement_timeout_seconds))
    }

    /// The limits of a worker.
    pub fn limits(&self) -> Limits {
        let size =
            |setting: u32| usize::try_from(setting).expect("a u32 fits into a usize on the platforms we build for");
        Limits {
            batch_records: size(self.projector_batch_records),
            batch_bytes: size(self.projector_batch_bytes),
            dead_letters_in_a_row: size(self.projector_max_dead_letters),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        settings: ProjectorSettings,
    }

    #[test]
    fn the_defaults_are_those_of_the_design() {
        let settings = Command::parse_from(["projector"]).settings;
        let limits = settings.limits();
        assert_eq!((limits.batch_records, limits.batch_bytes), (5_000, 4 * 1024 * 1024));
        assert_eq!((settings.deduplication_days, settings.projector_connections), (7, 6));
    }

    #[test]
    fn a_wrong_value_names_its_setting() {
        let error = Command::try_parse_from(["projector", "--projector-batch-records", "0"]).err().unwrap().to_string();
        assert!(error.contains("--projector-batch-records"), "{error}");
    }
}
