//! What a service needs to start, and what it says where that is missing; its ops port.

use crate::common::{Place, Process, get, post};
use serde_json::json;

#[tokio::test]
async fn services_refuse_to_start_before_migrate_and_say_what_to_type() {
    let place = Place::new().await;
    for service in ["ingest", "projector", "query-api"] {
        let ended = place.run(&[service]).await;
        assert_eq!(ended.code, Some(1), "{service}: {ended:?}");
        assert!(ended.last_line().starts_with("footfall: "), "{service}: {ended:?}");
        assert!(ended.last_line().contains("footfall migrate"), "{service}: {ended:?}");
    }
    place.migrate(3).await;
    for command in ["ingest", "projector", "query-api", "migrate"] {
        let ended = place.run(&[command, "--partitions", "4"]).await;
        assert_eq!(ended.code, Some(1), "{command}: {ended:?}");
        let line = ended.last_line();
        assert!(line.contains("has 3 partitions") && line.contains("set 3"), "{command}: {line}");
    }
    // again, and without saying how many: nothing changes
    place.run(&["migrate"]).await.well();
    let mut projector = place.start(&["projector"]);
    projector.until_ready().await;
    assert_eq!(place.number("SELECT partitions::bigint FROM read_model").await, 3);
    projector.stop().await;
}

#[tokio::test]
async fn the_ops_port_tells_life_readiness_and_metrics() {
    let place = Place::new().await;
    place.migrate(1).await;
    let mut ingest = place.start(&["ingest"]);
    ingest.until_ready().await;
    let (ops, write) = (ingest.address("ops port").await, ingest.address("http").await);
    assert_eq!(get(ops, "/healthz").await.status, 200);
    let event = json!({"session_id": "s", "url": "https://shop.example/"});
    assert_eq!(post(write, "/pageviews/", &event).await.status, 202);
    let metrics = get(ops, "/metrics").await;
    assert_eq!(metrics.status, 200);
    let counted = metrics.body.lines().any(|line| line.contains("accepted") && line.ends_with(" 1"));
    assert!(counted, "the event is counted: {}", metrics.body);
    assert_eq!(get(write, "/metrics").await.status, 404, "clients do not see it");
    ingest.stop().await;
}

#[tokio::test]
async fn properties_are_passed_to_the_kafka_client_and_a_wrong_one_is_told() {
    let place = Place::new().await;
    place.migrate(1).await;
    let named = ["--kafka-properties", "client.id=of-this-test, socket.keepalive.enable=true"];
    let mut projector = place.start(&[&["projector"][..], &named].concat());
    projector.until_ready().await;
    assert_eq!(place.topics.members_of(&place.topic), ["of-this-test"]);
    projector.stop().await;
    for service in ["migrate", "ingest", "projector", "query-api"] {
        for (properties, told) in [
            ("no.such.property=hunter2", "no.such.property"),
            ("security.protocol=hunter2", "security.protocol"),
            ("client.id=a,hunter2", "name=value"),
        ] {
            let mut command = place.command(&[service]);
            command.env("FOOTFALL_KAFKA_PROPERTIES", properties);
            let ended = Process::start(service, command).ended().await;
            let line = ended.last_line();
            assert_eq!(ended.code, Some(1), "{service}: {ended:?}");
            assert!(line.contains("FOOTFALL_KAFKA_PROPERTIES") && line.contains(told), "{service}: {line}");
            assert!(!line.contains("hunter2"), "a value may be a password: {line}");
        }
    }
}

#[tokio::test]
async fn a_database_that_lets_nobody_in_is_refused_and_its_setting_named() {
    let place = Place::new().await;
    place.migrate(1).await;
    let nowhere = place.database_url.replace("/test_", "/no_such_database_");
    for service in ["projector", "query-api"] {
        let ended = place.run(&[service, "--database-url", &nowhere]).await;
        assert_eq!(ended.code, Some(1), "{service}: {ended:?}");
        let line = ended.last_line();
        assert!(line.contains("--database-url") && line.contains("does not exist"), "{service}: {line}");
    }
}
