//! How a service leaves a proxy that has others to send to.

use crate::common::{Place, get};
use std::{net::SocketAddr, time::Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Asks without a word about the connection, and gives all that comes until the service closes it.
async fn answered_and_closed(address: SocketAddr) -> String {
    let body = r#"{"session_id": "s", "url": "https://shop.example/"}"#;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /pageviews/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn who_is_told_to_stop_says_so_and_answers_until_the_proxy_has_noticed() {
    let place = Place::new().await;
    place.migrate(1).await;
    let mut ingest = place.start(&["ingest", "--drain-announce-seconds", "3"]);
    ingest.until_ready().await;
    let (ops, http) = (ingest.address("ops port").await, ingest.address("http").await);
    let healthcheck = ["healthcheck", "--ops-listen", &ops.to_string()];
    assert!(place.run(&healthcheck).await.well().join(" ").contains("\"ready\":true"));

    let told = Instant::now();
    ingest.terminate();
    ingest.until_not_ready("stopping").await;
    assert_eq!(get(ops, "/healthz").await.status, 200, "it lives");
    let unwell = place.run(&healthcheck).await;
    assert_eq!(unwell.code, Some(1), "{unwell:?}");
    assert!(unwell.last_line().contains("503") && unwell.last_line().contains("stopping"), "{unwell:?}");
    let answer = answered_and_closed(http).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(answer.to_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");

    ingest.ended().await.well();
    assert!(told.elapsed().as_secs() >= 3, "after {:?}", told.elapsed());
    assert!(TcpStream::connect(http).await.is_err());
    let unwell = place.run(&healthcheck).await;
    assert!(unwell.code == Some(1) && unwell.last_line().contains("ops port"), "{unwell:?}");
}
