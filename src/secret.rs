//! The secret that `up` makes for itself and keeps in its data directory, and `footfall secret make` for others.

use anyhow::{Context, bail};
use clap::Subcommand;
use service::{access::Keys, settings::KeySettings};
use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};
use uuid::Uuid;

/// Secrets in files.
#[derive(clap::Args)]
pub struct Secret {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a random secret in each of these files that is not there yet
    Make {
        /// The files; their folders have to be there
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

impl Secret {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Action::Make { files } = self.action;
        for file in files {
            let made = make(&file)?;
            println!("{} {}", file.display(), if made { "is made" } else { "is there" });
        }
        Ok(ExitCode::SUCCESS)
    }
}

const FILE: &str = "secret.key";

/// The keys of the settings, else those of the data directory, which are made when they are not there.
pub fn keys_or_make(settings: &KeySettings, data_dir: &Path) -> anyhow::Result<Keys> {
    if let Some(keys) = settings.keys()? {
        return Ok(keys);
    }
    let path = data_dir.join(FILE);
    make(&path)?;
    read(settings, &path)
}

/// Makes a random secret in a file that is not there yet, for its owner alone. Gives whether it has.
pub fn make(path: &Path) -> anyhow::Result<bool> {
    let write = || -> std::io::Result<bool> {
        // beside, then linked: a crash in between leaves no half-written secret, and the first of two wins
        let mut new = path.as_os_str().to_owned();
        new.push(format!(".{}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        // two random UUIDs have 244 random bits from the system's generator
        file.write_all(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).as_bytes())?;
        file.sync_all()?;
        let linked = fs::hard_link(&new, path);
        fs::remove_file(&new)?;
        if let Some(folder) = path.parent() {
            // what is made with it must not outlive it in a power cut
            File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()?;
        }
        match linked {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    };
    if path.exists() {
        return Ok(false);
    }
    write().with_context(|| format!("cannot write the secret {}", path.display()))
}

/// The keys of the settings, else those of the data directory.
pub fn keys(settings: &KeySettings, data_dir: &Path) -> anyhow::Result<Keys> {
    if let Some(keys) = settings.keys()? {
        return Ok(keys);
    }
    let path = data_dir.join(FILE);
    if !path.exists() {
        bail!(
            "there is no secret key: give the one of the services with --secret-key-file (FOOTFALL_SECRET_KEY_FILE), or start `footfall up` once ({} is missing)",
            path.display()
        );
    }
    read(settings, &path)
}

fn read(settings: &KeySettings, path: &Path) -> anyhow::Result<Keys> {
    let secret = fs::read(path).with_context(|| format!("cannot read the secret key {}", path.display()))?;
    settings.keys_with(&secret, &path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_secret_is_made_once_and_is_for_its_owner_alone() {
        let (folder, none) = (tempfile::tempdir().unwrap(), KeySettings::default());
        assert!(keys(&none, folder.path()).is_err());
        keys_or_make(&none, folder.path()).unwrap();
        let secret = fs::read(folder.path().join(FILE)).unwrap();
        keys_or_make(&none, folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), secret);
        assert_eq!(fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
