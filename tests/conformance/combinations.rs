//! The three ways to run Footfall, each with its own servers, and any other one by its address.

use crate::{
    common::{Place, Process},
    conforms,
    site::Site,
};
use std::{
    env,
    io::{Read, Write, copy},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
};

const BASE_PATH: &str = "/behavior";

async fn token(place: &Place, role: &str) -> String {
    place.run(&["token", "issue", "--role", role]).await.well().remove(0)
}

/// Asks in a thread of its own: the questions wait for their answers.
async fn ask(place: &Place, url: String) {
    let site = Site::new(&url, &token(place, "staff").await, &token(place, "user").await);
    tokio::task::spawn_blocking(move || conforms(&site)).await.unwrap();
}

/// One address before both services, as a proxy would be: what writes goes to ingest, everything else to query-api.
fn one_address(ingest: SocketAddr, query_api: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let text = String::from_utf8_lossy(&head).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default();
                let taken = ["/sessions/", "/pageviews/", "/interactions/", "/batch/", "/end/"];
                let posts = text.starts_with("POST ") && taken.iter().any(|end| path.ends_with(end));
                let writes = posts || path.ends_with("/pixel.gif");
                let mut server = TcpStream::connect(if writes { ingest } else { query_api }).unwrap();
                server.write_all(&head).unwrap();
                let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || copy(&mut from_client, &mut to_server));
                // either end may go first
                drop(copy(&mut server, &mut client));
                drop(client.shutdown(Shutdown::Write));
            });
        }
    });
    address
}

const SERVE: [&str; 4] = ["--base-path", BASE_PATH, "--throttle-base", "off"];

#[tokio::test]
async fn everything_in_one_process_on_postgresql_conforms() {
    let place = Place::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = place.command(&["up", "--throttle-base", "off", "--throttle-staff", "off"]);
    command.env_remove("FOOTFALL_KAFKA_BROKERS").arg("--data-dir").arg(folder.path());
    let mut up = Process::start("up", command);
    up.until_ready().await;
    ask(&place, format!("http://{}", up.address("http").await)).await;
    up.stop().await;
}

#[tokio::test]
async fn everything_in_one_process_on_kafka_conforms() {
    let place = Place::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = place.command(&[&["up", "--throttle-staff", "off"], &SERVE[..]].concat());
    command.arg("--data-dir").arg(folder.path());
    let mut up = Process::start("up", command);
    up.until_ready().await;
    ask(&place, format!("http://{}{BASE_PATH}", up.address("http").await)).await;
    up.stop().await;
}

#[tokio::test]
async fn services_apart_behind_one_address_conform() {
    let place = Place::new().await;
    place.migrate(3).await;
    let throttle_off = [&SERVE[..], &["--throttle-staff", "off"]].concat();
    let mut ingest = place.start(&[&["ingest"], &throttle_off[..]].concat());
    let mut projector = place.start(&["projector"]);
    let mut query_api = place.start(&[&["query-api"], &throttle_off[..]].concat());
    for service in [&mut ingest, &mut projector, &mut query_api] {
        service.until_ready().await;
    }
    let address = one_address(ingest.address("http").await, query_api.address("http").await);
    ask(&place, format!("http://{address}{BASE_PATH}")).await;
    for service in [query_api, projector, ingest] {
        service.stop().await;
    }
}

#[test]
fn the_one_at_the_given_address_conforms() {
    // started by whoever gives its address; without one the three above are all there is to ask
    let Ok(url) = env::var("FOOTFALL_CONFORMANCE_URL") else { return };
    let [staff, user] = ["STAFF", "USER"].map(|role| {
        let variable = format!("FOOTFALL_CONFORMANCE_{role}_TOKEN");
        env::var(&variable).unwrap_or_else(|_| panic!("{variable} is not set: `footfall token issue --role …`"))
    });
    conforms(&Site::new(&url, &staff, &user));
}
