//! Questions to the brokers: which topic, where it ends, what stands at a place. Each one blocks a thread of the
//! runtime's pool for [`CALL_TIMEOUT`] at most.

use super::{
    KafkaLogError, KafkaLogSettings,
    client::{self, CALL_TIMEOUT, Logging},
};
use crate::{ReadError, Record, Watermarks};
use chrono::{DateTime, Utc};
use rdkafka::{
    Offset, TopicPartitionList,
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::KafkaError,
    message::{BorrowedMessage, Headers, Message},
    metadata::MetadataTopic,
    types::RDKafkaErrorCode as Code,
};
use schema::Position;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;

/// How long a client that failed may take to say why.
const SAY: Duration = Duration::from_millis(100);

/// How often an idle client is asked for its log lines, which it keeps in memory until then.
const DRAIN_EVERY: Duration = Duration::from_secs(5);

impl ConsumerContext for Logging {}

/// What there is to know about the topic.
pub(super) struct Topic {
    pub cluster: String,
    pub partitions: u16,
}

/// A question without an answer.
struct Failed {
    error: KafkaError,
    /// Why the brokers do not let us in, where that is it.
    refusal: Option<String>,
}

impl From<KafkaError> for Failed {
    fn from(error: KafkaError) -> Self {
        Self { error, refusal: None }
    }
}

/// A client for questions.
pub(super) struct Lookup {
    brokers: String,
    topic: String,
    /// Reading single records assigns a partition to the client: one at a time. Who waits for its turn and gives up
    /// leaves the queue; so while the brokers are away one question at most is still under way at the end.
    client: Arc<Mutex<BaseConsumer<Logging>>>,
}

impl Lookup {
    pub fn new(settings: &KafkaLogSettings) -> Result<Self, KafkaLogError> {
        let client = BaseConsumer::from_config_and_context(&client::lookup(settings), Logging::default())
            .map_err(|error| client::unusable(&error))?;
        Ok(Self {
            brokers: settings.brokers.clone(),
            topic: settings.topic.clone(),
            client: Arc::new(Mutex::new(client)),
        })
    }

    /// Takes log lines and errors out of the client now and then, for as long as there is one.
    pub fn keep_drained(self: &Arc<Self>) {
        let lookup = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(DRAIN_EVERY).await;
                let Some(lookup) = lookup.upgrade() else { return };
                if let Ok(client) = lookup.client.try_lock() {
                    while client.poll(Duration::ZERO).is_some() {}
                }
            }
        });
    }

    pub async fn topic(self: &Arc<Self>) -> Result<Topic, KafkaLogError> {
        let of_call = |failed: Failed| match failed.refusal {
            Some(reason) => KafkaLogError::NotLetIn { brokers: self.brokers.clone(), reason },
            None => KafkaLogError::of_call(&self.brokers, &failed.error),
        };
        self.ask(move |lookup, client| {
            let metadata = client.fetch_metadata(Some(&lookup.topic), CALL_TIMEOUT).map_err(|error| {
                // what the client has to say waits until somebody listens
                client.poll(SAY);
                Failed { error, refusal: client.context().refusal() }
            })?;
            let cluster = client.client().fetch_cluster_id(CALL_TIMEOUT);
            let topic = metadata.topics().first();
            let leaderless = |topic: &MetadataTopic| topic.partitions().iter().any(|partition| partition.leader() < 0);
            let problem = topic.and_then(|topic| match topic.error() {
                Some(error) => Some(Code::from(error)),
                None => leaderless(topic).then_some(Code::LeaderNotAvailable),
            });
            Ok((cluster, problem, topic.map_or(0, |topic| topic.partitions().len())))
        })
        .await
        .map_err(of_call)
        .and_then(|(cluster, problem, partitions)| match (problem, u16::try_from(partitions)) {
            (Some(Code::UnknownTopicOrPartition | Code::UnknownTopic), _) | (None, Ok(0)) => {
                Err(KafkaLogError::NoTopic { topic: self.topic.clone() })
            }
            (Some(code), _) => Err(KafkaLogError::of_code(&self.brokers, code)),
            (None, Ok(partitions)) if partitions <= schema::limits::MAX_PARTITIONS => {
                Ok(Topic { cluster: known(cluster, &self.brokers)?, partitions })
            }
            (None, _) => Err(KafkaLogError::OtherPartitions {
                topic: self.topic.clone(),
                wanted: schema::limits::MAX_PARTITIONS,
                found: partitions,
            }),
        })
    }

    pub async fn watermarks(self: &Arc<Self>, partition: u16) -> Result<Watermarks, ReadError> {
        let range = self
            .ask(move |lookup, client| client.fetch_watermarks(&lookup.topic, i32::from(partition), CALL_TIMEOUT))
            .await?;
        Ok(Watermarks { low: range.0, high: range.1 })
    }

    pub async fn offset_at(self: &Arc<Self>, partition: u16, time: DateTime<Utc>) -> Result<i64, ReadError> {
        // Kafka keeps milliseconds: the first one that is not before the time.
        let millis = -(-time.timestamp_micros()).div_euclid(1_000);
        let found = self
            .ask(move |lookup, client| {
                let mut times = TopicPartitionList::new();
                times.add_partition_offset(&lookup.topic, i32::from(partition), Offset::Offset(millis.max(0)))?;
                let found = client.offsets_for_times(times, CALL_TIMEOUT)?;
                let found = found.elements().first().map(|element| element.error().map(|()| element.offset()));
                found.transpose()
            })
            .await?;
        match found {
            Some(Offset::Offset(offset)) => Ok(offset),
            _ => Ok(self.watermarks(partition).await?.high),
        }
    }

    pub async fn record_from(self: &Arc<Self>, position: Position) -> Result<Option<Record>, ReadError> {
        let Watermarks { low, high } = self.watermarks(position.partition).await?;
        let position = Position { offset: position.offset.max(low), ..position };
        if position.offset >= high {
            return Ok(None);
        }
        Ok(self
            .ask(move |lookup, client| {
                let mut place = TopicPartitionList::new();
                place.add_partition_offset(
                    &lookup.topic,
                    i32::from(position.partition),
                    Offset::Offset(position.offset),
                )?;
                client.assign(&place)?;
                let found = read_one(client, position);
                client.unassign()?;
                found
            })
            .await?)
    }

    async fn ask<T: Send + 'static, E: From<KafkaError> + Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Self, &BaseConsumer<Logging>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let lookup = Arc::clone(self);
        let client = Arc::clone(&self.client).lock_owned().await;
        let answer = tokio::task::spawn_blocking(move || question(&lookup, &client));
        // The question does not panic; the runtime may be ending.
        answer.await.unwrap_or_else(|_| Err(KafkaError::Canceled.into()))
    }
}

/// The cluster's id. One that was not told must not become part of the log's name: the read model would take the
/// log for another one as soon as it is.
fn known(cluster: Option<String>, brokers: &str) -> Result<String, KafkaLogError> {
    cluster.filter(|id| !id.is_empty()).ok_or_else(|| KafkaLogError::Unavailable {
        brokers: brokers.into(),
        reason: "the brokers do not say which cluster they are".into(),
    })
}

fn read_one(client: &BaseConsumer<Logging>, position: Position) -> Result<Option<Record>, KafkaError> {
    let deadline = Instant::now() + CALL_TIMEOUT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(KafkaError::MessageConsumption(Code::OperationTimedOut));
        }
        match client.poll(left) {
            Some(Ok(message)) if message.partition() != i32::from(position.partition) => {}
            Some(Ok(message)) if message.offset() < position.offset => {}
            Some(Ok(message)) => return Ok(Some(record(&message))),
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
            // Errors that pass are logged by the client; it goes on by itself.
            Some(Err(_)) | None => {}
        }
    }
}

/// A message as the record that it is.
pub(super) fn record(message: &BorrowedMessage<'_>) -> Record {
    let schema_version = message.headers().and_then(|headers| {
        let header = headers.iter().find(|header| header.key == super::writer::SCHEMA_VERSION)?;
        std::str::from_utf8(header.value?).ok()?.parse().ok()
    });
    let partition = u16::try_from(message.partition()).expect("the topic has at most 8,192 partitions");
    Record {
        position: Position { partition, offset: message.offset() },
        appended_at: message.timestamp().to_millis().and_then(DateTime::from_timestamp_millis).unwrap_or_default(),
        schema_version,
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map_or_else(Vec::new, <[u8]>::to_vec),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_without_an_id_is_not_there_yet() {
        assert_eq!(known(Some("id".into()), "b:9092").unwrap(), "id");
        for unknown in [None, Some(String::new())] {
            assert!(matches!(known(unknown, "b:9092"), Err(KafkaLogError::Unavailable { .. })));
        }
    }
}
