//! What a server of one's own is like, and that it comes and goes with its owner.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Owner, Place, SOON, Start, gone, only_as_root, signal, workers};
use local_postgres::{Attached, LocalPostgres, Settings, State, attach};
use rustix::process::Signal;
use sqlx::{Connection, PgConnection};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

async fn is_durable(owner: &Owner) {
    for (setting, value) in [
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("data_checksums", "on"),
        ("max_wal_size", "2GB"),
        ("shared_buffers", "256MB"),
        ("server_encoding", "UTF8"),
        ("cluster_name", "footfall"),
        ("jit", "off"),
    ] {
        assert_eq!(owner.ask(&format!("SELECT current_setting('{setting}')")).await, value, "{setting}");
    }
    // how depends on the version
    assert_ne!(owner.ask("SELECT current_setting('wal_compression')").await, "off");
    let sql = "SELECT datcollate::text || ' ' || current_user || ' ' || current_database() FROM pg_database \
               WHERE datname = current_database()";
    assert_eq!(owner.ask(sql).await, "C footfall footfall");
}

async fn is_closed_to_others(owner: &Owner, place: &Place) {
    assert_eq!(owner.ask("SELECT current_setting('listen_addresses')").await, "");
    let stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'footfall'";
    assert!(owner.ask(stored).await.starts_with("SCRAM-SHA-256$"));
    let guessed = owner.options().password("guessed");
    let refused = PgConnection::connect_with(&guessed).await.unwrap_err().to_string();
    assert!(refused.contains("password authentication failed"), "{refused}");

    let mode = |name: &str| fs::metadata(place.data_dir().join(name)).unwrap().mode() & 0o777;
    assert_eq!(mode("postgres.password"), 0o600);
    assert_eq!(mode("postgres.log"), 0o600);
    assert_eq!(mode("socket"), 0o700);
    assert_eq!(mode("postgres"), 0o700);
    assert_eq!(mode("."), if common::is_root() { 0o711 } else { 0o700 });
}

#[tokio::test]
async fn a_new_data_directory_gets_a_durable_server_that_only_its_owner_reaches() {
    let place = Place::new();
    let owner = Start::on(&place.data_dir()).start();
    is_durable(&owner).await;
    is_closed_to_others(&owner, &place).await;
    owner.stop();
    gone(&place.cluster()).await;
    let started = Instant::now();
    let owner = Start::on(&place.data_dir()).start();
    println!("second start: {:?}", started.elapsed());
    owner.stop();
}

#[tokio::test]
async fn an_unprivileged_user_gets_the_same() {
    let place = Place::new();
    let owner = Start::unprivileged_on(&place.data_dir(), &place).start();
    is_durable(&owner).await;
    let uid = |path: PathBuf| fs::metadata(path).unwrap().uid();
    let expected = if common::is_root() { common::nobody().0 } else { rustix::process::geteuid().as_raw() };
    assert_eq!(uid(place.cluster()), expected);
    assert_eq!(uid(place.data_dir()), expected);
    owner.stop();
    gone(&place.cluster()).await;
}

#[tokio::test]
async fn root_keeps_its_own_files_and_postgresql_runs_as_somebody_else() {
    if !only_as_root("root_keeps_its_own_files") {
        return;
    }
    let place = Place::new();
    let owner = Start::on(&place.data_dir()).start();
    let uid = |path: &Path| fs::metadata(path).unwrap().uid();
    assert_eq!(uid(&place.data_dir()), 0);
    assert_ne!(uid(&place.cluster()), 0);
    let postmaster = place.postmaster().unwrap();
    let status = fs::read_to_string(format!("/proc/{postmaster}/status")).unwrap();
    // no group of root's is left either
    assert!(!status.lines().any(|line| line.starts_with("Groups:") && line.contains(" 0 ")), "{status}");
    assert_eq!(uid(Path::new(&format!("/proc/{postmaster}"))), uid(&place.cluster()));
    owner.stop();
}

#[tokio::test]
async fn what_was_stored_is_there_after_the_next_start() {
    let place = Place::new();
    let owner = Start::on(&place.data_dir()).start();
    owner.run("CREATE TABLE kept AS SELECT 'here' AS what").await;
    owner.stop();
    let owner = Start::on(&place.data_dir()).start();
    assert_eq!(owner.ask("SELECT what FROM kept").await, "here");
    owner.stop();
}

#[tokio::test]
async fn ctrl_c_on_the_terminal_does_not_reach_postgresql_before_its_owner_has_stopped() {
    let place = Place::new();
    let owner = Start::on(&place.data_dir()).start();
    let group = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // the third field after the name, which is in parentheses
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(2).unwrap().parse::<u32>().unwrap()
    };
    let postmaster = place.postmaster().unwrap();
    assert_eq!(group(postmaster), postmaster);
    assert_ne!(group(owner.pid()), postmaster);
    owner.stop();
}

#[tokio::test]
async fn an_owner_that_is_interrupted_while_it_starts_leaves_nothing_running() {
    let place = Place::new();
    let mut owner = Start::on(&place.data_dir()).spawn();
    let half_made = place.data_dir().join("postgres.new");
    test_support::eventually("initdb works", SOON, async || half_made.exists().then_some(())).await;
    signal(owner.id(), Signal::INT);
    assert!(owner.wait().unwrap().success());
    gone(&half_made).await;
    Start::on(&place.data_dir()).start().stop();
}

#[tokio::test]
async fn a_second_holder_is_refused_and_told_who_the_first_is() {
    let place = Place::new();
    let owner = Start::on(&place.data_dir()).start();
    let refused = Start::on(&place.data_dir()).refused();
    let data_dir = fs::canonicalize(place.data_dir()).unwrap();
    let expected = format!(
        "{} is in use by another footfall (pid {}): stop it, or choose another --data-dir",
        data_dir.display(),
        owner.pid()
    );
    assert_eq!(refused, expected);
    assert_eq!(owner.ask("SELECT 'unharmed'").await, "unharmed");
    owner.stop();
}

#[tokio::test]
async fn a_command_beside_the_owner_connects_to_its_server_and_without_it_starts_one() {
    let place = Place::new();
    let owner = Start::on(&place.data_dir()).start();
    let beside = Start::on(&place.data_dir()).with("--attach").start();
    assert!(!beside.started);
    assert_eq!(beside.ask("SELECT 'same'").await, "same");
    beside.stop();
    assert_eq!(owner.ask("SELECT 'still there'").await, "still there");
    owner.stop();

    let Attached::Started(postgres) = attach(Settings::new(place.data_dir())).await.unwrap() else {
        panic!("nobody runs it, so it has to be started");
    };
    postgres.stop().await.unwrap();
    gone(&place.cluster()).await;
}

#[tokio::test]
async fn a_command_beside_an_owner_that_is_still_starting_waits_for_it() {
    let place = Place::new();
    let mut starting = Start::on(&place.data_dir()).spawn();
    let lock = place.data_dir().join("lock");
    test_support::eventually("the data is taken", SOON, async || lock.exists().then_some(())).await;
    let beside = Start::on(&place.data_dir()).with("--attach").start();
    assert_eq!(beside.ask("SELECT 'there'").await, "there");
    beside.stop();
    signal(starting.id(), Signal::TERM);
    assert!(starting.wait().unwrap().success());
}

#[tokio::test]
async fn a_value_that_is_dropped_takes_its_server_with_it() {
    let place = Place::new();
    let postgres = LocalPostgres::start(Settings::new(place.data_dir())).await.unwrap();
    let state = postgres.state();
    assert_eq!(*state.borrow(), State::Running);
    let cluster = fs::canonicalize(place.cluster()).unwrap();
    assert!(!workers(&cluster).is_empty());
    drop(postgres);
    assert_eq!(workers(&cluster), Vec::<u32>::new());
    assert_eq!(*state.borrow(), State::Stopped);
}

#[tokio::test]
async fn a_server_that_dies_is_started_again_and_says_why_it_was_away() {
    let place = Place::new();
    let postgres = LocalPostgres::start(Settings::new(place.data_dir())).await.unwrap();
    let mut state = postgres.state();
    let first = place.postmaster().unwrap();
    signal(first, Signal::KILL);

    let restarting = |state: &State| matches!(state, State::Restarting { .. });
    let State::Restarting { reason } = state.wait_for(restarting).await.unwrap().clone() else { unreachable!() };
    assert!(reason.contains("has ended by itself") && reason.contains("SIGKILL"), "{reason}");
    tokio::time::timeout(SOON, state.wait_for(|state| *state == State::Running)).await.unwrap().unwrap();
    assert_ne!(place.postmaster().unwrap(), first);
    let connection = PgConnection::connect_with(&postgres.options()).await.unwrap();
    connection.close().await.unwrap();

    let before = Instant::now();
    postgres.stop().await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(30), "it took an immediate shutdown");
    gone(&place.cluster()).await;
}
