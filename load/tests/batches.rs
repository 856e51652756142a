//! Batches, against a server that answers as the contract (§ 12) says.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{Received, Reply, Server, acknowledged, run};
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};
use test_support::seeded;

/// Takes, defers and refuses events at random; what it took is in `stored`.
fn answer(request: &Received, random: &mut StdRng, stored: &mut HashSet<String>) -> Reply {
    match random.random_range(0..10) {
        0 => return Reply::Break,
        1 => return Reply::Body(503, json!({"detail": "The log is away."}).to_string()),
        _ => {}
    }
    let events = request.body["events"].as_array().unwrap();
    let results = events.iter().map(|event| match random.random_range(0..10) {
        0 => "retry",
        1 if event["type"] == "interaction" => "rejected",
        _ if stored.insert(event["event_id"].as_str().unwrap().into()) => "accepted",
        _ => "duplicate",
    });
    let results: Vec<_> = results.collect();
    let all = |status: &str| results.iter().all(|result| *result == status);
    let status = match () {
        () if all("retry") => 503,
        () if all("rejected") => 400,
        () if results.iter().all(|result| matches!(*result, "accepted" | "duplicate")) => 202,
        () => 207,
    };
    let results: Vec<_> = results.iter().map(|result| json!({"status": result, "of": "this event"})).collect();
    Reply::Body(status, json!({"results": results}).to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_of_a_batch_meets_its_own_fate() {
    let stored: Arc<Mutex<HashSet<String>>> = Arc::default();
    let random = Mutex::new(seeded("fates in a batch"));
    let of_server = stored.clone();
    let server =
        Server::start(move |request| answer(request, &mut random.lock().unwrap(), &mut of_server.lock().unwrap()))
            .await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acknowledged");
    let arguments = ["--events=3000", "--batch=50", "--connections=4", "--acknowledged", file.to_str().unwrap()];
    let summary = run(&server.url(), &arguments).await;

    assert_eq!(summary.events_acknowledged + summary.events_refused, 3_000);
    assert!(summary.events_refused > 0 && !summary.ok() && summary.repeats > 0);
    assert!(summary.first_refusal.unwrap().ends_with(r#"{"of":"this event","status":"rejected"}"#));
    let lines = acknowledged(&file);
    let noted: HashSet<_> = lines.iter().map(|line| line["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(lines.len(), noted.len());
    assert_eq!(noted, *stored.lock().unwrap());

    let mut bodies: HashMap<String, Value> = HashMap::new();
    for request in server.received() {
        assert_eq!(request.path, "/batch/");
        let events = request.body["events"].as_array().unwrap();
        assert!((1..=50).contains(&events.len()));
        for event in events {
            let first = bodies.entry(event["event_id"].as_str().unwrap().into()).or_insert_with(|| event.clone());
            assert_eq!(first, event);
        }
    }
    assert_eq!(bodies.len(), 3_000);
    for line in lines {
        assert_eq!(line["type"], bodies[line["event_id"].as_str().unwrap()]["type"]);
    }
}

#[tokio::test]
async fn a_batch_mixes_sessions_and_keeps_the_order_of_each() {
    let server = Server::start(|_| Reply::Status(202)).await;
    let summary = run(&server.url(), &["--seed=9", "--events=2000", "--batch=100", "--connections=1"]).await;
    assert_eq!((summary.requests, summary.events_acknowledged), (20, 2_000));
    let received = server.received();
    let batched = received.iter().flat_map(|request| request.body["events"].as_array().unwrap());
    let batched: Vec<_> = batched.map(|event| (event["session_id"].clone(), event["event_id"].clone())).collect();
    let first: HashSet<_> = batched[..100].iter().map(|(session, _)| session.to_string()).collect();
    assert!(first.len() > 10, "{} sessions in a batch", first.len());

    let one_by_one = Server::start(|_| Reply::Status(202)).await;
    run(&one_by_one.url(), &["--seed=9", "--events=2000", "--connections=1"]).await;
    let mut in_order: HashMap<Value, Vec<Value>> = HashMap::new();
    for request in one_by_one.received() {
        in_order.entry(request.body["session_id"].clone()).or_default().push(request.body["event_id"].clone());
    }
    let mut of_batches: HashMap<Value, Vec<Value>> = HashMap::new();
    for (session, event) in batched {
        of_batches.entry(session).or_default().push(event);
    }
    assert_eq!(of_batches, in_order);
}
