//! The data directory that is there already: whose it is decides what happens to it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Place, Start, only_as_root};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn as_root_a_closed_folder_of_others_stays_closed() {
    if !only_as_root("as_root_a_closed_folder_of_others_stays_closed") {
        return;
    }
    let place = Place::new();
    let [theirs, empty] = ["theirs", "empty"].map(|name| {
        let folder = place.path().join(name);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        folder
    });
    fs::write(theirs.join("precious"), "data").unwrap();
    let refused = Start::on(&theirs).refused();
    let expected = format!("who may not enter {}: choose a --data-dir elsewhere", theirs.display());
    assert!(refused.contains(&expected), "{refused}");
    assert_eq!(mode(&theirs), 0o700);
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 1, "nothing was made in it");

    Start::on(&empty).start().stop();
    assert_eq!(mode(&empty), 0o711, "PostgreSQL's user has to pass");
    // once it is ours, it is opened again
    fs::set_permissions(&empty, Permissions::from_mode(0o700)).unwrap();
    Start::on(&empty).start().stop();
}

#[test]
fn a_file_is_no_data_directory() {
    let place = Place::new();
    let file = place.path().join("file");
    fs::write(&file, "data").unwrap();
    for data_dir in [file.clone(), file.join("below")] {
        let refused = Start::on(&data_dir).refused();
        assert_eq!(refused, format!("{} is a file: choose a folder as --data-dir", file.display()));
    }
}
