//! What a client sees: answers of the three resources over a real log and a real connection.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use axum::body::Body;
use chrono::{DateTime, Utc};
use common::{Bench, settings};
use schema::{Event, Position, codec};
use service::lifecycle::Shutdown;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const PAGE_VIEW: &str = r#"{"url":"http://a.example/","session_id":"s"}"#;

#[tokio::test]
async fn a_202_names_the_position_under_which_the_event_is_on_the_log() {
    let bench = Bench::new(settings(&[])).await;
    let before = Utc::now();
    let (status, answer) = bench.post("/interactions/", "application/json", r##"{"event_type":"click","element":"#b","metadata":{"x":1.50},"session_id":"s","session":{"id":1},"id":9}"##).await;
    assert_eq!(status, 202, "{answer}");
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 9, "{answer}");
    assert_eq!((answer["time_source"].as_str(), answer["timestamp"] == answer["recorded_at"]), (Some("server"), true));
    let recorded_at: DateTime<Utc> = answer["recorded_at"].as_str().unwrap().parse().unwrap();
    assert!(recorded_at >= schema::to_micros(before) && recorded_at <= Utc::now());

    let records = bench.records().await;
    assert_eq!(records.len(), 1);
    assert_eq!(Position::from_id(answer["id"].as_i64().unwrap()).unwrap(), records[0].position);
    assert_eq!(records[0].position.partition, schema::partition_for(b"s", 12));
    let envelope = codec::decode(records[0].schema_version, &records[0].value).unwrap();
    assert_eq!(envelope.event_id.to_string(), answer["event_id"].as_str().unwrap());
    assert!(!envelope.event_id_given);
    let Event::InteractionRecorded(interaction) = envelope.event else { panic!("not an interaction") };
    assert_eq!(interaction.metadata.get(), r#"{"x":1.50}"#);
}

#[tokio::test]
async fn a_session_is_accepted_without_an_id_and_keeps_the_clients_time_and_event_id() {
    let bench = Bench::new(settings(&[])).await;
    let start = (Utc::now() - chrono::TimeDelta::hours(2)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let event_id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let body = format!(
        r#"{{"session_id":"s","user_agent":"ua","ip_address":"192.0.2.1","start_time":"{start}","event_id":"{event_id}"}}"#
    );
    for _ in 0..2 {
        let (status, answer) = bench.post("/sessions/", "application/json; charset=utf-8", body.clone()).await;
        assert_eq!((status, answer["time_source"].as_str()), (202, Some("client")), "{answer}");
        assert_eq!(
            (answer["start_time"].as_str(), answer["event_id"].as_str()),
            (Some(start.as_str()), Some(event_id))
        );
        assert!(answer.get("id").is_none() && answer["end_time"].is_null() && answer["user_id"].is_null());
    }
    assert_eq!(bench.records().await.len(), 2, "ingest does not look for repetitions: that is the projector's");
}

#[tokio::test]
async fn media_types_are_told_apart() {
    let bench = Bench::new(settings(&[])).await;
    for (content_type, status) in
        [("text/plain", 202), ("APPLICATION/JSON;charset=x", 202), ("application/xml", 415), ("", 415)]
    {
        assert_eq!(bench.post("/pageviews/", content_type, PAGE_VIEW).await.0, status, "{content_type}");
    }
    let (status, answer) = bench.post("/pageviews/", "application/xml", PAGE_VIEW).await;
    assert_eq!(
        (status, answer["detail"].as_str()),
        (415, Some("Unsupported media type \"application/xml\" in request."))
    );
    let (status, answer) = bench.post("/pageviews/", "application/xml", "").await;
    assert_eq!((status, answer["url"][0].as_str()), (400, Some("This field is required.")), "an empty body is as {{}}");
}

#[tokio::test]
async fn writing_can_be_for_staff_alone() {
    let bench = Bench::new(settings(&["--write-access", "staff"])).await;
    let (status, answer) = bench.post("/pageviews/", "application/xml", PAGE_VIEW).await;
    assert_eq!((status, answer["detail"].as_str()), (401, Some("Authentication credentials were not provided.")));
}

#[tokio::test]
async fn a_body_of_100_mb_is_refused_and_the_next_request_is_served() {
    let bench = Bench::new(settings(&[])).await;
    let chunk = axum::body::Bytes::from(vec![b'x'; 1 << 20]);
    let endless =
        Body::from_stream(futures::stream::iter((0..100).map(move |_| Ok::<_, std::io::Error>(chunk.clone()))));
    assert_eq!(bench.post("/pageviews/", "application/json", endless).await.0, 413);
    assert_eq!(bench.post("/pageviews/", "application/json", PAGE_VIEW).await.0, 202);
}

#[tokio::test]
async fn a_connection_that_says_nothing_or_rubbish_does_not_hinder_others() {
    let bench = Bench::new(settings(&[])).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new(Duration::from_secs(5));
    service::http::spawn_server("http", listener, bench.app.clone(), &shutdown);

    let silent = TcpStream::connect(address).await.unwrap();
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"POST /pageviews/ HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{").await.unwrap();
    let mut rubbish = TcpStream::connect(address).await.unwrap();
    rubbish.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n").await.unwrap();

    let mut good = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /pageviews/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{PAGE_VIEW}",
        PAGE_VIEW.len()
    );
    good.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    good.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "{answer}");

    drop((silent, half, rubbish));
    shutdown.begin();
    shutdown.drained().await.unwrap();
}
