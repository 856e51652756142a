//! Kafka is stopped and started.

use super::{
    engine::PARTITIONS,
    sharing::{Store, member},
    support::{PATIENCE, append, in_time, record},
};
use event_log::{
    AppendError, EventLog, EventWriter, ReadError, Sharing,
    kafka::{KafkaLog, KafkaLogSettings, create_topic},
};
use futures::FutureExt;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use test_support::{Broker, eventually};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const DEADLINE: Duration = Duration::from_secs(4);

/// What an answer may take on a busy machine; without a deadline, librdkafka would keep the caller for five minutes.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// Appends until one is refused without having been queued; each is answered, whether it was or not.
async fn refused_at_once(writer: &dyn EventWriter) {
    eventually("records are refused at once", PATIENCE, || async {
        let started = Instant::now();
        let appending = writer.append(vec![record("session", "while Kafka is away")]);
        let outcomes = timeout(ANSWERED_WITHIN, appending).await.expect("no answer");
        match &outcomes[..] {
            [Err(AppendError::Overloaded(_))] => (started.elapsed() < Duration::from_millis(100)).then_some(()),
            [Err(AppendError::Unknown(_))] => None,
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_and_readers_outlive_an_outage_of_kafka() {
    let mut broker = Broker::start().await;
    let settings = KafkaLogSettings {
        append_deadline: DEADLINE,
        session_timeout: Duration::from_secs(6),
        ..KafkaLogSettings::new(broker.brokers(), "footfall.events")
    };
    create_topic(&settings, PARTITIONS, 1).await.unwrap();
    let log: Arc<dyn EventLog> = Arc::new(KafkaLog::open(settings).await.unwrap());
    let (writer, reader) = (log.writer().await.unwrap(), log.reader(Sharing::Alone).await.unwrap());
    let (store, stop) = (Store::default(), CancellationToken::new());
    let member = tokio::spawn(member(Arc::clone(&log), "group".into(), Arc::clone(&store), stop.clone(), false));
    let processed = |position| {
        let store = Arc::clone(&store);
        async move { store.lock().unwrap().processed.contains(&position).then_some(()) }
    };

    let first = append(&*writer, "session", "before").await;
    let mut lane = in_time(reader.open(first.partition, first.offset)).await.unwrap();
    assert_eq!(in_time(lane.next(10, 1_000)).await.unwrap()[0].value, b"before");
    eventually("the group processes", PATIENCE, || processed(first)).await;

    for round in 0..2 {
        if round == 0 {
            broker.stop().await;
        } else {
            broker.kill();
        }
        refused_at_once(&*writer).await;
        assert!(writer.ready().is_err());
        // each would take five seconds, but nobody waits for them
        for _ in 0..50 {
            assert!(reader.watermarks(0).now_or_never().is_none());
        }
        assert!(matches!(in_time(reader.watermarks(0)).await, Err(ReadError::Unavailable(_))));

        broker.start_again().await;
        eventually("the writer is ready", PATIENCE, || async { writer.ready().ok() }).await;
        let last = append(&*writer, "session", "after").await;
        loop {
            let records = in_time(lane.next(10, 1_000)).await.unwrap();
            if records.iter().any(|record| record.position == last) {
                break;
            }
        }
        eventually("the group processes again", PATIENCE, || processed(last)).await;
    }
    stop.cancel();
    in_time(member).await.unwrap();
    in_time(reader.close()).await;
    in_time(writer.close()).await;
}
