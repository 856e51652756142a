//! What is not confirmed is sent again under the same id until it is.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Received, Reply, Server, acknowledged, run, sessions, settings};
use rand::RngExt;
use serde_json::Value;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use test_support::{eventually, seeded};
use tokio_util::sync::CancellationToken;

fn ids(lines: &[Value]) -> HashSet<String> {
    lines.iter().map(|line| line["event_id"].as_str().unwrap().to_owned()).collect()
}

/// The file holds each event once, and exactly those that were answered 202.
fn assert_acknowledged_once(lines: &[Value], received: &[Received], events: usize) {
    let answered: HashSet<_> = received
        .iter()
        .filter(|request| request.answered == Some(202))
        .map(|request| request.text("event_id"))
        .collect();
    assert_eq!(lines.len(), events);
    assert_eq!(ids(lines), answered);
    let mut by_id: HashMap<_, _> = received.iter().map(|request| (request.text("event_id"), request)).collect();
    for line in lines {
        let request = by_id.remove(line["event_id"].as_str().unwrap()).unwrap();
        assert_eq!(line["session_id"], request.body["session_id"]);
        let of_path = match request.path.as_str() {
            "/sessions/" => "session",
            "/pageviews/" => "pageview",
            "/interactions/" => "interaction",
            other => panic!("{other}"),
        };
        assert_eq!(line["type"], of_path);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_acknowledged_once_in_order_and_under_one_id_whatever_the_server_does() {
    let random = Mutex::new(seeded("whatever the server does"));
    let server = Server::start(move |_| match random.lock().unwrap().random_range(0..20) {
        0 => Reply::Status(503),
        1 => Reply::RetryAfter(503, 0),
        2 => Reply::Status(502),
        3 | 4 => Reply::Break,
        5 | 6 => Reply::BreakHalfway,
        7 => Reply::Slow(Duration::from_millis(20)),
        _ => Reply::Status(202),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acknowledged");
    let (seed, path) = ("--seed=5", file.to_str().unwrap());
    let summary = run(&server.url(), &[seed, "--events=1500", "--connections=16", "--acknowledged", path]).await;

    assert!(summary.ok());
    assert_eq!((summary.events_sent, summary.events_acknowledged, summary.events_unconfirmed), (1_500, 1_500, 0));
    assert!(summary.connection_errors > 0 && summary.answers[&503] > 0 && summary.repeats > 0);
    assert_eq!(summary.requests, summary.answers.values().sum::<u64>() + summary.connection_errors);
    assert_eq!(summary.latency_overall.requests, 1_500);
    assert!(summary.latency_first_try.requests < 1_500);
    let received = server.received();
    assert_eq!(received.len() as u64, summary.requests);
    assert_acknowledged_once(&acknowledged(&file), &received, 1_500);

    // a repetition is the same to the byte, and follows at once: nothing of its session comes in between
    let mut last_of_session: HashMap<String, Value> = HashMap::new();
    let mut seen = HashSet::new();
    for request in &received {
        let last = last_of_session.insert(request.text("session_id"), request.body.clone());
        if !seen.insert(request.text("event_id")) {
            assert_eq!(last.as_ref(), Some(&request.body));
        }
    }

    // and the order is that of a run without any trouble
    let calm = Server::start(|_| Reply::Status(202)).await;
    run(&calm.url(), &[seed, "--events=1500", "--connections=3"]).await;
    assert_eq!(sessions(&received), sessions(&calm.received()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_and_comes_back_loses_nothing() {
    let mut server = Server::start(|_| Reply::Status(202)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acknowledged");
    let arguments = ["--events=3000", "--rate=4000", "--connections=8", "--acknowledged", file.to_str().unwrap()];
    let running = tokio::spawn(load::run(settings(&server.url(), &arguments), CancellationToken::new()));
    for part in [500, 1_500] {
        let arrived = || async { (server.count() >= part).then_some(()) };
        eventually("some events have arrived", Duration::from_secs(30), arrived).await;
        server.stop().await;
        // how long it is away, not for how long the test waits for something
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.start_again().await;
    }
    let summary = running.await.unwrap().unwrap();
    assert!(summary.ok() && !summary.stopped);
    assert!(summary.connection_errors > 0);
    // an answer that was on its way when the server went is no answer: so the ids, not their number, are compared
    let lines = acknowledged(&file);
    let sent: HashSet<_> = server.received().iter().map(|request| request.text("event_id")).collect();
    assert_eq!((lines.len(), ids(&lines)), (3_000, sent));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_an_answer_is_sent_again_after_ten_seconds() {
    let first = AtomicBool::new(true);
    let answer = move |_: &Received| {
        if first.swap(false, Ordering::Relaxed) { Reply::Never } else { Reply::Status(202) }
    };
    let server = Server::start(answer).await;
    let summary = run(&server.url(), &["--events=10", "--connections=1"]).await;
    assert_eq!((summary.events_acknowledged, summary.timeouts, summary.repeats), (10, 1, 1));
    let received = server.received();
    assert_eq!(received[0].body, received[1].body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_gives_up_when_nothing_is_acknowledged_for_too_long() {
    let mut server = Server::start(|_| Reply::Status(202)).await;
    server.stop().await;
    let summary = run(&server.url(), &["--events=100", "--connections=4", "--give-up-after-seconds=1"]).await;
    assert!(summary.gave_up && !summary.ok() && !summary.stopped);
    assert_eq!((summary.events_acknowledged, summary.events_unconfirmed), (0, summary.events_sent));
    assert!(summary.to_string().contains("cannot connect"), "{summary}");
}
