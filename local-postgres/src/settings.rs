use std::{env, path::PathBuf};

/// The variables that [`Sources::from_environment`] reads.
pub const VARIABLES: [&str; 3] = ["FOOTFALL_PG_BIN", "FOOTFALL_PG_ARCHIVE", "FOOTFALL_PG_ARCHIVE_SHA256"];

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where everything lives; see [`crate::default_data_dir`]. Made if it is not there.
    pub data_dir: PathBuf,
    /// How many connections the server takes. Each costs memory even when unused (locks, about 20 kB).
    pub max_connections: u16,
    /// Where PostgreSQL may come from.
    pub sources: Sources,
}

impl Settings {
    /// The data directory, with what the environment says about the rest.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), max_connections: 100, sources: Sources::from_environment() }
    }
}

/// Where PostgreSQL may come from, in this order: `bin`; one that was fetched before or is installed; a fetched one.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The folder of the programs to be used, whatever else there is.
    pub bin: Option<PathBuf>,
    /// Whether to look for one that is installed.
    pub installed: bool,
    /// Where to fetch it when there is none: a file or an http(s) address of a jar of zonky's embedded-postgres-binaries.
    /// Without it: a pinned version from Maven Central.
    pub archive: Option<String>,
    /// What `archive` must add up to (SHA-256, hexadecimal). Without it, the sum of what came is logged.
    pub archive_sha256: Option<String>,
}

impl Sources {
    /// `FOOTFALL_PG_BIN`, `FOOTFALL_PG_ARCHIVE` and `FOOTFALL_PG_ARCHIVE_SHA256`; an empty one counts as not set.
    pub fn from_environment() -> Self {
        let text = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let [bin, archive, archive_sha256] = VARIABLES;
        Self {
            bin: env::var_os(bin).filter(|value| !value.is_empty()).map(PathBuf::from),
            installed: true,
            archive: text(archive),
            archive_sha256: text(archive_sha256),
        }
    }
}
