//! Neighbours that go away and come back, or come back as somebody else.

use crate::common::{Place, Process, SOON, events, get, post};
use local_postgres::{LocalPostgres, Settings};
use serde_json::json;
use std::time::{Duration, Instant};
use test_support::{Broker, eventually, url_of_data_dir};

fn page_view() -> serde_json::Value {
    json!({"session_id": "s", "url": "https://shop.example/"})
}

#[tokio::test]
async fn while_kafka_is_away_ingest_answers_503_and_everything_recovers_by_itself() {
    let mut broker = Broker::start().await;
    let place = Place::with_brokers(broker.brokers()).await;
    place.migrate(3).await;
    let (mut ingest, mut projector) = (place.start(&["ingest"]), place.start(&["projector"]));
    ingest.until_ready().await;
    projector.until_ready().await;
    let address = ingest.address("http").await;
    let events = events() / 4;
    let load = place.load(address, events, &["--rate", &(events / 10).max(1).to_string()]);
    place.until_acknowledged(100).await;

    broker.stop().await;
    let asked = Instant::now();
    let refused = eventually("ingest says that the log is away", SOON, async || {
        let answer = post(address, "/pageviews/", &page_view()).await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    println!("503 after {:?}", asked.elapsed());
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(["no", "unknown"].contains(&refused.json()["stored"].as_str().unwrap()), "{refused:?}");
    ingest.until_not_ready("event log").await;

    broker.start_again().await;
    ingest.until_ready().await;
    load.ended().await.well();
    assert_eq!(place.acknowledged_so_far(), events);
    place.until_caught_up().await;
    place.verify().await;
    projector.stop().await;
    ingest.stop().await;
}

#[tokio::test]
async fn an_ingest_that_starts_while_kafka_is_away_says_so_at_once_and_takes_events_later() {
    let mut broker = Broker::start().await;
    let place = Place::with_brokers(broker.brokers()).await;
    place.migrate(1).await;
    broker.stop().await;

    let (mut ingest, mut projector) = (place.start(&["ingest"]), place.start(&["projector"]));
    let address = ingest.address("http").await;
    let asked = Instant::now();
    let refused = post(address, "/pageviews/", &page_view()).await;
    // the default of --append-deadline-ms
    assert!(asked.elapsed() < Duration::from_secs(5), "after {:?}", asked.elapsed());
    assert_eq!((refused.status, refused.json()["stored"].as_str()), (503, Some("no")), "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    // of a batch nothing, or nothing but what is wrong with it
    let event = json!({"type": "pageview", "session_id": "s", "url": "https://shop.example/"});
    let wrong = json!({"type": "pageview", "session_id": "s"});
    for (events, status, results) in
        [(json!([event, event]), 503, &["retry", "retry"][..]), (json!([wrong, event]), 207, &["rejected", "retry"])]
    {
        let answer = post(address, "/batch/", &json!({ "events": events })).await;
        let body = answer.json();
        let told = body["results"].as_array().unwrap().iter().map(|result| result["status"].as_str().unwrap());
        assert_eq!((answer.status, told.collect::<Vec<_>>()), (status, results.to_vec()), "{body}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
        assert_eq!(body["stored"], if status == 503 { json!("no") } else { json!(null) }, "{body}");
    }
    for service in [&mut ingest, &mut projector] {
        service.until_not_ready(&format!("Kafka does not answer at {}", place.brokers)).await;
    }

    broker.start_again().await;
    ingest.until_ready().await;
    assert_eq!(post(address, "/pageviews/", &page_view()).await.status, 202);
    place.until_caught_up().await;
    assert_eq!(place.number("SELECT count(*) FROM page_view").await, 1, "what was refused is not there");
    projector.stop().await;
    ingest.stop().await;
}

#[tokio::test]
async fn who_is_told_to_stop_while_waiting_for_kafka_ends_at_once() {
    // brokers that take connections and say nothing
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = Place::new().await;
    for service in ["ingest", "projector"] {
        let mut command = place.command(&[service]);
        command.env("FOOTFALL_KAFKA_BROKERS", silent.local_addr().unwrap().to_string());
        let mut process = Process::start(service, command);
        process.address("ops port").await;
        let told = Instant::now();
        process.stop().await;
        // one question to the brokers takes 5 s
        assert!(told.elapsed() < Duration::from_millis(2_500), "{service}: {:?}", told.elapsed());
    }
}

#[tokio::test]
async fn a_query_api_that_starts_while_kafka_is_away_tells_the_end_of_the_log_later() {
    let mut broker = Broker::start().await;
    let place = Place::with_brokers(broker.brokers()).await;
    place.migrate(3).await;
    let (mut ingest, mut projector) = (place.start(&["ingest"]), place.start(&["projector"]));
    ingest.until_ready().await;
    projector.until_ready().await;
    assert_eq!(post(ingest.address("http").await, "/pageviews/", &page_view()).await.status, 202);
    place.until_caught_up().await;
    broker.stop().await;

    let mut query_api = place.start(&["query-api"]);
    query_api.until_ready().await;
    let read = query_api.address("http").await;
    assert_eq!(get(read, "/pageviews/").await.json()["count"], 1, "reads need no log");
    assert!(get(read, "/status/").await.json()["lag_records"].is_null());
    broker.start_again().await;
    eventually("the end of the log is told", SOON, async || {
        let status = get(read, "/status/").await.json();
        (status["lag_records"] == 0 && status["lag_seconds"] == 0).then_some(())
    })
    .await;
    for process in [projector, ingest, query_api] {
        process.stop().await;
    }
}

#[tokio::test]
async fn while_postgresql_is_away_events_are_taken_and_reads_answer_503() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = LocalPostgres::start(Settings::new(folder.path())).await.unwrap();
    let place = Place::with_database(url_of_data_dir(folder.path()));
    place.migrate(3).await;
    let [mut ingest, mut projector, mut query_api] =
        [&["ingest"], &["projector"], &["query-api"]].map(|service| place.start(service));
    ingest.until_ready().await;
    projector.until_ready().await;
    query_api.until_ready().await;
    let (write, read) = (ingest.address("http").await, query_api.address("http").await);
    assert_eq!(post(write, "/pageviews/", &page_view()).await.status, 202);
    place.until_caught_up().await;

    postgres.stop().await.unwrap();
    projector.until_not_ready("projector").await;
    query_api.until_not_ready("read model").await;
    for _ in 0..50 {
        assert_eq!(post(write, "/pageviews/", &page_view()).await.status, 202, "ingest needs the log alone");
    }
    for path in ["/sessions/", "/pageviews/1/", "/status/"] {
        let answer = get(read, path).await;
        assert_eq!((answer.status, answer.json()["detail"].is_string()), (503, true), "{path}: {answer:?}");
    }

    let postgres = LocalPostgres::start(Settings::new(folder.path())).await.unwrap();
    projector.until_ready().await;
    query_api.until_ready().await;
    place.until_caught_up().await;
    assert_eq!(get(read, "/pageviews/").await.json()["count"], 51);
    place.verify().await;
    for service in [query_api, projector, ingest] {
        service.stop().await;
    }
    drop(place);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn what_waits_to_be_projected_is_found_on_the_log_by_verify() {
    let place = Place::new().await;
    place.migrate(3).await;
    let (mut ingest, mut projector) = (place.start(&["ingest"]), place.start(&["projector"]));
    projector.until_ready().await;
    projector.stop().await;
    place.load(ingest.address("http").await, 500, &[]).ended().await.well();
    ingest.stop().await;
    let file = place.acknowledged();
    let said = place.run(&["verify", "--acknowledged", file.to_str().unwrap()]).await.well().join("\n");
    assert!(said.contains("wait to be projected") && said.contains("everything is accounted for"), "{said}");
}

#[tokio::test]
async fn a_topic_that_somebody_has_repartitioned_is_refused_by_all_who_place_events() {
    let place = Place::new().await;
    place.run(&["migrate"]).await.well();
    place.topics.repartition(&place.topic, 24).await;
    for service in ["ingest", "projector"] {
        let refused = eventually("the brokers say so", SOON, async || {
            let mut process = place.start(&[service]);
            // a broker that has not heard of it yet lets the service start
            let ended = process.ended_or_ready().await;
            ended.then(|| process.said())
        })
        .await;
        let line = refused.last().unwrap();
        assert!(line.starts_with("footfall: ") && line.contains("has 24 partitions"), "{service}: {line}");
    }
}

#[tokio::test]
async fn a_topic_made_anew_or_without_its_beginning_is_refused_with_the_way_out() {
    for made_anew in [true, false] {
        let place = Place::new().await;
        place.migrate(1).await;
        let (mut ingest, projector) = (place.start(&["ingest"]), place.start(&["projector"]));
        let write = ingest.address("http").await;
        for _ in 0..3 {
            assert_eq!(post(write, "/pageviews/", &page_view()).await.status, 202);
        }
        place.until_caught_up().await;
        projector.stop().await;
        if made_anew {
            ingest.stop().await;
            place.topics.delete(&place.topic).await;
            place.migrate(1).await;
        } else {
            assert_eq!(post(write, "/pageviews/", &page_view()).await.status, 202);
            assert_eq!(post(write, "/pageviews/", &page_view()).await.status, 202);
            place.topics.delete_records(&place.topic, 0, 5).await;
            ingest.stop().await;
        }
        let ended = place.run(&["projector"]).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let line = ended.last_line();
        assert!(line.starts_with("footfall: ") && line.contains("rebuild"), "{line}");
    }
}
