//! What is no event of ours.

use crate::common::Place;
use event_log::NewRecord;
use schema::{
    Envelope, Event, PageViewRecorded, Position, SessionId, Source,
    codec::{SCHEMA_VERSION, encode},
    partition_for,
};
use serde_json::{Value, json};
use std::time::Duration;

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
