use super::{
    KafkaLogError, KafkaLogSettings, client,
    delivery::{Deliveries, Outcome, Pending, Ticket, append_error, is_fatal},
    error::text,
};
use crate::{AppendError, EventWriter, NewRecord, metrics as names, oversized::Oversized};
use async_trait::async_trait;
use rdkafka::{
    config::{ClientConfig, FromClientConfigAndContext},
    message::{Header, OwnedHeaders},
    producer::{BaseRecord, Producer, ThreadedProducer},
};
use schema::partition_for;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep, timeout_at},
};

pub(super) const SCHEMA_VERSION: &str = "schema-version";

/// Pause between looks for a broker while there is none.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// How long a look for a broker takes at most; looks are taken when something is wrong already.
const LOOK_TIMEOUT: Duration = Duration::from_secs(1);

type Client = ThreadedProducer<Deliveries>;

/// What the watch task and the callers share.
struct Shared {
    config: ClientConfig,
    topic: String,
    client: RwLock<Arc<Client>>,
    /// Told by the client: all brokers are gone, or it has failed for good.
    trouble: Arc<Notify>,
    /// Why no broker can be reached, as far as is known. Records are refused meanwhile instead of queued.
    down: Mutex<Option<String>>,
    closed: AtomicBool,
}

/// Sends records and waits for their acknowledgements.
pub(super) struct KafkaWriter {
    shared: Arc<Shared>,
    partitions: u16,
    deadline: Duration,
    watch: JoinHandle<()>,
}

impl KafkaWriter {
    pub fn start(settings: &KafkaLogSettings, partitions: u16) -> Result<Self, KafkaLogError> {
        let (config, trouble) = (client::producer(settings), Arc::new(Notify::new()));
        let client = new_client(&config, &trouble)?;
        let shared = Arc::new(Shared {
            config,
            topic: settings.topic.clone(),
            client: RwLock::new(Arc::new(client)),
            trouble,
            down: Mutex::new(None),
            closed: AtomicBool::new(false),
        });
        let watch = tokio::spawn(Arc::clone(&shared).watch());
        Ok(Self { shared, partitions, deadline: settings.append_deadline, watch })
    }

    /// Hands the records to the client in order. A record that the client does not take keeps those behind it from
    /// being sent, unless it is the record's own fault: otherwise they would overtake it.
    fn enqueue(&self, client: &Client, records: &[NewRecord], pending: &Arc<Pending>) {
        let mut refused: Option<AppendError> = None;
        for (index, record) in records.iter().enumerate() {
            if let Some(error) = &refused {
                pending.settle(index, Err(error.clone()));
                continue;
            }
            let version = VersionText::new(record.schema_version);
            let headers = OwnedHeaders::new_with_capacity(2)
                .insert(Header { key: "content-type", value: Some("application/json") })
                .insert(Header { key: SCHEMA_VERSION, value: Some(version.as_str()) });
            let ticket = Box::new(Ticket { pending: Arc::clone(pending), index });
            let message = BaseRecord::with_opaque_to(&self.shared.topic, ticket)
                .partition(i32::from(partition_for(&record.key, self.partitions)))
                .key(&record.key)
                .payload(&record.value)
                .headers(headers);
            let Err((error, _)) = client.send(message) else { continue };
            if is_fatal(&error) {
                self.shared.trouble.notify_one();
            }
            // The client has not taken it: whatever the reason, it is not stored.
            let outcome = match append_error(&error) {
                AppendError::Unknown(reason) => AppendError::Overloaded(reason),
                other => other,
            };
            if outcome != AppendError::TooLarge {
                refused = Some(outcome.clone());
            }
            pending.settle(index, Err(outcome));
        }
    }

    async fn outcomes(&self, records: Vec<NewRecord>) -> Vec<Outcome> {
        let deadline = Instant::now() + self.deadline;
        if let Err(reason) = self.ready() {
            return vec![Err(AppendError::Overloaded(reason)); records.len()];
        }
        let (pending, all) = Pending::new(records.len());
        self.enqueue(&self.shared.client(), &records, &pending);
        drop(records);
        // At the deadline, what has an outcome has it all the same.
        let _ = timeout_at(deadline, all).await;
        pending.take(|| Err(AppendError::Unknown("Kafka has not acknowledged the record in time".into())))
    }
}

#[async_trait]
impl EventWriter for KafkaWriter {
    async fn append(&self, mut records: Vec<NewRecord>) -> Vec<Outcome> {
        let oversized = Oversized::remove_from(&mut records);
        let mut outcomes = if records.is_empty() { Vec::new() } else { self.outcomes(records).await };
        oversized.insert_into(&mut outcomes);
        names::count("kafka", &outcomes);
        outcomes
    }

    fn kept_by(&self) -> &'static str {
        "kafka"
    }

    fn ready(&self) -> Result<(), String> {
        if self.shared.closed.load(Ordering::Relaxed) {
            return Err("the log is closed".into());
        }
        match &*self.shared.down() {
            Some(reason) => Err(format!("Kafka is not reachable: {reason}")),
            None => Ok(()),
        }
    }

    async fn close(&self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        self.watch.abort();
        let (client, deadline) = (self.shared.client(), self.deadline);
        let flushed = spawn_blocking(move || client.flush(deadline)).await;
        if let Ok(Err(error)) = flushed {
            tracing::warn!(error = %text(&error), "some records were not acknowledged before the end");
        }
    }
}

impl Drop for KafkaWriter {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Shared {
    fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn down(&self) -> MutexGuard<'_, Option<String>> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After each sign of trouble: makes the client anew if it has failed for good, and looks for a broker until
    /// there is one. It is this task that finds out when Kafka is back, not a record that has to wait for it.
    async fn watch(self: Arc<Self>) {
        loop {
            self.replace_failed_client();
            loop {
                let (client, topic) = (self.client(), self.topic.clone());
                let look = spawn_blocking(move || client.client().fetch_metadata(Some(&topic), LOOK_TIMEOUT).map(drop));
                let reason = match look.await {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => text(&error),
                    Err(_) => return,
                };
                if self.down().replace(reason.clone()).is_none() {
                    tracing::warn!(reason, "no Kafka broker can be reached");
                }
                sleep(LOOK_AGAIN).await;
            }
            if self.down().take().is_some() {
                tracing::info!("Kafka can be reached again");
            }
            self.trouble.notified().await;
        }
    }

    fn replace_failed_client(&self) {
        let Some((code, reason)) = self.client().client().fatal_error() else { return };
        tracing::error!(%code, reason, "the Kafka producer has failed for good: making another one");
        metrics::counter!(names::PRODUCER_REBUILT).increment(1);
        match new_client(&self.config, &self.trouble) {
            Ok(client) => {
                let mut place = self.client.write().unwrap_or_else(PoisonError::into_inner);
                let failed = std::mem::replace(&mut *place, Arc::new(client));
                // Letting a client go waits for its threads.
                spawn_blocking(move || drop(failed));
            }
            Err(error) => *self.down() = Some(error.to_string()),
        }
    }
}

fn new_client(config: &ClientConfig, trouble: &Arc<Notify>) -> Result<Client, KafkaLogError> {
    let deliveries = Deliveries { trouble: Arc::clone(trouble) };
    ThreadedProducer::from_config_and_context(config, deliveries).map_err(|error| client::unusable(&error))
}

/// A number as text, without going through the heap for every record.
struct VersionText {
    digits: [u8; 10],
    start: usize,
}

impl VersionText {
    fn new(mut number: u32) -> Self {
        let mut text = Self { digits: [b'0'; 10], start: 10 };
        loop {
            text.start -= 1;
            text.digits[text.start] = b'0' + u8::try_from(number % 10).expect("a digit is below ten");
            number /= 10;
            if number == 0 {
                return text;
            }
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.digits[self.start..]).expect("digits are ASCII")
    }
}
