//! What the log in Kafka promises beside.

use super::{
    engine::{Engine, KafkaEngine, PARTITIONS, kafka},
    support::{all, in_time, read_all, record},
};
use event_log::{
    AppendError, EventLog, Sharing,
    kafka::{KafkaLog, KafkaLogError, KafkaLogSettings, create_topic},
};
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
};
use std::{sync::Arc, time::Duration};
use test_support::{kafka_brokers, unique_name};

/// A topic as a stranger would make it.
async fn topic(configs: &[(&str, &str)]) -> KafkaEngine {
    let engine = KafkaEngine { topic: unique_name("stranger") };
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", kafka_brokers()).create().unwrap();
    let topic = NewTopic::new(&engine.topic, i32::from(PARTITIONS), TopicReplication::Fixed(1));
    let topic = configs.iter().fold(topic, |topic, (name, value)| topic.set(name, value));
    admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap()[0].as_ref().unwrap();
    engine
}

async fn refusal(settings: KafkaLogSettings) -> String {
    let refused = KafkaLog::open(settings).await.err().unwrap().to_string();
    assert!(!refused.contains('\n'), "{refused}");
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_may_write() {
    let engine = kafka().await;
    let logs = [engine.open().await, engine.open().await];
    assert_eq!(logs[0].log_id(), logs[1].log_id());
    let appending = logs.clone().map(|log| {
        tokio::spawn(async move {
            let writer = log.writer().await.unwrap();
            for i in 0..50 {
                all(writer.append((0..4).map(|j| record(&format!("session-{j}"), format!("{i}"))).collect()).await);
            }
        })
    });
    for appending in appending {
        in_time(appending).await.unwrap();
    }
    let reader = logs[0].reader(Sharing::Alone).await.unwrap();
    read_all(&*reader, 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_the_rest_at_once_and_stores_nothing_of_it() {
    let engine = kafka().await;
    let log = KafkaLog::open(KafkaLogSettings { queue_records: 20, ..engine.settings() }).await.unwrap();
    let writer = log.writer().await.unwrap();
    let outcomes = writer.append((0..5_000).map(|i| record("session", format!("{i}"))).collect()).await;
    let taken = outcomes.iter().take_while(|outcome| outcome.is_ok()).count();
    assert!((20..5_000).contains(&taken), "{taken}");
    assert!(outcomes[taken..].iter().all(|outcome| matches!(outcome, Err(AppendError::Overloaded(_)))));
    let reader = log.reader(Sharing::Alone).await.unwrap();
    let read = read_all(&*reader, taken).await;
    assert!(read.iter().enumerate().all(|(i, record)| record.value == format!("{i}").into_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_cannot_be_the_log_are_refused_with_the_way_out() {
    let missing = KafkaEngine { topic: unique_name("missing") };
    assert!(refusal(missing.settings()).await.contains("does not exist: run `footfall migrate`"));

    let engine = topic(&[]).await;
    assert!(
        refusal(engine.settings()).await.contains("retention.ms=604800000, a log needs -1: run `footfall migrate`")
    );
    let other = refusal(KafkaLogSettings { partitions: Some(7), ..engine.settings() }).await;
    assert!(other.contains("has 4 partitions, the settings say 7"), "{other}");

    let small = topic(&[("retention.ms", "-1")]).await;
    assert!(refusal(small.settings()).await.contains("max.message.bytes=1048588"));
    let compacted = topic(&[("retention.ms", "-1"), ("cleanup.policy", "compact")]).await;
    assert!(refusal(compacted.settings()).await.contains("cleanup.policy=compact"));
}

#[tokio::test(flavor = "multi_thread")]
async fn migrating_brings_a_topic_in_line_and_never_repartitions_it() {
    let engine = topic(&[("segment.bytes", "10485760")]).await;
    create_topic(&engine.settings(), PARTITIONS, 1).await.unwrap();
    create_topic(&engine.settings(), PARTITIONS, 1).await.unwrap();
    engine.open().await;
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", kafka_brokers()).create().unwrap();
    let topic = rdkafka::admin::ResourceSpecifier::Topic(&engine.topic);
    let described = admin.describe_configs(&[topic], &AdminOptions::new()).await.unwrap().remove(0).unwrap();
    assert_eq!(described.get("segment.bytes").unwrap().value.as_deref(), Some("10485760"), "others' settings stay");

    let refused = create_topic(&engine.settings(), 12, 1).await.err().unwrap();
    assert!(matches!(refused, KafkaLogError::OtherPartitions { wanted: 12, found: 4, .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kafka_that_is_away_is_told_apart_from_a_wrong_one() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = KafkaLogSettings::new(format!("127.0.0.1:{port}"), "footfall.events");
    let refused = KafkaLog::open(away).await.err().unwrap();
    assert!(matches!(refused, KafkaLogError::Unavailable { .. }), "{refused}");
    let engine = kafka().await;
    let wrong = vec![("no.such.property".to_owned(), "1".to_owned())];
    let refused = KafkaLog::open(KafkaLogSettings { properties: wrong, ..engine.settings() }).await.err().unwrap();
    assert!(matches!(refused, KafkaLogError::Settings(_)), "{refused}");
    assert!(refused.to_string().contains("no.such.property"));
}

#[tokio::test(flavor = "multi_thread")]
async fn users_properties_do_not_change_what_the_promises_rest_on() {
    let engine = kafka().await;
    let properties =
        [("acks", "0"), ("auto.offset.reset", "latest"), ("linger.ms", "3"), ("group.protocol", "consumer")];
    let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let log = KafkaLog::open(KafkaLogSettings { properties, ..engine.settings() }).await.unwrap();
    let positions = all(log.writer().await.unwrap().append(vec![record("session", "v")]).await);
    assert_eq!(positions[0].offset, 0, "the offset comes with the acknowledgement");
    let reader = log.reader(Sharing::Group(unique_name("group"))).await.unwrap();
    assert!(in_time(reader.assignment()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_reported_is_never_read_back() {
    let engine = kafka().await;
    let log = engine.open().await;
    let writer = log.writer().await.unwrap();
    let last = *all(writer.append((0..10).map(|_| record("session", "v")).collect()).await).last().unwrap();
    let group = unique_name("group");
    for _ in 0..2 {
        let reader = log.reader(Sharing::Group(group.clone())).await.unwrap();
        in_time(reader.assignment()).await.unwrap();
        let mut lane = in_time(reader.open(last.partition, 0)).await.unwrap();
        assert_eq!(in_time(lane.next(1, 1)).await.unwrap()[0].position.offset, 0);
        reader.report(&[schema::Position::new(last.partition, last.offset + 1)]).await;
        drop(lane);
        in_time(reader.close()).await;
    }
    let committed = tokio::task::spawn_blocking(move || {
        use rdkafka::consumer::{BaseConsumer, Consumer};
        let config = ClientConfig::new().set("bootstrap.servers", kafka_brokers()).set("group.id", &group).clone();
        let consumer: BaseConsumer = config.create().unwrap();
        let mut list = rdkafka::TopicPartitionList::new();
        list.add_partition(&engine.topic, i32::from(last.partition));
        consumer.committed_offsets(list, Duration::from_secs(10)).unwrap().elements()[0].offset()
    });
    assert_eq!(committed.await.unwrap(), rdkafka::Offset::Offset(last.offset + 1), "lag tools see it");
    drop(Arc::new(log));
}
