//! From start to stop: the way of an event, who shares what, and what is no event of ours.

use crate::common::{Place, Process, SOON, events, get, kills, post, request, send};
use event_log::NewRecord;
use rand::RngExt;
use schema::{
    Envelope, Event, PageViewRecorded, Position, SessionId, Source,
    codec::{SCHEMA_VERSION, encode},
    partition_for,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};
use test_support::{eventually, seeded};

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

#[tokio::test]
async fn an_event_goes_all_the_way_from_the_request_to_lists_details_and_report() {
    let place = Place::new().await;
    place.migrate(3).await;
    let [mut ingest, mut projector, mut query_api] =
        [&["ingest"], &["projector"], &["query-api"]].map(|service| place.start(service));
    ingest.until_ready().await;
    projector.until_ready().await;
    query_api.until_ready().await;
    let (write, read) = (ingest.address("http").await, query_api.address("http").await);

    let session = json!({"session_id": "s-1", "user_agent": "Mozilla/5.0 Firefox/121.0", "ip_address": "2001:DB8::7"});
    let accepted = post(write, "/sessions/", &session).await;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let page_view = json!({"session_id": "s-1", "url": "https://shop.example/?a=1&b=<2>"});
    let page_view = post(write, "/pageviews/", &page_view).await.json();
    let interaction =
        json!({"session_id": "s-1", "event_type": "click", "element": "#buy", "metadata": {"x": [1, null]}});
    let interaction = post(write, "/interactions/", &interaction).await.json();

    let listed = place.until_listed(read, "/interactions/", 1).await;
    let sessions = get(read, "/sessions/").await.json();
    let session = &sessions["results"][0];
    assert_eq!(session["ip_address"], "2001:db8::7");
    for (path, sent) in [("pageviews", &page_view), ("interactions", &interaction)] {
        let detail = get(read, &format!("/{path}/{}/", sent["id"])).await;
        assert_eq!((detail.status, detail.json()["id"].clone()), (200, sent["id"].clone()));
        assert_eq!(&detail.json()["session"], session);
        assert_eq!(detail.json()["timestamp"], sent["timestamp"]);
    }
    assert_eq!(listed["results"][0]["metadata"], json!({"x": [1, null]}));
    assert_eq!(get(read, &format!("/sessions/{}/", session["id"])).await.json(), *session);

    let token = place.run(&["token", "issue", "--role", "staff"]).await.well();
    let authorization = format!("Authorization: Bearer {}\r\n", token[0]);
    assert_eq!(get(read, "/report/data/").await.status, 401);
    let report = send(read, "GET", "/report/data/", &authorization, "").await.unwrap().json();
    assert_eq!(report["browser_data"], json!([{"browser": "Firefox", "count": 1, "percentage": 100.0}]));
    assert_eq!(report["page_views"][0]["urls"][0]["url"], "https://shop.example/?a=1&b=<2>");
    let status = get(read, "/status/").await.json();
    assert_eq!((&status["lag_records"], status["partitions"].as_array().unwrap().len()), (&json!(0), 3));

    place.verify().await;
    for service in [ingest, projector, query_api] {
        service.stop().await;
    }
}

#[tokio::test]
async fn each_service_answers_its_own_paths_and_methods_alone() {
    let place = Place::new().await;
    place.migrate(1).await;
    let (mut ingest, mut query_api) = (place.start(&["ingest"]), place.start(&["query-api"]));
    let (write, read) = (ingest.address("http").await, query_api.address("http").await);
    for (service, method, path, status, allow) in [
        (write, "GET", "/sessions/", 405, "POST, OPTIONS"),
        (write, "PUT", "/pageviews/", 405, "GET, POST, HEAD, OPTIONS"),
        (write, "OPTIONS", "/interactions/", 200, "GET, POST, HEAD, OPTIONS"),
        (write, "OPTIONS", "/sessions/1/", 200, "GET, HEAD, OPTIONS"),
        (write, "OPTIONS", "/batch/", 200, "POST, OPTIONS"),
        (write, "GET", "/sessions/1/", 404, "GET, HEAD, OPTIONS"),
        (write, "POST", "/nowhere/", 404, ""),
        (write, "GET", "/", 404, ""),
        (read, "POST", "/sessions/", 405, "GET, HEAD, OPTIONS"),
        (read, "DELETE", "/sessions/1/", 405, "GET, HEAD, OPTIONS"),
        (read, "OPTIONS", "/sessions/", 200, "GET, POST, HEAD, OPTIONS"),
        (read, "OPTIONS", "/batch/", 200, "POST, OPTIONS"),
        (read, "PATCH", "/interactions/", 405, "GET, POST, HEAD, OPTIONS"),
        (read, "HEAD", "/sessions/", 200, "GET, POST, HEAD, OPTIONS"),
        (read, "GET", "/sessions/1/2/", 404, ""),
    ] {
        let answer = request(service, method, path, None).await;
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
        assert_eq!(answer.header("allow").unwrap_or_default(), allow, "{method} {path}");
        match status {
            405 => assert_eq!(answer.json(), json!({"detail": format!("Method \"{method}\" not allowed.")})),
            404 => assert_eq!(answer.json(), json!({"detail": "Not found."})),
            _ => assert_eq!(answer.body, "", "{method} {path}"),
        }
    }
    for service in [ingest, query_api] {
        service.stop().await;
    }
}

/// The partitions that a projector says it has.
fn partitions_of(projector: &Process) -> BTreeSet<u16> {
    let mut partitions = BTreeSet::new();
    for line in projector.said() {
        let Ok(line) = serde_json::from_str::<Value>(&line) else { continue };
        let change = || serde_json::from_str::<BTreeSet<u16>>(line["partitions"].as_str()?).ok();
        match (line["message"].as_str(), change()) {
            (Some("assigned"), Some(more)) => partitions.extend(more),
            (Some("revoked"), Some(fewer)) => partitions.retain(|partition| !fewer.contains(partition)),
            _ => {}
        }
    }
    partitions
}

/// Waits until these projectors have all partitions among them and none has none.
async fn until_shared(projectors: &[&Process], partitions: u16) {
    let what = format!("{} projectors share {partitions} partitions", projectors.len());
    eventually(&what, SOON, async || {
        let shares: Vec<_> = projectors.iter().map(|projector| partitions_of(projector)).collect();
        let sum: usize = shares.iter().map(BTreeSet::len).sum();
        let all: BTreeSet<u16> = shares.iter().flatten().copied().collect();
        let fair = shares.iter().all(|share| !share.is_empty());
        (fair && sum == all.len() && all.len() == usize::from(partitions)).then_some(())
    })
    .await;
}

/// So many events a second that a load lasts for so many seconds.
fn rate(events: u64, seconds: u64) -> String {
    (events / seconds).max(1).to_string()
}

#[tokio::test]
async fn projectors_killed_under_load_lose_and_double_nothing() {
    let (place, events, kills) = (Place::new().await, events(), kills());
    let mut random = seeded("projectors_killed_under_load_lose_and_double_nothing");
    place.migrate(6).await;
    let mut ingest = place.start(&["ingest"]);
    let (mut one, other) = (place.start(&["projector"]), place.start(&["projector"]));
    until_shared(&[&one, &other], 6).await;

    let load = place.load(ingest.address("http").await, events, &["--rate", &rate(events, 4 * kills)]);
    for kill in 0..kills {
        let share = events / (kills + 1);
        let moment = kill * share + random.random_range(share / 4..=share);
        place.until_acknowledged(moment).await;
        one.kill();
        if kill + 1 < kills {
            one = place.start(&["projector"]);
        }
    }
    // the last one killed does not come back: the other one takes over all that it had
    load.ended().await.well();
    place.verify_all(events).await;
    until_shared(&[&other], 6).await;
    other.stop().await;
    ingest.stop().await;
}

#[tokio::test]
async fn partitions_move_to_who_comes_and_from_who_goes() {
    let (place, events) = (Place::new().await, events());
    place.migrate(6).await;
    let mut ingest = place.start(&["ingest"]);
    let (one, two) = (place.start(&["projector"]), place.start(&["projector"]));
    until_shared(&[&one, &two], 6).await;
    let load = place.load(ingest.address("http").await, events, &["--rate", &rate(events, 10)]);
    place.until_acknowledged(100).await;
    let mut three = place.start(&["projector"]);
    until_shared(&[&one, &two, &three], 6).await;
    one.stop().await;
    until_shared(&[&two, &three], 6).await;
    three.until_ready().await;
    load.ended().await.well();
    place.verify_all(events).await;
    for service in [two, three, ingest] {
        service.stop().await;
    }
}

fn page_view(session: &str, url: &str) -> Envelope {
    let now = schema::to_micros(chrono::Utc::now());
    Envelope {
        event_id: uuid::Uuid::now_v7(),
        event_id_given: false,
        session_id: SessionId::parse(session).unwrap(),
        occurred_at: now,
        recorded_at: now,
        source: Source::default(),
        event: Event::PageViewRecorded(PageViewRecorded { url: url.into() }),
    }
}

fn record(envelope: &Envelope, schema_version: u32) -> NewRecord {
    NewRecord {
        key: envelope.session_id.as_str().into(),
        event_id: envelope.event_id,
        schema_version,
        value: encode(envelope),
    }
}

/// The dead letters as `footfall dead-letter list` shows them.
async fn dead_letters(place: &Place) -> Vec<Value> {
    let said = place.run(&["dead-letter", "list"]).await.well();
    said.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_is_no_event_of_ours_is_a_dead_letter_and_everything_after_it_is_processed() {
    let place = Place::new().await;
    place.migrate(2).await;
    let mut projector = place.start(&["projector"]);
    let home = partition_for(b"s", 2);
    let good = encode(&page_view("s", "http://a.example/"));
    let text = String::from_utf8(good.clone()).unwrap();
    let unknown = text.replace("page_view.recorded", "page_view.imagined");
    let other_version = text.replace("\"version\":1", "\"version\":9");
    let wrong = text.replace("\"url\":\"http", "\"uri\":\"http");
    let random: Vec<u8> = (0..1_000).map(|_| rand::random()).collect();
    let cases: [(&str, Option<&[u8]>, u16); 8] = [
        ("malformed", Some(b"garbage"), home),
        ("malformed", Some(&random), home),
        ("malformed", Some(b""), home),
        ("malformed", None, home),
        ("unknown_type", Some(unknown.as_bytes()), home),
        ("invalid", Some(other_version.as_bytes()), home),
        ("invalid", Some(wrong.as_bytes()), home),
        ("misplaced", Some(&good), 1 - home),
    ];
    let mut expected = Vec::new();
    for (reason, value, partition) in cases {
        let offset = place.topics.produce(&place.topic, partition, Some(b"s"), value).await;
        expected.push((partition, offset, reason));
        // without headers and without a key it is an event all the same
        place.topics.produce(&place.topic, home, None, Some(&good)).await;
    }
    place.until("all events are stored", "SELECT count(*) FROM page_view", 8).await;
    place.until("all others are dead", "SELECT count(*) FROM dead_letter", 8).await;
    expected.sort_unstable();
    let letters = dead_letters(&place).await;
    let of = |letter: &Value| (letter["partition"].clone(), letter["offset"].clone(), letter["reason"].clone());
    assert_eq!(
        letters.iter().map(of).collect::<Vec<_>>(),
        expected.iter().map(|(p, o, r)| (json!(p), json!(o), json!(r))).collect::<Vec<_>>()
    );
    assert!(letters.iter().all(|letter| !letter["error"].as_str().unwrap().is_empty()), "{letters:?}");
    // a list that ends says how many more there are, and how to see them
    let (mut walked, mut arguments) = (Vec::new(), vec!["dead-letter".to_owned(), "list".into(), "--limit=3".into()]);
    for left in [5, 2, 0] {
        let said = place.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await.well();
        let (more, shown): (Vec<_>, Vec<_>) = said.into_iter().partition(|line| line.contains(" more: --after "));
        walked.extend(shown.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        assert_eq!(more.len(), usize::from(left > 0), "{more:?}");
        for more in more {
            assert!(more.starts_with(&format!("{left} more: ")), "{more}");
            let after = more.split("--after ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
            arguments.truncate(3);
            arguments.extend(["--after".to_owned(), after]);
        }
    }
    assert_eq!(walked, letters);
    projector.until_ready().await;
    place.verify().await;
    projector.stop().await;
}

#[tokio::test]
async fn a_record_of_a_newer_program_waits_until_it_is_skipped() {
    let place = Place::new().await;
    place.migrate(2).await;
    let mut projector = place.start(&["projector"]);
    projector.until_ready().await;
    let other = (0..1_000).map(|n| format!("t{n}")).find(|s| partition_for(s.as_bytes(), 2) != partition_for(b"s", 2));
    let [before, newer, after] = ["before", "newer", "after"].map(|page| format!("http://a.example/{page}"));
    let positions = place
        .append(vec![
            record(&page_view("s", &before), SCHEMA_VERSION),
            record(&page_view("s", &newer), SCHEMA_VERSION + 1),
            record(&page_view("s", &after), SCHEMA_VERSION),
            record(&page_view(&other.unwrap(), &after), SCHEMA_VERSION),
        ])
        .await;
    let Position { partition, offset } = positions[1];
    let (partition, offset) = (partition.to_string(), offset.to_string());
    projector.until_not_ready("newer Footfall").await;
    let advice = format!("footfall dead-letter skip {partition} {offset}");
    assert!(projector.not_ready().await.contains(&advice), "{advice}");
    place.until("the other partition goes on", "SELECT count(*) FROM page_view", 2).await;

    // neither a restart nor the wrong offset gets past it
    projector.stop().await;
    let mut projector = place.start(&["projector"]);
    projector.until_not_ready("newer Footfall").await;
    let passed = place.run(&["dead-letter", "skip", &partition, &positions[0].offset.to_string()]).await;
    assert_eq!(passed.code, Some(1));
    assert!(passed.last_line().contains("has been processed already"), "{passed:?}");

    place.run(&["dead-letter", "skip", &partition, &offset]).await.well();
    place.until("what comes after it is stored", "SELECT count(*) FROM page_view", 3).await;
    projector.until_ready().await;
    let letters = dead_letters(&place).await;
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0]["reason"], &letters[0]["schema_version"]), (&json!("skipped"), &json!(SCHEMA_VERSION + 1)));
    place.verify().await;
    projector.stop().await;
}

#[tokio::test]
async fn too_many_dead_letters_in_a_row_stop_the_partition_and_it_says_so() {
    let place = Place::new().await;
    place.migrate(1).await;
    for _ in 0..5 {
        place.topics.produce(&place.topic, 0, None, Some(b"garbage")).await;
    }
    let mut projector = place.start(&["projector", "--projector-max-dead-letters", "3"]);
    projector.until_not_ready("footfall dead-letter list").await;
    tokio::time::timeout(Duration::from_secs(20), projector.stop()).await.unwrap();
    assert_eq!(dead_letters(&place).await.len(), 3);
}
