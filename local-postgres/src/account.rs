//! Whom PostgreSQL runs as: it refuses root.

use crate::Error;
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Stdio},
};

/// A user of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The user that PostgreSQL runs as; `None` is the one that we are.
pub(crate) fn for_postgres() -> Result<Option<Account>, Error> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    // initdb looks its own uid up, so a user who is only a number would not do
    ["postgres", "nobody"].into_iter().find_map(look_up).map(Some).ok_or(Error::NoUser)
}

/// `/etc/passwd` first; where users come from elsewhere (LDAP, macOS), `getent` may know.
fn look_up(name: &str) -> Option<Account> {
    let in_file = fs::read_to_string("/etc/passwd").ok().and_then(|passwd| parse(&passwd, name));
    in_file.or_else(|| {
        let answer = Command::new("getent").args(["passwd", name]).stderr(Stdio::null()).output().ok()?;
        parse(&String::from_utf8_lossy(&answer.stdout), name)
    })
}

fn parse(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (found, _password, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        if found != name {
            return None;
        }
        // root under another name would be refused by PostgreSQL
        let uid = uid.parse().ok().filter(|uid| *uid != 0)?;
        Some(Account { name: name.to_owned(), uid, gid: gid.parse().ok()? })
    })
}

impl Account {
    /// Fails with the outermost folder on the way to `path` that this user may not enter. Access lists are not looked at.
    pub(crate) fn may_enter(&self, path: &Path) -> Result<(), Error> {
        let mut folders: Vec<&Path> = path.ancestors().collect();
        folders.reverse();
        for folder in folders {
            let metadata = fs::metadata(folder).map_err(Error::io("look at", folder))?;
            let bit = if metadata.uid() == self.uid {
                0o100
            } else if metadata.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            if metadata.mode() & bit == 0 {
                return Err(Error::NotEnterable { path: folder.to_owned(), user: self.name.clone() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name_and_never_as_root() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:7:8::/:\npostgres:x:101:104:,,,:/var:/bin/sh\nbroken\nnobody:x:0:0::/:\n";
        let postgres = Account { name: "postgres".into(), uid: 101, gid: 104 };
        assert_eq!(parse(passwd, "postgres"), Some(postgres));
        assert_eq!(parse(passwd, "nobody"), None);
        assert_eq!(parse(passwd, "missing"), None);
    }
}
