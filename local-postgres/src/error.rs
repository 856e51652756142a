use std::{
    io,
    path::{Path, PathBuf},
};

/// Why PostgreSQL does not run: each message is one line with the cause and the way out.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say what each case and field is")]
pub enum Error {
    #[error("neither XDG_DATA_HOME nor HOME is set: say with --data-dir where the data is to live")]
    NoHome,
    #[error("{data_dir} is in use by another footfall{}: stop it, or choose another --data-dir", of_pid(*pid))]
    InUse { data_dir: PathBuf, pid: Option<u32> },
    #[error("no right to write in {path}: give it to the user that runs footfall, or choose another --data-dir")]
    NotWritable { path: PathBuf },
    #[error("the disk of {path} is full: make room, or choose another --data-dir")]
    DiskFull { path: PathBuf },
    #[error("{path} is a file: choose a folder as --data-dir")]
    NotAFolder { path: PathBuf },
    #[error("{path} is no UTF-8 text: choose another --data-dir")]
    NotText { path: PathBuf },
    #[error(
        "the path of PostgreSQL's socket, {socket}, has {} bytes and may have {limit}: choose a shorter --data-dir",
        socket.as_os_str().len()
    )]
    SocketPathTooLong { socket: PathBuf, limit: usize },
    #[error(
        "running as root, and there is no user `postgres` or `nobody` to run PostgreSQL as: \
         make one of them, or run footfall as another user"
    )]
    NoUser,
    #[error(
        "PostgreSQL runs as the user `{user}`, who may not enter {path}: \
         choose a --data-dir elsewhere (such as /var/lib/footfall), or open the folder (chmod o+x)"
    )]
    NotEnterable { path: PathBuf, user: String },
    #[error(
        "{data_dir} was made by PostgreSQL {major}, which is not here (found: {}): install PostgreSQL {major}, \
         or set FOOTFALL_PG_BIN to the folder of its programs",
        if found.is_empty() { "none" } else { found }
    )]
    MajorMissing { data_dir: PathBuf, major: u32, found: String },
    #[error("{path} is no PostgreSQL data directory (it has no PG_VERSION): restore it, or move it away")]
    NoCluster { path: PathBuf },
    #[error("{path} is missing, and without it nobody can sign in to the PostgreSQL beside it: restore it")]
    NoPassword { path: PathBuf },
    #[error(
        "no PostgreSQL {} or newer is installed: install the package `postgresql`, set FOOTFALL_PG_BIN, \
         or give a server of yours with --database-url",
        crate::binaries::OLDEST_MAJOR
    )]
    NotInstalled,
    #[error("FOOTFALL_PG_BIN: {path}: {cause}: set it to the folder that has `postgres` and `initdb`, or unset it")]
    BadBin { path: PathBuf, cause: String },
    #[error(
        "no PostgreSQL is installed, and none is known that could be fetched for {platform}: install PostgreSQL, \
         or set FOOTFALL_PG_ARCHIVE"
    )]
    NoArchiveForPlatform { platform: String },
    #[error(
        "could not fetch PostgreSQL from {from}: {cause}: try again, install PostgreSQL, \
         or set FOOTFALL_PG_ARCHIVE to a file or another address"
    )]
    Fetch { from: String, cause: String },
    #[error(
        "what came from {from} is not what it should be (SHA-256 {actual}, expected {expected}): nothing of it is kept; \
         try again, or set FOOTFALL_PG_ARCHIVE to another address"
    )]
    WrongChecksum { from: String, expected: String, actual: String },
    #[error(
        "{from} does not unpack to a PostgreSQL that runs here: {cause}: install PostgreSQL, or take another archive"
    )]
    BadArchive { from: String, cause: String },
    #[error("PostgreSQL could not make its data directory: {cause}")]
    Initdb { cause: String },
    #[error("PostgreSQL did not start: {cause}: see {log}")]
    Start { cause: String, log: PathBuf },
    #[error("PostgreSQL has ended by itself: {cause}: see {log}")]
    Ended { cause: String, log: PathBuf },
    #[error("PostgreSQL (pid {pid}) on {data_dir} does not stop: stop it by hand")]
    DoesNotStop { data_dir: PathBuf, pid: u32 },
    #[error("could not {doing} {path}: {cause}")]
    Io { doing: &'static str, path: PathBuf, cause: io::Error },
    #[error("PostgreSQL's supervisor ended without a reason")]
    SupervisorGone,
}

impl Error {
    /// Turns what the operating system says about `path` into advice.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| match cause.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable { path: path.to_owned() }
            }
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path: path.to_owned() },
            _ => Self::Io { doing, path: path.to_owned(), cause },
        }
    }
}

fn of_pid(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
}
