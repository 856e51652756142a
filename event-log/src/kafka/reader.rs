use super::{
    KafkaLogSettings, client,
    lane::{Held, Lane},
    lookup::Lookup,
    poll::{Command, Poller, Wake},
    rebalance::Rebalancing,
    slots::Slots,
};
use crate::{Change, EventReader, LogId, OpenError, PartitionReader, ReadError, Record, Sharing, Watermarks};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rdkafka::{
    config::FromClientConfigAndContext,
    consumer::{BaseConsumer, Consumer},
};
use schema::Position;
use std::{
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};
use tokio::{
    sync::{Mutex, mpsc as changes, oneshot},
    time::timeout,
};

/// How long the poll thread may take to answer: it waits for the client's own threads at most.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks the poll thread, and wakes it.
#[derive(Clone)]
struct Requests {
    commands: mpsc::Sender<Command>,
    wake: Wake,
}

impl Requests {
    /// A thread that has ended does not hear it any more: nothing to do then.
    fn send(&self, command: Command) {
        let _ = self.commands.send(command);
        self.wake.wake();
    }
}

/// Reads a topic, alone or as one of a group.
pub(super) struct KafkaReader {
    id: LogId,
    partitions: u16,
    lookup: Arc<Lookup>,
    requests: Requests,
    /// Of the lanes of all partitions.
    held: Arc<Held>,
    /// Grows by one for each decision of the group that nobody has asked for yet.
    changes: Mutex<changes::UnboundedReceiver<Change>>,
}

impl KafkaReader {
    pub fn start(
        id: LogId,
        partitions: u16,
        settings: &KafkaLogSettings,
        sharing: &Sharing,
        lookup: Arc<Lookup>,
    ) -> Result<Self, ReadError> {
        let (group, in_group) = match sharing {
            Sharing::Group(group) => (group.as_str(), true),
            // The client wants a name; without a subscription no group comes into being.
            Sharing::Alone => ("footfall-alone", false),
        };
        let mut consumer =
            BaseConsumer::from_config_and_context(&client::consumer(settings, group), Rebalancing::default())
                .map_err(|error| client::unusable(&error))?;
        let wake = Wake::default();
        let on_message = wake.clone();
        consumer.set_nonempty_callback(move || on_message.wake());
        let (notify, changes) = changes::unbounded_channel();
        if in_group {
            consumer.subscribe(&[&settings.topic])?;
        } else {
            let all = Change::Assigned((0..partitions).collect());
            notify.send(all).expect("the receiver is held below");
        }
        let (commands, received) = mpsc::channel();
        let poller = Poller {
            consumer,
            topic: settings.topic.clone(),
            slots: Slots::new(settings.topic.clone(), partitions, !in_group),
            commands: received,
            changes: notify,
            patience: settings.session_timeout / 2,
            in_group,
            wake: wake.clone(),
            suspect_at: None,
        };
        thread::Builder::new()
            .name("kafka-reader".into())
            .spawn(move || poller.run())
            .map_err(|error| ReadError::Unavailable(format!("no thread for reading: {error}")))?;
        let requests = Requests { commands, wake };
        Ok(Self { id, partitions, lookup, requests, held: Arc::default(), changes: Mutex::new(changes) })
    }

    fn check(&self, partition: u16) -> Result<(), ReadError> {
        if partition < self.partitions {
            return Ok(());
        }
        Err(ReadError::Fatal(format!("the log has no partition {partition}")))
    }
}

#[async_trait]
impl EventReader for KafkaReader {
    fn log_id(&self) -> &LogId {
        &self.id
    }

    fn partitions(&self) -> u16 {
        self.partitions
    }

    async fn assignment(&self) -> Result<Change, ReadError> {
        self.changes.lock().await.recv().await.ok_or(ReadError::Revoked)
    }

    async fn open(&self, partition: u16, from: i64) -> Result<Box<dyn PartitionReader>, OpenError> {
        let Watermarks { low, high } = self.watermarks(partition).await?;
        if !(low..=high).contains(&from) {
            return Err(OpenError::OutOfRange { low, high });
        }
        let lane = Arc::new(Lane::new(Arc::clone(&self.held)));
        // Made first: when this call is cancelled, its drop takes the partition back.
        let reader = KafkaPartitionReader { partition, lane: Arc::clone(&lane), requests: self.requests.clone() };
        let (reply, opened) = oneshot::channel();
        self.requests.send(Command::Open { partition, from, lane, reply });
        match timeout(ANSWER_TIMEOUT, opened).await {
            Ok(Ok(Ok(()))) => Ok(Box::new(reader)),
            Ok(Ok(Err(error))) => Err(error.into()),
            Ok(Err(_)) => Err(ReadError::Revoked.into()),
            Err(_) => Err(ReadError::Unavailable("the Kafka client does not answer".into()).into()),
        }
    }

    async fn watermarks(&self, partition: u16) -> Result<Watermarks, ReadError> {
        self.check(partition)?;
        self.lookup.watermarks(partition).await
    }

    async fn offset_at(&self, partition: u16, time: DateTime<Utc>) -> Result<i64, ReadError> {
        self.check(partition)?;
        self.lookup.offset_at(partition, time).await
    }

    async fn record_from(&self, position: Position) -> Result<Option<Record>, ReadError> {
        self.check(position.partition)?;
        self.lookup.record_from(position).await
    }

    async fn report(&self, next: &[Position]) {
        self.requests.send(Command::Report(next.to_vec()));
    }

    async fn close(&self) {
        let (closed, done) = oneshot::channel();
        self.requests.send(Command::Close(closed));
        if timeout(ANSWER_TIMEOUT, done).await.is_err() {
            tracing::warn!("the Kafka consumer has not left its group in time");
        }
    }
}

impl Drop for KafkaReader {
    fn drop(&mut self) {
        let (closed, _) = oneshot::channel();
        self.requests.send(Command::Close(closed));
    }
}

/// Reads one partition out of its lane.
struct KafkaPartitionReader {
    partition: u16,
    lane: Arc<Lane>,
    requests: Requests,
}

#[async_trait]
impl PartitionReader for KafkaPartitionReader {
    async fn next(&mut self, max_records: usize, max_bytes: usize) -> Result<Vec<Record>, ReadError> {
        let (records, resume) = self.lane.take(max_records.max(1), max_bytes).await?;
        if resume {
            self.requests.send(Command::Resume { partition: self.partition, lane: Arc::clone(&self.lane) });
        }
        Ok(records)
    }
}

impl Drop for KafkaPartitionReader {
    fn drop(&mut self) {
        self.requests.send(Command::Dropped { partition: self.partition, lane: Arc::clone(&self.lane) });
    }
}
