//! Where `up` and the commands beside it keep their data when nobody says.

use crate::common::{complaint, footfall, footfall_as_nobody};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

/// Where the command looks for a secret key; there is none.
fn looks_in(command: &mut Command) -> String {
    let output = command.args(["token", "issue", "--role", "user"]).output().unwrap();
    assert!(!output.status.success());
    complaint(&output)
}

#[test]
fn without_a_word_data_is_where_the_system_keeps_a_users() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    if rustix::process::geteuid().is_root() && Path::new("/var/lib/footfall").exists() {
        println!("root's own place is in use");
    } else if rustix::process::geteuid().is_root() {
        let told = looks_in(footfall([""; 0]).env("HOME", folder.path()).env("XDG_DATA_HOME", folder.path()));
        assert!(told.contains("/var/lib/footfall/secret.key is missing"), "{told}");
    }

    let home = folder.path().display();
    let as_user = |data_home: Option<&str>| {
        let mut command = footfall_as_nobody(folder.path());
        command.env("HOME", folder.path()).env_remove("XDG_DATA_HOME");
        if let Some(data_home) = data_home {
            command.env("XDG_DATA_HOME", data_home);
        }
        looks_in(&mut command)
    };
    for (data_home, place) in [
        (Some(format!("{home}/data")), format!("{home}/data/footfall")),
        (None, format!("{home}/.local/share/footfall")),
        // the XDG rules: a relative path is to be ignored
        (Some("data".to_owned()), format!("{home}/.local/share/footfall")),
    ] {
        let told = as_user(data_home.as_deref());
        assert!(told.contains(&format!("{place}/secret.key is missing")), "{data_home:?}: {told}");
    }
    let told = looks_in(footfall_as_nobody(folder.path()).env_remove("HOME").env_remove("XDG_DATA_HOME"));
    assert!(told.contains("--data-dir"), "{told}");
}
