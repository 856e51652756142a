//! What cannot work is refused in one line that names the cause and the way out.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Place, Start, only_as_root};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

#[test]
fn a_path_that_is_too_long_for_a_socket() {
    let place = Place::new();
    let data_dir = place.path().join("d".repeat(100));
    let refused = Start::on(&data_dir).refused();
    assert!(refused.ends_with("choose a shorter --data-dir"), "{refused}");
    assert!(!data_dir.join("postgres").exists());
}

#[test]
fn data_of_a_version_that_is_not_here_and_it_is_left_as_it_is() {
    let place = Place::new();
    fs::create_dir_all(place.cluster()).unwrap();
    fs::write(place.cluster().join("PG_VERSION"), "11\n").unwrap();
    let refused = Start::on(&place.data_dir()).refused();
    assert!(refused.contains("was made by PostgreSQL 11, which is not here"), "{refused}");
    assert!(refused.contains("FOOTFALL_PG_BIN"), "{refused}");
    let left: Vec<_> = fs::read_dir(place.cluster()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["PG_VERSION"]);
}

#[test]
fn a_folder_that_is_no_cluster_and_it_is_left_as_it_is() {
    let place = Place::new();
    fs::create_dir_all(place.cluster()).unwrap();
    fs::write(place.cluster().join("precious"), "data").unwrap();
    let refused = Start::on(&place.data_dir()).refused();
    assert!(refused.contains("is no PostgreSQL data directory"), "{refused}");
    assert_eq!(fs::read_to_string(place.cluster().join("precious")).unwrap(), "data");
}

#[test]
fn programs_that_are_not_where_they_are_said_to_be() {
    let place = Place::new();
    let refused = Start::on(&place.data_dir()).env("FOOTFALL_PG_BIN", place.path()).refused();
    assert!(refused.starts_with("FOOTFALL_PG_BIN: "), "{refused}");
    assert!(refused.contains("there is no `postgres` in it"), "{refused}");
}

#[test]
fn a_password_that_is_lost() {
    let place = Place::new();
    Start::on(&place.data_dir()).start().stop();
    fs::remove_file(place.data_dir().join("postgres.password")).unwrap();
    let refused = Start::on(&place.data_dir()).refused();
    assert!(refused.contains("postgres.password is missing"), "{refused}");
}

#[test]
fn no_right_to_write() {
    let place = Place::new();
    let closed = place.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
    let refused = Start::unprivileged_on(&closed.join("data"), &place).refused();
    let expected = format!("no right to write in {}", closed.display());
    assert!(refused.starts_with(&expected) && refused.ends_with("choose another --data-dir"), "{refused}");
    // the folder itself, too
    let refused = Start::unprivileged_on(&closed, &place).refused();
    assert!(refused.starts_with(&expected), "{refused}");
}

#[test]
fn as_root_a_folder_that_others_cannot_enter() {
    if !only_as_root("as_root_a_folder_that_others_cannot_enter") {
        return;
    }
    let place = Place::new();
    let private = place.path().join("root");
    fs::create_dir(&private).unwrap();
    fs::set_permissions(&private, Permissions::from_mode(0o700)).unwrap();
    let refused = Start::on(&private.join("data")).refused();
    let expected = format!("who may not enter {}: choose a --data-dir elsewhere", private.display());
    assert!(refused.contains(&expected), "{refused}");
}

/// A file system of its own that holds this much; gone with the value.
struct SmallDisk<'a> {
    path: &'a Path,
}

impl<'a> SmallDisk<'a> {
    /// `None` where nobody may mount anything, as in many containers; said like what only root can do.
    fn mount(path: &'a Path, size: &str) -> Option<Self> {
        fs::create_dir(path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size},mode=755"), "tmpfs"]).arg(path);
        if mount.status().unwrap().success() {
            return Some(Self { path });
        }
        eprintln!("a_disk_that_is_full: not run, since no file system can be mounted here (it takes CAP_SYS_ADMIN)");
        None
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(self.path).status());
    }
}

#[tokio::test]
async fn a_disk_that_is_full_when_the_cluster_is_made_and_later() {
    if !only_as_root("a_disk_that_is_full") {
        return;
    }
    let place = Place::new();
    let path = place.path().join("disk");
    let Some(disk) = SmallDisk::mount(&path, "20m") else { return };
    let data_dir = path.join("data");
    let expected = format!("the disk of {} is full: make room", data_dir.display());
    let refused = Start::on(&data_dir).refused();
    assert!(refused.starts_with(&expected), "{refused}");
    assert!(!data_dir.join("postgres").exists());
    assert!(!data_dir.join("postgres.new").exists());
    drop(disk);

    fs::remove_dir(&path).unwrap();
    let _disk = SmallDisk::mount(&path, "150m").unwrap();
    Start::on(&data_dir).start().stop();
    // all that is left is taken
    let taken =
        Command::new("dd").args(["if=/dev/zero", "bs=64k"]).arg(format!("of={}/taken", path.display())).output();
    assert!(!taken.unwrap().status.success());
    let refused = Start::on(&data_dir).refused();
    assert!(refused.starts_with(&expected), "{refused}");
    fs::remove_file(path.join("taken")).unwrap();
    Start::on(&data_dir).start().stop();
}
