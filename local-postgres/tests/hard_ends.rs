//! SIGKILL, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Owner, Place, SOON, Start, gone, signal, workers};
use rustix::process::Signal;
use sqlx::{Connection, Executor, PgConnection};
use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use test_support::eventually;

/// A server with something in it that must be there afterwards.
async fn owner_with_data(place: &Place) -> Owner {
    let owner = Start::on(&place.data_dir()).start();
    owner.run("CREATE TABLE kept AS SELECT 'here' AS what").await;
    owner
}

async fn starts_cleanly_with_its_data(place: &Place) {
    let owner = Start::on(&place.data_dir()).start();
    assert_eq!(owner.ask("SELECT what FROM kept").await, "here");
    owner.stop();
    gone(&place.cluster()).await;
}

/// A program of PostgreSQL's user that is not PostgreSQL.
fn innocent(place: &Place) -> Child {
    let cluster = fs::metadata(place.cluster()).unwrap();
    let mut sleep = Command::new("sleep");
    sleep.arg("1000").current_dir("/");
    if common::is_root() {
        sleep.uid(cluster.uid()).gid(cluster.gid());
    }
    sleep.spawn().unwrap()
}

#[tokio::test]
async fn postgresql_ends_by_itself_when_its_owner_is_killed() {
    let place = Place::new();
    let owner = owner_with_data(&place).await;
    assert!(!workers(&fs::canonicalize(place.cluster()).unwrap()).is_empty());
    owner.kill();
    gone(&place.cluster()).await;
    // a shutdown in order: nothing has to be recovered
    assert!(!place.cluster().join("postmaster.pid").exists());
    starts_cleanly_with_its_data(&place).await;
}

#[tokio::test]
async fn after_owner_and_postmaster_were_killed_amid_work_the_next_start_is_clean() {
    let place = Place::new();
    let owner = owner_with_data(&place).await;
    // a process that does not notice by itself that its postmaster is gone
    let mut busy = owner.connect().await;
    let work = tokio::spawn(async move {
        busy.execute("DO $$ DECLARE n bigint := 0; BEGIN LOOP n := n + 1; END LOOP; END $$").await
    });
    let counting = "SELECT count(*)::text FROM pg_stat_activity WHERE query LIKE 'DO %' AND state = 'active'";
    eventually("the statement runs", SOON, async || (owner.ask(counting).await == "1").then_some(())).await;
    signal(place.postmaster().unwrap(), Signal::KILL);
    owner.kill();
    let left = workers(&fs::canonicalize(place.cluster()).unwrap());
    assert!(!left.is_empty(), "nothing was left, so this shows nothing");

    starts_cleanly_with_its_data(&place).await;
    assert!(work.await.unwrap().is_err());
}

#[tokio::test]
async fn a_stale_pid_file_that_names_another_live_program_of_the_same_user_is_no_obstacle() {
    let place = Place::new();
    owner_with_data(&place).await.stop();
    let mut innocent = innocent(&place);
    // as it is found after a restart of the machine or of a container: the pid belongs to somebody else
    let cluster = fs::canonicalize(place.cluster()).unwrap();
    let sockets = cluster.with_file_name("socket");
    let content = format!("{}\n{}\n1700000000\n5432\n{}\n\n", innocent.id(), cluster.display(), sockets.display());
    let owner = fs::metadata(&cluster).unwrap();
    for file in [cluster.join("postmaster.pid"), sockets.join(".s.PGSQL.5432.lock")] {
        fs::write(&file, &content).unwrap();
        std::os::unix::fs::chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    starts_cleanly_with_its_data(&place).await;
    assert!(innocent.try_wait().unwrap().is_none(), "it was none of ours and had to be left alone");
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[tokio::test]
async fn a_pid_file_that_a_power_cut_left_empty_is_no_obstacle() {
    let place = Place::new();
    owner_with_data(&place).await.stop();
    fs::write(place.cluster().join("postmaster.pid"), "").unwrap();
    starts_cleanly_with_its_data(&place).await;
}

/// Starts the cluster's server without an owner, as one that was left behind.
fn orphan(place: &Place, program: &Path) -> Child {
    let cluster = fs::canonicalize(place.cluster()).unwrap();
    let owner = fs::metadata(&cluster).unwrap();
    let mut postgres = Command::new(program);
    postgres.arg("-D").arg(&cluster).args(["-c", "listen_addresses=", "-c"]);
    postgres.arg(format!("unix_socket_directories={}", cluster.with_file_name("socket").display()));
    postgres.current_dir(&cluster).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if common::is_root() {
        postgres.uid(owner.uid()).gid(owner.gid());
    }
    postgres.spawn().unwrap()
}

#[tokio::test]
async fn a_server_that_was_left_behind_is_stopped_before_the_next_start() {
    let place = Place::new();
    let owner = owner_with_data(&place).await;
    let program: PathBuf = fs::read_link(format!("/proc/{}/exe", place.postmaster().unwrap())).unwrap();
    owner.stop();

    let mut orphan = orphan(&place, &program);
    eventually("the orphan runs", SOON, async || {
        let content = fs::read_to_string(place.cluster().join("postmaster.pid")).ok()?;
        content.contains("ready").then_some(())
    })
    .await;
    let owner = Start::on(&place.data_dir()).start();
    assert_ne!(place.postmaster(), Some(orphan.id()));
    assert!(orphan.wait().unwrap().success(), "it was to be shut down in order");
    assert_eq!(owner.ask("SELECT what FROM kept").await, "here");
    owner.stop();
}

#[tokio::test]
async fn an_initdb_that_was_killed_half_way_is_begun_anew() {
    let place = Place::new();
    let mut owner = Start::on(&place.data_dir()).spawn();
    let half_made = place.data_dir().join("postgres.new");
    eventually("initdb is at work", SOON, async || half_made.join("base").exists().then_some(())).await;
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(half_made.exists(), "it was done already, so this shows nothing");
    assert!(!place.cluster().exists());

    let owner = Start::on(&place.data_dir()).start();
    assert!(!half_made.exists());
    assert_eq!(owner.ask("SELECT 'well'").await, "well");
    owner.stop();
}

#[tokio::test]
async fn a_kill_between_the_cluster_and_its_database_is_made_up_for() {
    let place = Place::new();
    let owner = Start::on(&place.data_dir()).start();
    let mut elsewhere = PgConnection::connect_with(&owner.options().database("postgres")).await.unwrap();
    elsewhere.execute("DROP DATABASE footfall").await.unwrap();
    owner.kill();
    gone(&place.cluster()).await;
    let owner = Start::on(&place.data_dir()).start();
    assert_eq!(owner.ask("SELECT current_database()::text").await, "footfall");
    owner.stop();
}
