//! `footfall up` on a PostgreSQL that was named, log and all: it stops or falls silent, and comes back.

use crate::common::{JSON, Up, eventually, get, post, run};
use local_postgres::{LocalPostgres, Settings};
use test_support::{DatabaseLine, TestDatabase, url_of_data_dir};
use tokio::runtime::Runtime;

/// The status of the answer to one more page view.
fn send(up: &Up) -> u16 {
    post(&up.address, "/pageviews/", JSON, r#"{"session_id": "s", "url": "https://shop.example/"}"#).0
}

/// Waits until an event and a read are refused.
fn until_refused(up: &Up) {
    eventually("no event is taken", || (send(up) == 503).then_some(()));
    eventually("nothing is read", || (get(&up.address, "/pageviews/", "").0 == 503).then_some(()));
}

/// Waits until events are taken again, and read, all of those that were acknowledged.
fn until_well_again(up: &Up, database: &str) {
    eventually("an event is taken", || (send(up) == 202).then_some(()));
    eventually("the lists answer", || (get(&up.address, "/pageviews/", "").0 == 200).then_some(()));
    up.caught_up();
    let verified = run(["verify", "--database-url", database]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
}

#[test]
fn a_network_that_falls_silent_is_told_and_got_over() {
    let runtime = Runtime::new().unwrap();
    let (database, line) = runtime.block_on(async {
        let database = TestDatabase::create().await;
        let line = DatabaseLine::to(&database).await;
        (database, line)
    });
    let folder = tempfile::tempdir().unwrap();
    let up = Up::start(folder.path(), &["--database-url", line.url()]);
    assert_eq!(send(&up), 202);
    up.caught_up();
    line.fall_silent();
    until_refused(&up);
    // what was connected never speaks again, and neither side is told
    line.speak_on_new_connections();
    until_well_again(&up, &database.url());
    up.kill();
}

#[test]
fn a_server_that_stops_is_told_and_got_over() {
    let runtime = Runtime::new().unwrap();
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let start = || runtime.block_on(LocalPostgres::start(Settings::new(data.path()))).unwrap();
    let postgres = start();
    let url = url_of_data_dir(data.path());
    let up = Up::start(folder.path(), &["--database-url", &url]);
    assert_eq!(send(&up), 202);
    up.caught_up();
    runtime.block_on(postgres.stop()).unwrap();
    until_refused(&up);
    let postgres = start();
    until_well_again(&up, &url);
    assert_eq!(up.interrupt(), Some(0));
    runtime.block_on(postgres.stop()).unwrap();
}
