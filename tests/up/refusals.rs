//! What an operator is told when `footfall up` cannot start, and who may start it.

use crate::common::{Up, complaint, footfall_as_nobody, get, run};
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

#[test]
fn what_cannot_start_says_why_in_one_line() {
    let (folder, taken) = (tempfile::tempdir().unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
    let (data_dir, port) = (folder.path().to_str().unwrap(), taken.local_addr().unwrap().to_string());
    let free = "127.0.0.1:0";
    let up = |arguments: &[&str]| run([&["up", "--data-dir", data_dir, "--log", "error"], arguments].concat());
    for (arguments, told) in [
        (&["--listen", port.as_str(), "--ops-listen", free][..], "--listen (FOOTFALL_LISTEN)"),
        (&["--listen", free, "--ops-listen", &port], "--ops-listen (FOOTFALL_OPS_LISTEN)"),
        (&["--listen", free, "--ops-listen", free, "--database-url", "mysql://x"], "FOOTFALL_DATABASE_URL"),
        (
            &["--listen", free, "--ops-listen", free, "--database-url", "postgres://x@127.0.0.1:1/x"],
            "FOOTFALL_DATABASE_URL",
        ),
        (&["--listen", free, "--ops-listen", free, "--kafka-brokers", "127.0.0.1:1"], "FOOTFALL_KAFKA_BROKERS"),
    ] {
        let output = up(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        let complaint = complaint(&output);
        assert!(complaint.contains(told), "{arguments:?}: {complaint}");
    }
    // what is wrong with a setting costs nobody a database
    let untouched = folder.path().join("untouched");
    let short = folder.path().join("short");
    fs::write(&short, "short").unwrap();
    for (arguments, told) in [
        (&["--secret-key", "short"][..], "--secret-key (FOOTFALL_SECRET_KEY)"),
        (&["--secret-key-file", short.to_str().unwrap()], "--secret-key-file (FOOTFALL_SECRET_KEY_FILE)"),
        (&["--kafka-brokers", "127.0.0.1:1", "--kafka-properties", "x"], "FOOTFALL_KAFKA_PROPERTIES"),
        (&["--database-url", "mysql://x"], "FOOTFALL_DATABASE_URL"),
    ] {
        let here = ["up", "--data-dir", untouched.to_str().unwrap(), "--listen", free, "--ops-listen", free];
        let output = run([&here[..], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let complaint = complaint(&output);
        assert!(complaint.contains(told), "{arguments:?}: {complaint}");
        assert!(!untouched.exists(), "{arguments:?}");
    }
    for (arguments, told) in [
        (&["--time-zone", "Mars/Olympus"][..], "--time-zone"),
        (&["--base-path", "no slash"], "--base-path"),
        (&["--report-access", "everyone"], "--report-access"),
        (&["--no-such-flag"], "--no-such-flag"),
    ] {
        let output = up(arguments);
        let told_all = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told_all.contains(told), "{arguments:?}: {told_all}");
    }
}

#[test]
fn a_second_up_on_the_same_data_is_refused_and_names_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Up::start(folder.path(), &[]);
    let data_dir = folder.path().to_str().unwrap();
    let second = run(["up", "--data-dir", data_dir, "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"]);
    assert!(!second.status.success());
    let complaint = complaint(&second);
    assert!(complaint.contains("in use") && complaint.contains("--data-dir"), "{complaint}");
}

/// A folder that everybody may enter.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

#[test]
fn an_unprivileged_user_runs_it_as_well() {
    let folder = open_folder();
    let up = Up::spawn(&mut footfall_as_nobody(folder.path()), "127.0.0.1:0", &folder.path().join("data"), &[]);
    assert_eq!(get(&up.address, "/sessions/", "").0, 200);
    assert_eq!(up.interrupt(), Some(0));
}

#[test]
fn a_command_on_a_mistyped_data_directory_is_refused_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mistyped = folder.path().join("mistyped");
    for command in [&["verify"][..], &["rebuild"], &["dead-letter", "list"]] {
        let output = run([command, &["--data-dir", mistyped.to_str().unwrap()]].concat());
        assert!(!output.status.success(), "{command:?}");
        let complaint = complaint(&output);
        assert!(complaint.contains("there is no Footfall in") && complaint.contains("--data-dir"), "{complaint}");
    }
    assert!(!mistyped.exists());
}

#[test]
fn migrate_makes_no_database_of_its_own_for_services_that_share_kafka() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    let output = run(["migrate", "--kafka-brokers", "127.0.0.1:1", "--data-dir", none.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = complaint(&output);
    assert!(complaint.contains("--database-url (FOOTFALL_DATABASE_URL)"), "{complaint}");
    assert!(!none.exists());
}

#[test]
fn a_folder_that_may_not_be_written_to_is_named() {
    let folder = open_folder();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    let mut up = footfall_as_nobody(folder.path());
    up.args(["up", "--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--data-dir"]).arg(&closed);
    let output = up.output().unwrap();
    assert!(!output.status.success());
    let complaint = complaint(&output);
    assert!(complaint.contains(closed.to_str().unwrap()) && complaint.contains("--data-dir"), "{complaint}");
}
