//! Which PostgreSQL: the one that was named, else one that is installed, else one that is fetched.

use crate::{
    Error, Sources,
    account::Account,
    cluster, fetch,
    folder::Folder,
    process::{cause, command, not_started},
};
use rustix::process::Signal;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

/// The oldest PostgreSQL that will do.
pub(crate) const OLDEST_MAJOR: u32 = 14;

/// The programs of one PostgreSQL.
#[derive(Clone, Debug)]
pub(crate) struct Binaries {
    folder: PathBuf,
    pub(crate) major: u32,
    /// As it calls itself: `17.11`.
    pub(crate) version: String,
}

impl Binaries {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Asks the server in `folder` for its version, as the user that is to run it; `Err` is why it cannot be run.
    pub(crate) async fn probe(folder: &Path, account: Option<&Account>) -> Result<Self, String> {
        let program = folder.join("postgres");
        if let Some(missing) = ["postgres", "initdb"].iter().find(|name| !folder.join(name).is_file()) {
            return Err(format!("there is no `{missing}` in it"));
        }
        let mut version = command(&program, Path::new("/"), account, Signal::KILL);
        version.arg("--version").stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let output = tokio::time::timeout(Duration::from_secs(20), version.output()).await;
        let output = output
            .map_err(|_| format!("{} does not answer", program.display()))?
            .map_err(|error| not_started(&program, account, &error))?;
        if !output.status.success() {
            return Err(cause(&String::from_utf8_lossy(&output.stderr)));
        }
        let answer = String::from_utf8_lossy(&output.stdout);
        let (major, version) = parse_version(&answer).ok_or_else(|| format!("it calls itself `{}`", answer.trim()))?;
        // its neighbours (libraries, time zones) are found from where the program really is
        let real = fs::canonicalize(&program).ok().and_then(|program| Some(program.parent()?.to_owned()));
        let has_initdb = real.filter(|folder| folder.join("initdb").is_file());
        Ok(Self { folder: has_initdb.unwrap_or_else(|| folder.to_owned()), major, version })
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` and `postgres (PostgreSQL) 18beta1`.
fn parse_version(answer: &str) -> Option<(u32, String)> {
    let version = answer.split_once("(PostgreSQL)")?.1.split_whitespace().next()?;
    let digits = version.find(|character: char| !character.is_ascii_digit()).unwrap_or(version.len());
    Some((version[..digits].parse().ok()?, version.to_owned()))
}

/// Finds the PostgreSQL for this data directory; what has made the cluster decides the major version.
pub(crate) async fn choose(sources: &Sources, folder: &Folder, account: Option<&Account>) -> Result<Binaries, Error> {
    let needed = cluster::major(folder)?;
    let missing = |major, found: Vec<String>| Error::MajorMissing {
        data_dir: folder.root.clone(),
        major,
        found: found.join(", "),
    };
    if let Some(named) = &sources.bin {
        let bad = |cause| Error::BadBin { path: named.clone(), cause };
        let binaries = Binaries::probe(named, account).await.map_err(bad)?;
        return match needed {
            Some(needed) if needed != binaries.major => Err(missing(needed, vec![binaries.version])),
            None if binaries.major < OLDEST_MAJOR => Err(bad(format!("PostgreSQL {} is too old", binaries.version))),
            _ => Ok(binaries),
        };
    }

    let mut found = Vec::new();
    let installed = if sources.installed { installed() } else { Vec::new() };
    for candidate in fetch::fetched(&folder.root).into_iter().chain(installed) {
        match Binaries::probe(&candidate, account).await {
            // the first of this major version is as good as any other
            Ok(binaries) if Some(binaries.major) == needed => return Ok(binaries),
            Ok(binaries) if binaries.major >= OLDEST_MAJOR => found.push(binaries),
            Ok(binaries) => tracing::debug!(path = %candidate.display(), version = binaries.version, "too old"),
            Err(cause) => tracing::debug!(path = %candidate.display(), cause, "a PostgreSQL that cannot be used"),
        }
    }
    let newest = found.iter().max_by_key(|binaries| binaries.major).cloned();
    match (needed, newest) {
        (None, Some(newest)) => Ok(newest),
        (Some(needed), _) if !fetch::may_give(sources, needed) => {
            Err(missing(needed, found.into_iter().map(|binaries| binaries.version).collect()))
        }
        _ => fetch::fetch(sources, folder, account, needed).await,
    }
}

/// Every folder with a server's programs in it, each once, in the order in which they are looked at.
fn installed() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let pg_config = std::process::Command::new("pg_config").arg("--bindir").stderr(Stdio::null()).output();
    if let Ok(answer) = pg_config {
        folders.push(String::from_utf8_lossy(&answer.stdout).trim().into());
    }
    // Debian; Fedora and the PostgreSQL project's own packages; Homebrew on Intel and on ARM
    for (parent, prefix) in [
        ("/usr/lib/postgresql", ""),
        ("/usr", "pgsql-"),
        ("/usr/local/opt", "postgresql"),
        ("/opt/homebrew/opt", "postgresql"),
    ] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        folders.extend(ours.map(|entry| entry.path().join("bin")));
    }
    let mut known = Vec::new();
    for folder in folders.into_iter().filter(|folder| folder.is_absolute() && folder.join("initdb").is_file()) {
        let real = fs::canonicalize(folder.join("postgres"));
        if let Ok(real) = real
            && !known.iter().any(|(known, _)| *known == real)
        {
            known.push((real, folder));
        }
    }
    known.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_packagers_are_understood() {
        let parsed = |answer| parse_version(answer).map(|(major, version)| format!("{major} {version}"));
        assert_eq!(parsed("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n").as_deref(), Some("15 15.18"));
        assert_eq!(parsed("postgres (PostgreSQL) 18beta1\n").as_deref(), Some("18 18beta1"));
        assert_eq!(parsed("postgres (PostgreSQL) 9.6.24").as_deref(), Some("9 9.6.24"));
        assert_eq!(parsed("mysqld Ver 8\n"), None);
        assert_eq!(parsed("postgres (PostgreSQL)\n"), None);
    }
}
