//! The cluster and its password: made once, beside, then moved to where they belong.

use crate::{
    Error,
    account::Account,
    binaries::Binaries,
    folder::{Folder, give, remove_folder, set_mode, sync_folder},
    process::{command, failure, not_started},
};
use rustix::process::Signal;
use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, OpenOptions},
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    process::Stdio,
};

/// The superuser, and the database that is made for it.
pub(crate) const NAME: &str = "footfall";

/// The major version of PostgreSQL that made the cluster; `None` when there is none yet.
pub(crate) fn major(folder: &Folder) -> Result<Option<u32>, Error> {
    let cluster = folder.cluster();
    if !cluster.exists() {
        return Ok(None);
    }
    let path = cluster.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(version) => version.trim().parse().map(Some).map_err(|_| Error::NoCluster { path: cluster }),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::NoCluster { path: cluster }),
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

/// Makes what PostgreSQL needs to start, as far as it is not there, and gives the superuser's password.
pub(crate) async fn prepare(folder: &Folder, binaries: &Binaries, account: Option<&Account>) -> Result<String, Error> {
    let sockets = folder.sockets();
    match DirBuilder::new().mode(0o700).create(&sockets) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(Error::io("make", &sockets)(error)),
        _ => {}
    }
    give(&sockets, account)?;
    set_mode(&sockets, 0o700)?;

    // what an interrupted initdb left
    remove_folder(&folder.half_made_cluster())?;
    if folder.cluster().exists() {
        return read_password(folder);
    }
    let password = make_password(folder, account)?;
    initdb(folder, binaries, account).await?;
    Ok(password)
}

/// The password of a cluster that is there.
pub(crate) fn read_password(folder: &Folder) -> Result<String, Error> {
    let path = folder.password();
    match fs::read_to_string(&path) {
        Ok(password) => Ok(password),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::NoPassword { path }),
        Err(error) => Err(Error::io("read", &path)(error)),
    }
}

/// Before the cluster: a password without one harms nobody and is made anew.
fn make_password(folder: &Folder, account: Option<&Account>) -> Result<String, Error> {
    let path = folder.password();
    let mut password = String::with_capacity(48);
    for byte in rand::random::<[u8; 24]>() {
        write!(password, "{byte:02x}").expect("writing to a string succeeds");
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(Error::io("replace", &path)(error)),
        _ => {}
    }
    let write = || {
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
        file.write_all(password.as_bytes())?;
        file.sync_all()
    };
    write().map_err(Error::io("write", &path))?;
    // initdb reads it
    give(&path, account)?;
    Ok(password)
}

/// Into a temporary name, then renamed: a kill half-way leaves no half-made cluster under the name that counts.
async fn initdb(folder: &Folder, binaries: &Binaries, account: Option<&Account>) -> Result<(), Error> {
    let half_made = folder.half_made_cluster();
    DirBuilder::new().mode(0o700).create(&half_made).map_err(Error::io("make", &half_made))?;
    give(&half_made, account)?;

    let program = binaries.program("initdb");
    let mut initdb = command(&program, &half_made, account, Signal::KILL);
    initdb.arg("-D").arg(&half_made).args(["-U", NAME, "-E", "UTF8", "--locale=C", "--data-checksums"]);
    initdb.args(["-A", "scram-sha-256", "--pwfile"]).arg(folder.password());
    initdb.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = initdb.output().await;
    let output = output.map_err(|error| Error::Initdb { cause: not_started(&program, account, &error) })?;
    if !output.status.success() {
        remove_folder(&half_made)?;
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failure(&said, &folder.root, |cause| Error::Initdb { cause }));
    }
    let cluster = folder.cluster();
    fs::rename(&half_made, &cluster).map_err(Error::io("make", &cluster))?;
    sync_folder(&folder.root)
}
