//! `kill -9` of everything, in the middle of it, again and again: nothing that was acknowledged is lost, nothing
//! counts twice. `FOOTFALL_TEST_EVENTS` and `FOOTFALL_TEST_KILLS` make it longer.

use crate::common::{Load, Up, run};
use rand::RngExt;
use std::path::Path;
use test_support::{TestDatabase, kafka_brokers, seeded, unique_name};

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Loads, kills and starts again, then verifies: beside the running `up` and after it.
fn survive(test: &str, folder: &Path, arguments: &[&str], batch: u16, postmaster_too: bool) {
    let (events, kills) = (number("FOOTFALL_TEST_EVENTS", 20_000), number("FOOTFALL_TEST_KILLS", 3));
    let mut random = seeded(test);
    let acknowledged = folder.join("acknowledged.jsonl");
    let mut up = Up::start(folder, arguments);
    let address = up.address.clone();
    let mut load = Load::start(&address, events, batch, &acknowledged);
    let share = events / (kills + 1);
    for kill in 0..kills {
        load.until_acknowledged(kill * share + random.random_range(1..=share));
        if postmaster_too && kill % 2 == 1 {
            kill_postmaster(folder);
        }
        up.kill();
        up = Up::start_at(&address, folder, arguments);
    }
    load.finish();
    up.caught_up();
    let data_dir = folder.to_str().unwrap();
    let verify = || {
        let own = ["verify", "--data-dir", data_dir, "--acknowledged", acknowledged.to_str().unwrap()];
        let output = run([&own[..], arguments].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
        said
    };
    println!("{}", verify());
    assert_eq!(up.interrupt(), Some(0));
    verify();
    let dead = run([&["dead-letter", "list", "--data-dir", data_dir][..], arguments].concat());
    assert_eq!(String::from_utf8_lossy(&dead.stdout), "", "nothing is dead");
}

fn kill_postmaster(folder: &Path) {
    let pid = std::fs::read_to_string(folder.join("postgres/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap().trim().to_owned();
    assert!(std::process::Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
}

#[test]
fn kill_9_of_up_and_of_its_postgresql_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    survive("own servers", folder.path(), &[], 1, true);
}

#[test]
fn kill_9_of_up_on_kafka_and_a_named_postgresql_loses_and_doubles_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(TestDatabase::create());
    let (folder, url, topic) = (tempfile::tempdir().unwrap(), database.url(), unique_name("up-kill"));
    let brokers = kafka_brokers();
    let arguments = ["--database-url", &url, "--kafka-brokers", &brokers, "--kafka-topic", &topic];
    survive("named servers", folder.path(), &arguments, 1, false);
}

#[test]
fn kill_9_in_the_middle_of_batches_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    survive("batches", folder.path(), &[], 20, true);
}
