//! What the answers of a server that is up make of a run.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Reply, Server, acknowledged, run, settings};
use std::{
    collections::HashSet,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use test_support::eventually;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn a_refused_event_is_reported_and_not_repeated_and_the_run_is_not_ok() {
    let server = Server::start(|request| match request.path.as_str() {
        "/pageviews/" => Reply::Body(400, r#"{"url":["Enter a valid URL."]}"#.into()),
        _ => Reply::Status(202),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acknowledged");
    let summary = run(&server.url(), &["--events=200", "--acknowledged", file.to_str().unwrap()]).await;
    let received = server.received();
    let refused = received.iter().filter(|request| request.path == "/pageviews/").count() as u64;
    assert!(!summary.ok());
    assert_eq!((summary.events_refused, summary.answers[&400], summary.repeats), (refused, refused, 0));
    assert_eq!(received.len(), 200);
    assert_eq!(acknowledged(&file).len() as u64, 200 - refused);
    assert!(summary.to_string().contains("Enter a valid URL."), "{summary}");
}

#[tokio::test]
async fn a_throttle_is_waited_out_as_long_as_it_asks() {
    let requests = AtomicUsize::new(0);
    let server = Server::start(move |_| match requests.fetch_add(1, Ordering::Relaxed) {
        5 => Reply::RetryAfter(429, 2),
        _ => Reply::Status(202),
    })
    .await;
    let summary = run(&server.url(), &["--events=50", "--connections=1"]).await;
    assert!(summary.ok());
    assert_eq!((summary.events_acknowledged, summary.answers[&429], summary.repeats), (50, 1, 1));
    assert!(summary.seconds >= 2.0);
    let received = server.received();
    assert_eq!(received[5].body, received[6].body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rate_is_kept_over_the_run() {
    let server = Server::start(|_| Reply::Status(202)).await;
    let summary = run(&server.url(), &["--events=1000", "--rate=500", "--connections=8"]).await;
    assert_eq!(summary.events_acknowledged, 1_000);
    // the first one is sent at once, the last one after 999 five-hundredths of a second
    assert!(summary.seconds >= 1.99, "{summary}");
    assert!(summary.seconds < 10.0, "{summary}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_waits_for_its_answers_and_tells_what_it_did() {
    let server = Server::start(|_| Reply::Slow(Duration::from_millis(50))).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acknowledged");
    let stopping = CancellationToken::new();
    let arguments = ["--events=1000000", "--connections=16", "--acknowledged", file.to_str().unwrap()];
    let running = tokio::spawn(load::run(settings(&server.url(), &arguments), stopping.clone()));
    let arrived = || async { (server.count() > 100).then_some(()) };
    eventually("some events have arrived", Duration::from_secs(30), arrived).await;
    stopping.cancel();
    let summary = running.await.unwrap().unwrap();
    assert!(summary.stopped && summary.ok());
    let received: HashSet<_> = server.received().iter().map(|request| request.text("event_id")).collect();
    let lines = acknowledged(&file);
    let noted: HashSet<_> = lines.iter().map(|line| line["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(noted, received);
    assert_eq!((summary.events_sent, summary.events_acknowledged), (received.len() as u64, received.len() as u64));
}

#[tokio::test]
async fn a_run_that_waits_for_a_server_can_be_stopped() {
    let mut server = Server::start(|_| Reply::Status(202)).await;
    server.stop().await;
    let stopping = CancellationToken::new();
    stopping.cancel();
    let summary = load::run(settings(&server.url(), &["--events=10"]), stopping).await.unwrap();
    assert!(summary.stopped && !summary.gave_up);
    assert_eq!(summary.events_acknowledged, 0);
}

#[tokio::test]
async fn requests_look_like_those_of_the_sessions_browser_and_carry_the_token() {
    let server = Server::start(|_| Reply::Status(202)).await;
    let url = format!("{}/user_behavior/", server.url());
    run(&url, &["--events=200", "--token=secret"]).await;
    for request in server.received() {
        assert!(request.path.starts_with("/user_behavior/"));
        assert_eq!(request.headers["authorization"], "Bearer secret");
        assert_eq!(request.headers["content-type"], "application/json");
        if let Some(user_agent) = request.body.get("user_agent") {
            assert_eq!(request.headers["user-agent"], user_agent.as_str().unwrap());
        }
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("missing/acknowledged");
    let settings = settings("http://127.0.0.1:1", &["--acknowledged", file.to_str().unwrap()]);
    let error = format!("{:#}", load::run(settings, CancellationToken::new()).await.unwrap_err());
    assert!(error.contains("--acknowledged") && error.contains("missing"), "{error}");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_ends_the_run() {
    let server = Server::start(|_| Reply::Status(202)).await;
    let settings = settings(&server.url(), &["--events=100000000", "--acknowledged=/dev/full"]);
    let error = format!("{:#}", load::run(settings, CancellationToken::new()).await.unwrap_err());
    assert!(error.contains("--acknowledged") && error.contains("/dev/full"), "{error}");
}
