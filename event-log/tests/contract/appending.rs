use super::{
    engine::{Engine, PARTITIONS},
    support::{all, append, in_time, read, read_all, record},
};
use event_log::{AppendError, Sharing};
use rand::Rng;
use schema::{limits::MAX_RECORD_BYTES, partition_for};
use std::{collections::HashMap, sync::Arc};
use test_support::seeded;

pub async fn records_of_a_key_keep_their_order_under_many_appenders(engine: impl Engine) {
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    let appenders = (0..32).map(|appender| {
        let writer = Arc::clone(&writer);
        tokio::spawn(async move {
            let key = format!("session-{appender}");
            for batch in 0..25 {
                let numbers = batch * 3..batch * 3 + 1 + batch % 3;
                let records = numbers.map(|number| record(&key, format!("{number}"))).collect();
                all(writer.append(records).await);
            }
        })
    });
    for appender in appenders.collect::<Vec<_>>() {
        in_time(appender).await.unwrap();
    }

    let reader = log.reader(Sharing::Alone).await.unwrap();
    let per_appender: usize = (0..25).map(|batch| 1 + batch % 3).sum();
    let mut last = HashMap::new();
    for record in read_all(&*reader, 32 * per_appender).await {
        let number: i32 = String::from_utf8(record.value).unwrap().parse().unwrap();
        let before = last.insert(record.key, number);
        assert!(before.is_none_or(|before| before < number), "{number} after {before:?}");
    }
}

pub async fn every_record_gets_its_own_outcome_and_position(engine: impl Engine) {
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    let records: Vec<_> = (0..50).map(|i| record(&format!("session-{}", i % 7), format!("value {i}"))).collect();
    let positions = all(writer.append(records.clone()).await);
    assert!(writer.append(Vec::new()).await.is_empty());

    let reader = log.reader(Sharing::Alone).await.unwrap();
    for (sent, position) in records.iter().zip(&positions) {
        let stored = reader.record_at(*position).await.unwrap().unwrap();
        assert_eq!((&stored.key.unwrap(), &stored.value), (&sent.key, &sent.value));
        assert_eq!(stored.position, *position);
        assert_eq!(stored.schema_version, Some(1));
    }
}

pub async fn a_record_that_is_too_large_fails_alone(engine: impl Engine) {
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    let mut records: Vec<_> = (0..5).map(|i| record("session", format!("{i}"))).collect();
    records.insert(2, record("session", vec![0; MAX_RECORD_BYTES]));
    records.insert(0, record("session", vec![0; MAX_RECORD_BYTES + 1]));
    let outcomes = writer.append(records).await;
    assert_eq!(outcomes[0], Err(AppendError::TooLarge));
    assert_eq!(outcomes[3], Err(AppendError::TooLarge));
    let stored: Vec<_> = outcomes.into_iter().flatten().collect();

    let reader = log.reader(Sharing::Alone).await.unwrap();
    let read = read(&*reader, stored[0].partition, 0, 5).await;
    assert_eq!(read.iter().map(|record| record.position).collect::<Vec<_>>(), stored);
    assert_eq!(read.iter().map(|record| &record.value[..]).collect::<Vec<_>>(), [b"0", b"1", b"2", b"3", b"4"]);
    assert_eq!(writer.append(vec![record("s", vec![0; MAX_RECORD_BYTES])]).await, [Err(AppendError::TooLarge)]);
}

pub async fn nothing_is_taken_after_the_end(engine: impl Engine) {
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    let first = append(&*writer, "session", "before").await;
    assert_eq!(writer.ready(), Ok(()));
    in_time(writer.close()).await;
    let outcomes = writer.append(vec![record("session", "after")]).await;
    assert!(matches!(outcomes[..], [Err(AppendError::Overloaded(_))]), "{outcomes:?}");
    assert!(writer.ready().is_err());

    let reader = log.reader(Sharing::Alone).await.unwrap();
    let marks = reader.watermarks(first.partition).await.unwrap();
    assert_eq!(marks.high, first.offset + 1);
}

pub async fn records_are_placed_by_our_own_function(engine: impl Engine) {
    let log = engine.open().await;
    assert_eq!(log.partitions(), PARTITIONS);
    let writer = log.writer().await.unwrap();
    let keys: Vec<_> = (0..100).map(|i| format!("session-{i}")).collect();
    let positions = all(writer.append(keys.iter().map(|key| record(key, "v")).collect()).await);
    for (key, position) in keys.iter().zip(positions) {
        assert_eq!(position.partition, partition_for(key.as_bytes(), PARTITIONS), "{key}");
    }
}

pub async fn keys_and_values_come_back_byte_by_byte(engine: impl Engine) {
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    let mut large = vec![0; 3_000_000];
    seeded("keys_and_values_come_back_byte_by_byte").fill_bytes(&mut large);
    let every_byte: Vec<u8> = (0..=255).collect();
    for (key, value, version) in [
        (b"session".to_vec(), Vec::new(), 0),
        (Vec::new(), b"{}".to_vec(), 1),
        (every_byte.clone(), every_byte, 7),
        ("日本\0".into(), large, 4_000_000_000),
    ] {
        let sent =
            event_log::NewRecord { key: key.clone(), value: value.clone(), schema_version: version, ..record("", "") };
        let position = all(writer.append(vec![sent]).await)[0];
        let reader = log.reader(Sharing::Alone).await.unwrap();
        for stored in [
            reader.record_at(position).await.unwrap().unwrap(),
            read(&*reader, position.partition, position.offset, 1).await.remove(0),
        ] {
            assert_eq!(stored.key, Some(key.clone()));
            assert_eq!(stored.schema_version, Some(version));
            assert!(stored.value == value, "{} bytes came back as {}", value.len(), stored.value.len());
        }
        in_time(reader.close()).await;
    }
}

pub async fn an_append_of_many_records_keeps_their_order(engine: impl Engine) {
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    let positions = all(writer.append((0..7_000).map(|i| record("session", format!("{i}"))).collect()).await);
    let offsets: Vec<_> = positions.iter().map(|position| position.offset).collect();
    assert!(offsets.is_sorted());
    let reader = log.reader(Sharing::Alone).await.unwrap();
    let read = read(&*reader, positions[0].partition, 0, 7_000).await;
    assert!(read.iter().enumerate().all(|(i, record)| record.value == format!("{i}").into_bytes()));
}
