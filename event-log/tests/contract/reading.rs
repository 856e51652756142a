use super::{
    engine::{Engine, PARTITIONS},
    support::{PATIENCE, all, append, in_time, key_on, read, record},
};
use chrono::{DateTime, TimeDelta, Utc};
use event_log::{Change, OpenError, ReadError, Sharing, Watermarks};
use schema::Position;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use test_support::eventually;
use tokio::time::timeout;

pub async fn watermarks_say_what_a_partition_holds(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    assert_eq!(reader.watermarks(1).await.unwrap(), Watermarks { low: 0, high: 0 });
    for _ in 0..5 {
        append(&*writer, &key_on(1), "v").await;
    }
    assert_eq!(reader.watermarks(1).await.unwrap(), Watermarks { low: 0, high: 5 });
    engine.delete_below(1, 3).await;
    assert_eq!(reader.watermarks(1).await.unwrap(), Watermarks { low: 3, high: 5 });
    engine.delete_below(1, 5).await;
    assert_eq!(reader.watermarks(1).await.unwrap(), Watermarks { low: 5, high: 5 });
    assert_eq!(append(&*writer, &key_on(1), "v").await, Position::new(1, 5));
    assert!(matches!(reader.watermarks(PARTITIONS).await, Err(ReadError::Fatal(_))));
}

pub async fn an_offset_is_found_by_time(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    let mut times = Vec::new();
    for i in 0..20 {
        let position = append(&*writer, &key_on(2), format!("{i}")).await;
        let appended_at = reader.record_at(position).await.unwrap().unwrap().appended_at;
        let later = || async { (Utc::now() > appended_at + TimeDelta::milliseconds(3)).then_some(()) };
        eventually("the clock goes on", PATIENCE, later).await;
        times.push(appended_at);
    }
    engine.delete_below(2, 4).await;
    for (offset, time) in (0_i64..).zip(&times).skip(4) {
        assert_eq!(reader.offset_at(2, *time).await.unwrap(), offset);
        assert_eq!(reader.offset_at(2, *time + TimeDelta::milliseconds(1)).await.unwrap(), offset + 1);
        assert_eq!(reader.offset_at(2, *time + TimeDelta::microseconds(1)).await.unwrap(), offset + 1);
    }
    assert_eq!(reader.offset_at(2, DateTime::UNIX_EPOCH).await.unwrap(), 4);
    assert_eq!(reader.offset_at(2, Utc::now() + TimeDelta::days(1)).await.unwrap(), 20);
    assert_eq!(reader.offset_at(3, Utc::now()).await.unwrap(), 0);
}

pub async fn a_single_record_can_be_read(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    append(&*writer, &key_on(0), "first").await;
    append(&*writer, &key_on(0), "second").await;
    engine.make_gap(0).await;
    let last = append(&*writer, &key_on(0), "last").await;
    engine.delete_below(0, 1).await;
    assert_eq!(reader.record_at(Position::new(0, 0)).await.unwrap(), None);
    assert_eq!(reader.record_at(last).await.unwrap().unwrap().value, b"last");
    // in the gap, and beyond the end
    assert_eq!(reader.record_at(Position::new(0, last.offset - 1)).await.unwrap(), None);
    assert_eq!(reader.record_at(Position::new(0, last.offset + 1)).await.unwrap(), None);
    let from = reader.record_from(Position::new(0, last.offset - 1)).await.unwrap();
    assert_eq!(from.map(|record| record.position), Some(last), "the first one after the gap");
    assert_eq!(reader.record_from(Position::new(0, last.offset + 1)).await.unwrap(), None);
    engine.make_gap(0).await;
    let end = reader.watermarks(0).await.unwrap().high;
    assert_eq!(reader.record_at(Position::new(0, end - 1)).await.unwrap(), None);
    assert_eq!(reader.record_from(Position::new(0, end - 1)).await.unwrap(), None, "the gap goes on to the end");
}

pub async fn readers_go_over_gaps(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    let first = append(&*writer, &key_on(0), "first").await;
    append(&*writer, &key_on(0), "second").await;
    engine.make_gap(0).await;
    let third = append(&*writer, &key_on(0), "third").await;
    assert!(third.offset > first.offset + 1, "there is a gap");
    let mut found = Vec::new();
    let mut lane = in_time(reader.open(0, first.offset)).await.unwrap();
    while found.last() != Some(&third) {
        found.extend(in_time(lane.next(10, 1_000)).await.unwrap().into_iter().map(|record| record.position));
    }
    assert!(found[0] == first && found.is_sorted() && found.len() <= 3, "{found:?}");
    // opened in the gap, the next record is the one behind it
    assert_eq!(read(&*reader, 0, third.offset - 1, 1).await[0].position, third);
}

pub async fn offsets_outside_of_the_log_are_refused(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    for _ in 0..6 {
        append(&*writer, &key_on(3), "v").await;
    }
    engine.delete_below(3, 2).await;
    for outside in [-1, 0, 1, 7, i64::MAX] {
        let refused = reader.open(3, outside).await.err().unwrap();
        assert!(matches!(refused, OpenError::OutOfRange { low: 2, high: 6 }), "{outside}: {refused}");
    }
    assert_eq!(read(&*reader, 3, 2, 4).await[0].position.offset, 2);
    let mut at_the_end = in_time(reader.open(3, 6)).await.unwrap();
    append(&*writer, &key_on(3), "new").await;
    assert_eq!(in_time(at_the_end.next(10, 1_000)).await.unwrap()[0].value, b"new");
}

pub async fn a_waiting_reader_is_woken_at_once(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    let mut lane = in_time(reader.open(0, 0)).await.unwrap();
    let mut fastest = Duration::MAX;
    for _ in 0..10 {
        let waiting = tokio::spawn(async move {
            let records = in_time(lane.next(10, 1_000)).await.unwrap();
            (lane, records)
        });
        let started = Instant::now();
        append(&*writer, &key_on(0), "v").await;
        let (back, records) = in_time(waiting).await.unwrap();
        assert_eq!(records.len(), 1);
        lane = back;
        fastest = fastest.min(started.elapsed());
    }
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
}

pub async fn a_cancelled_read_loses_nothing(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    let appending = tokio::spawn(async move {
        for i in 0..300 {
            append(&*writer, &key_on(0), format!("{i}")).await;
        }
    });
    let mut lane = in_time(reader.open(0, 0)).await.unwrap();
    let mut offsets = Vec::new();
    let mut patience = Duration::ZERO;
    while offsets.len() < 300 {
        // cut off ever later, and every time again from the start
        patience =
            if patience > Duration::from_millis(5) { Duration::ZERO } else { patience + Duration::from_micros(50) };
        if let Ok(records) = timeout(patience, lane.next(7, 1_000)).await {
            offsets.extend(records.unwrap().iter().map(|record| record.position.offset));
        }
    }
    in_time(appending).await.unwrap();
    assert!(offsets.into_iter().eq(0..300));
}

pub async fn a_partition_can_be_opened_again_elsewhere(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    all(writer.append((0..500).map(|i| record(&key_on(1), format!("{i}"))).collect()).await);
    for from in [0, 400, 100, 499, 0, 250] {
        let mut lane = in_time(reader.open(1, from)).await.unwrap();
        let first = in_time(lane.next(50, 1 << 20)).await.unwrap();
        assert_eq!(first[0].position.offset, from);
        drop(lane);
    }
    // a second one takes the place of the first
    let first = in_time(reader.open(1, 10)).await.unwrap();
    let mut second = in_time(reader.open(1, 20)).await.unwrap();
    drop(first);
    assert_eq!(in_time(second.next(1, 1 << 20)).await.unwrap()[0].position.offset, 20);
    assert_eq!(in_time(second.next(1, 1 << 20)).await.unwrap()[0].position.offset, 21);
}

/// More than any buffer holds, on one partition, while another one is read at once.
pub async fn a_slow_reader_gets_everything(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    let slow = in_time(reader.open(0, 0)).await.unwrap();
    let mut fast = in_time(reader.open(1, 0)).await.unwrap();
    let records = 60;
    for i in 0..records {
        let large = vec![u8::try_from(i).unwrap(); 1 << 20];
        append(&*writer, &key_on(0), large).await;
        append(&*writer, &key_on(1), "small").await;
        // nobody takes the large ones, and still the small ones come
        assert_eq!(in_time(fast.next(1, 1_000)).await.unwrap()[0].position.offset, i64::from(i));
    }
    let mut slow = slow;
    let mut offsets = Vec::new();
    while offsets.len() < usize::try_from(records).unwrap() {
        for record in in_time(slow.next(3, 2 << 20)).await.unwrap() {
            assert_eq!(record.value.len(), 1 << 20);
            assert_eq!(i64::from(record.value[7]), record.position.offset);
            offsets.push(record.position.offset);
        }
    }
    assert!(offsets.into_iter().eq(0..i64::from(records)));
}

pub async fn what_is_taken_is_bounded_in_records_and_bytes(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    all(writer.append((0..100).map(|_| record(&key_on(0), vec![b'x'; 10_000])).collect()).await);
    let mut lane = in_time(reader.open(0, 0)).await.unwrap();
    let mut offsets = Vec::new();
    for (max_records, max_bytes) in [(3, 1 << 20), (100, 35_000), (100, 1), (0, 0)].into_iter().cycle() {
        let records = in_time(lane.next(max_records, max_bytes)).await.unwrap();
        assert!(!records.is_empty() && records.len() <= max_records.max(1));
        assert!(records.len() == 1 || records.len() * 10_000 <= max_bytes);
        offsets.extend(records.iter().map(|record| record.position.offset));
        if offsets.len() == 100 {
            break;
        }
    }
    assert!(offsets.into_iter().eq(0..100));
}

pub async fn retention_that_passes_a_reader_is_noticed(engine: impl Engine) {
    let log = engine.open().await;
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    // so much that the reader cannot have it all in memory when the rest is deleted
    for _ in 0..60 {
        append(&*writer, &key_on(0), vec![b'x'; 1 << 20]).await;
    }
    let mut lane = in_time(reader.open(0, 0)).await.unwrap();
    assert_eq!(in_time(lane.next(1, 1)).await.unwrap()[0].position.offset, 0);
    engine.delete_below(0, 60).await;
    append(&*writer, &key_on(0), "new").await;
    let mut expected = 1;
    let error = loop {
        match in_time(lane.next(1, 1)).await {
            Ok(records) => assert_eq!(records[0].position.offset, expected, "nothing is skipped in silence"),
            Err(error) => break error,
        }
        expected += 1;
    };
    assert!(matches!(error, ReadError::Fatal(_)), "{error}");
    // and what is still there can be read
    drop(lane);
    assert_eq!(read(&*reader, 0, 60, 1).await[0].value, b"new");
}

pub async fn a_reader_alone_gets_all_partitions(engine: impl Engine) {
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    append(&*writer, "session", "v").await;
    let readers = [log.reader(Sharing::Alone).await.unwrap(), log.reader(Sharing::Alone).await.unwrap()];
    for reader in &readers {
        match in_time(reader.assignment()).await.unwrap() {
            Change::Assigned(partitions) => assert_eq!(partitions, (0..PARTITIONS).collect::<Vec<_>>()),
            Change::Revoked { .. } => panic!("nothing was given yet"),
        }
        assert_eq!(reader.log_id(), log.log_id());
    }
    let mut lane = in_time(readers[0].open(0, 0)).await.unwrap();
    let waiting = tokio::spawn(async move { in_time(lane.next(1, 1)).await });
    let reader = Arc::clone(&readers[0]);
    in_time(reader.close()).await;
    let after: Option<ReadError> = match in_time(waiting).await.unwrap() {
        Ok(records) => {
            assert_eq!(records.len(), 1, "it was there before the end");
            None
        }
        Err(error) => Some(error),
    };
    assert!(after.is_none_or(|error| matches!(error, ReadError::Revoked)));
    assert!(matches!(in_time(reader.assignment()).await, Err(ReadError::Revoked)));
}
