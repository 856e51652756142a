//! The data directory: what is where in it, who may enter it, who holds it.

use crate::{Error, account::Account};
use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown},
    path::{Path, PathBuf},
};

/// PostgreSQL names its socket after its port, even where it listens on no port.
pub(crate) const PORT: u16 = 5432;

/// Held by the process that owns the data.
const LOCK: &str = "lock";

/// What `sockaddr_un` holds, less the closing NUL.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 106 } else { 103 };

/// Where the data lives unless told otherwise: `/var/lib/footfall` for root (never below `/root`, which PostgreSQL's
/// user cannot enter), else `$XDG_DATA_HOME/footfall` or `~/.local/share/footfall`.
pub fn default_data_dir() -> Result<PathBuf, Error> {
    if rustix::process::geteuid().is_root() {
        return Ok("/var/lib/footfall".into());
    }
    // the XDG rules: a relative path is to be ignored
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    Ok(data.ok_or(Error::NoHome)?.join("footfall"))
}

/// Makes the data directory if it is not there, and gives its real path. For root it can be entered (not listed) by
/// others, as PostgreSQL's user has to pass; what is secret in it needs mode 0600. For everybody else it is closed.
/// A folder in which others keep something stays as they have closed it.
pub fn prepare_data_dir(path: &Path) -> Result<PathBuf, Error> {
    let as_root = rustix::process::geteuid().is_root();
    if let Some(file) = path.ancestors().find(|part| part.exists()).filter(|part| !part.is_dir()) {
        return Err(Error::NotAFolder { path: file.to_owned() });
    }
    if !path.is_dir() {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(Error::io("make", parent))?;
        }
        let made = DirBuilder::new().recursive(true).mode(if as_root { 0o711 } else { 0o700 }).create(path);
        made.map_err(Error::io("make", path))?;
    }
    let path = fs::canonicalize(path).map_err(Error::io("find", path))?;
    if path.to_str().is_none() {
        return Err(Error::NotText { path });
    }
    if as_root {
        let mode = fs::metadata(&path).map_err(Error::io("look at", &path))?.mode();
        if mode & 0o011 != 0o011 && is_ours(&path)? {
            set_mode(&path, mode & 0o7777 | 0o011)?;
        }
    }
    Ok(path)
}

/// Whether there is nothing in the folder, or we have been in it.
fn is_ours(path: &Path) -> Result<bool, Error> {
    let mut entries = fs::read_dir(path).map_err(Error::io("look into", path))?;
    Ok(path.join(LOCK).exists() || entries.next().is_none())
}

/// The data directory and the names in it.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    pub(crate) root: PathBuf,
}

impl Folder {
    /// Makes what is missing and sees that PostgreSQL can work there.
    pub(crate) fn prepare(path: &Path, account: Option<&Account>) -> Result<Self, Error> {
        let folder = Self { root: prepare_data_dir(path)? };
        let socket = folder.socket();
        if socket.as_os_str().len() > SOCKET_PATH_LIMIT {
            return Err(Error::SocketPathTooLong { socket, limit: SOCKET_PATH_LIMIT });
        }
        if let Some(account) = account {
            account.may_enter(&folder.root)?;
        }
        Ok(folder)
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// What `initdb` works in until it is done.
    pub(crate) fn half_made_cluster(&self) -> PathBuf {
        self.root.join("postgres.new")
    }

    pub(crate) fn password(&self) -> PathBuf {
        self.root.join("postgres.password")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    pub(crate) fn sockets(&self) -> PathBuf {
        self.root.join("socket")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.sockets().join(format!(".s.PGSQL.{PORT}"))
    }

    pub(crate) fn lock(&self) -> Result<Lock, Error> {
        Lock::take(&self.root)
    }
}

/// The right to touch the data directory, held until dropped; the kernel takes it back from a process that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    // never inherited by PostgreSQL: the standard library opens everything close-on-exec
    _file: File,
}

impl Lock {
    fn take(data_dir: &Path) -> Result<Self, Error> {
        let path = data_dir.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o644).open(&path);
        let mut file = file.map_err(Error::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let pid = file.read_to_string(&mut holder).ok().and_then(|_| holder.trim().parse().ok());
                return Err(Error::InUse { data_dir: data_dir.to_owned(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", &path)(error)),
        }
        let write_pid = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write_pid(&mut file).map_err(Error::io("write", &path))?;
        Ok(Self { _file: file })
    }
}

/// Gives `path` itself, never what a link there points to, to PostgreSQL's user.
pub(crate) fn give(path: &Path, account: Option<&Account>) -> Result<(), Error> {
    let Some(account) = account else { return Ok(()) };
    lchown(path, Some(account.uid), Some(account.gid)).map_err(Error::io("change the owner of", path))
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(Error::io("change the mode of", path))
}

/// Makes the folder's entries as durable as the files' contents are.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(Error::io("write", path))
}

/// Removes a folder with everything in it; a missing one is fine.
pub(crate) fn remove_folder(path: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(Error::io("remove", path)),
    }
}
