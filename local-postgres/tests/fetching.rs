//! Where no PostgreSQL is installed, one is fetched, and nothing that is not whole is ever kept.

#![cfg(feature = "download")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Owner, Place, Start};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::{Path, PathBuf},
    thread,
};
use tokio::sync::OnceCell;

/// Nothing here may come from an installed PostgreSQL.
fn without_installed(data_dir: &Path) -> Start {
    Start::on(data_dir).with("--fetch")
}

/// The archive that would be fetched, fetched once for all tests here that want to give it as a file.
async fn archive() -> PathBuf {
    static ARCHIVE: OnceCell<PathBuf> = OnceCell::const_new();
    let get = || async {
        let (address, sha256) = local_postgres::pinned_archive().unwrap();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(sha256);
        if !path.exists() {
            drop(rustls::crypto::ring::default_provider().install_default());
            let answer = reqwest::get(address).await.and_then(reqwest::Response::error_for_status).unwrap();
            let bytes = answer.bytes().await.unwrap();
            let sum: [u8; 32] = Sha256::digest(&bytes).into();
            let pinned: Vec<u8> =
                (0..64).step_by(2).map(|at| u8::from_str_radix(&sha256[at..at + 2], 16).unwrap()).collect();
            assert_eq!(sum.as_slice(), pinned, "what came is not what is pinned");
            let new = tempfile::NamedTempFile::new_in(path.parent().unwrap()).unwrap();
            fs::write(new.path(), bytes).unwrap();
            new.persist(&path).unwrap();
        }
        path
    };
    ARCHIVE.get_or_init(get).await.clone()
}

/// Serves one request with these bytes, saying that there are `length`, and closes the connection.
fn serve(bytes: Vec<u8>, length: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/postgresql.jar", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let read = stream.read(&mut request).unwrap();
        assert!(request[..read].starts_with(b"GET /postgresql.jar"));
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").unwrap();
        stream.write_all(&bytes).unwrap();
    });
    address
}

async fn is_of_the_fetched_version(owner: &Owner, place: &Place) {
    let version = owner.ask("SELECT split_part(current_setting('server_version'), ' ', 1)").await;
    assert!(place.data_dir().join(format!("postgresql-{version}/bin/postgres")).is_file(), "{version}");
}

fn nothing_is_kept(place: &Place) {
    let kept: Vec<_> = fs::read_dir(place.data_dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, ["lock"]);
}

#[tokio::test]
async fn from_an_empty_home_it_comes_from_the_network_once() {
    let place = Place::new();
    let owner = Start::unprivileged_on(&place.data_dir(), &place).with("--fetch").start();
    is_of_the_fetched_version(&owner, &place).await;
    owner.stop();
    // no second time: the network may be gone by now
    let start = Start::unprivileged_on(&place.data_dir(), &place).with("--fetch");
    let owner = start.env("FOOTFALL_PG_ARCHIVE", "/nowhere").start();
    is_of_the_fetched_version(&owner, &place).await;
    owner.stop();
}

#[tokio::test]
async fn a_file_given_works_without_a_network_and_for_root_too() {
    let place = Place::new();
    let start = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", archive().await);
    // every connection would fail
    let owner = start.env("HTTPS_PROXY", "http://127.0.0.1:1").env("HTTP_PROXY", "http://127.0.0.1:1").start();
    is_of_the_fetched_version(&owner, &place).await;
    owner.stop();
}

#[tokio::test]
async fn an_address_given_is_a_mirror() {
    let bytes = fs::read(archive().await).unwrap();
    let (_, sha256) = local_postgres::pinned_archive().unwrap();
    let place = Place::new();
    let length = bytes.len();
    let start = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", serve(bytes, length));
    let owner = start.env("FOOTFALL_PG_ARCHIVE_SHA256", sha256).start();
    is_of_the_fetched_version(&owner, &place).await;
    owner.stop();
}

#[tokio::test]
async fn another_sum_than_expected_is_refused_and_nothing_is_kept() {
    let place = Place::new();
    let start = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", archive().await);
    let refused = start.env("FOOTFALL_PG_ARCHIVE_SHA256", "0".repeat(64)).refused();
    assert!(refused.contains("is not what it should be") && refused.contains("nothing of it is kept"), "{refused}");
    nothing_is_kept(&place);
}

#[tokio::test]
async fn a_cut_transfer_leaves_nothing_half_made_and_the_next_attempt_works() {
    let bytes = fs::read(archive().await).unwrap();
    let place = Place::new();
    let length = bytes.len();
    let cut = serve(bytes[..length / 2].to_vec(), length);
    let refused = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", &cut).refused();
    assert!(refused.starts_with(&format!("could not fetch PostgreSQL from {cut}")), "{refused}");
    nothing_is_kept(&place);

    let start = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", serve(bytes, length));
    start.start().stop();
}

#[tokio::test]
async fn a_kill_while_it_is_unpacked_leaves_nothing_that_is_taken_for_whole() {
    let place = Place::new();
    let mut owner = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", archive().await).spawn();
    let unpacking = place.data_dir().join("fetched.new");
    test_support::eventually("it unpacks", common::SOON, async || unpacking.exists().then_some(())).await;
    owner.kill().unwrap();
    owner.wait().unwrap();
    assert!(unpacking.exists(), "it was done already, so this shows nothing");

    let owner = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", archive().await).start();
    is_of_the_fetched_version(&owner, &place).await;
    assert!(!unpacking.exists());
    owner.stop();
}

#[test]
fn what_is_no_archive_is_refused_and_nothing_is_kept() {
    let place = Place::new();
    let file = place.path().join("page.html");
    fs::write(&file, "<html>please sign in to the network</html>").unwrap();
    let refused = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", &file).refused();
    assert!(refused.contains("does not unpack to a PostgreSQL that runs here"), "{refused}");
    nothing_is_kept(&place);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let place = Place::new();
    let start = without_installed(&place.data_dir()).env("FOOTFALL_PG_ARCHIVE", "http://127.0.0.1:1/postgresql.jar");
    let refused = start.refused();
    assert!(refused.contains("http://127.0.0.1:1/postgresql.jar"), "{refused}");
    assert!(refused.to_lowercase().contains("connection refused"), "{refused}");
    nothing_is_kept(&place);
}
