//! Fetching PostgreSQL: once, into the data directory, under a temporary name until it is known to be whole and to run.

use crate::{Error, Sources, account::Account, binaries::Binaries, folder::Folder};
use std::{
    fs,
    path::{Path, PathBuf},
};

#[cfg(feature = "download")]
mod archive;
#[cfg(feature = "download")]
mod download;
#[cfg(feature = "download")]
mod pinned;

#[cfg(feature = "download")]
pub use pinned::pinned_archive;

/// The name of a fetched PostgreSQL in the data directory is this and its version.
const PREFIX: &str = "postgresql-";

/// What earlier starts have fetched: folders of programs.
pub(crate) fn fetched(data_dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data_dir).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.map(|entry| entry.path().join("bin")).filter(|bin| bin.is_dir()).collect()
}

/// Whether what would be fetched may be of this major version. An archive of somebody else's is known only afterwards.
#[cfg(feature = "download")]
pub(crate) fn may_give(sources: &Sources, major: u32) -> bool {
    sources.archive.is_some() || major == pinned::MAJOR
}

#[cfg(not(feature = "download"))]
pub(crate) fn may_give(_: &Sources, _: u32) -> bool {
    false
}

/// Fetches PostgreSQL into the data directory; `needed` is the major version that an existing cluster asks for.
#[cfg(feature = "download")]
pub(crate) async fn fetch(
    sources: &Sources,
    folder: &Folder,
    account: Option<&Account>,
    needed: Option<u32>,
) -> Result<Binaries, Error> {
    let (from, expected) = match &sources.archive {
        Some(archive) => (archive.clone(), sources.archive_sha256.clone()),
        None => pinned_archive().map(|(address, sha256)| (address, Some(sha256.to_owned())))?,
    };
    let bytes = download::get(&from).await?;
    let actual = archive::sha256(&bytes);
    match expected {
        Some(expected) if !expected.eq_ignore_ascii_case(&actual) => {
            return Err(Error::WrongChecksum { from, expected, actual });
        }
        Some(_) => {}
        None => tracing::info!(from, sha256 = actual, "took PostgreSQL; FOOTFALL_PG_ARCHIVE_SHA256 would be compared"),
    }
    archive::install(&from, bytes, folder, account, needed).await
}

#[cfg(not(feature = "download"))]
pub(crate) async fn fetch(_: &Sources, _: &Folder, _: Option<&Account>, _: Option<u32>) -> Result<Binaries, Error> {
    std::future::ready(Err(Error::NotInstalled)).await
}
