//! Which PostgreSQL is taken where there are several.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Place, Start};
use std::{
    env,
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The folder of the programs that the server of this place was started from.
fn installed(place: &Place) -> PathBuf {
    let program = fs::read_link(format!("/proc/{}/exe", place.postmaster().unwrap())).unwrap();
    program.parent().unwrap().to_owned()
}

/// A folder with shell scripts under the names of PostgreSQL's programs.
fn programs(place: &Place, name: &str, postgres: &str, initdb: &str) -> PathBuf {
    let folder = place.path().join(name);
    fs::create_dir(&folder).unwrap();
    for (program, script) in [("postgres", postgres), ("initdb", initdb)] {
        let path = folder.join(program);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// Where programs are looked for, with this folder first.
fn path_with(folder: &Path) -> OsString {
    let before = env::var_os("PATH").unwrap_or_default();
    env::join_paths([folder.to_owned()].into_iter().chain(env::split_paths(&before))).unwrap()
}

#[test]
fn the_programs_that_are_named_are_used_whatever_else_is_installed() {
    let place = Place::new();
    let probe = Start::on(&place.data_dir()).start();
    let real = installed(&place);
    probe.stop();

    let used = place.path().join("used");
    fs::write(&used, "").unwrap();
    fs::set_permissions(&used, Permissions::from_mode(0o666)).unwrap();
    let script = |name: &str| format!("echo {name} >> {}\nexec {}/{name} \"$@\"", used.display(), real.display());
    let named = programs(&place, "named", &script("postgres"), &script("initdb"));
    Start::on(&place.path().join("other")).env("FOOTFALL_PG_BIN", &named).start().stop();
    let used = fs::read_to_string(&used).unwrap();
    assert!(used.contains("initdb\n"), "{used:?}");
    // once for its version, once as the server
    assert!(used.matches("postgres\n").count() >= 2, "{used:?}");
}

#[test]
fn new_data_takes_the_newest_and_data_that_is_there_the_one_that_made_it() {
    let place = Place::new();
    Start::on(&place.data_dir()).start().stop();
    let newer = programs(
        &place,
        "newer",
        "echo 'postgres (PostgreSQL) 99.1'",
        "echo 'initdb: error: the newest was chosen' >&2; exit 1",
    );
    let refused = Start::on(&place.path().join("new")).env("PATH", path_with(&newer)).refused();
    assert!(refused.contains("the newest was chosen"), "{refused}");
    Start::on(&place.data_dir()).env("PATH", path_with(&newer)).start().stop();
}
