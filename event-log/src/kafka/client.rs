//! How the clients of librdkafka are set up. Whatever the promises rest on is set after the user's own properties.

use super::{KafkaLogError, KafkaLogSettings};
use rdkafka::{
    ClientContext,
    config::{ClientConfig, RDKafkaLogLevel},
    error::KafkaError,
    types::RDKafkaErrorCode as Code,
};
use schema::limits::MAX_RECORD_BYTES;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// What a message may take with everything around it: the largest record, its headers and its batch's.
pub(super) const MAX_MESSAGE_BYTES: usize = MAX_RECORD_BYTES + 64 * 1024;

/// How long a question to the brokers may take.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// librdkafka looks for messages that have timed out once a second.
const TIMEOUT_SCAN: Duration = Duration::from_millis(1_100);

/// Bytes of fetched and not yet polled messages of a reader: this much, and what one more fetch brings.
const PREFETCH_BYTES: usize = 8 * 1024 * 1024;

/// Logs what a client says, and remembers why it is not let in.
#[derive(Default)]
pub(super) struct Logging {
    refusal: Mutex<Option<String>>,
}

impl Logging {
    /// Why a broker is not trusted, or does not trust us, if that has happened: calls themselves only time out.
    pub(super) fn refusal(&self) -> Option<String> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Logging {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "kafka client");
        if matches!(error.rdkafka_error_code(), Some(Code::SSL | Code::Authentication)) {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.replace('\n', " "));
        }
    }
}

pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical | RDKafkaLogLevel::Error => {
            tracing::warn!(facility, "kafka client: {message}");
        }
        RDKafkaLogLevel::Warning => tracing::info!(facility, "kafka client: {message}"),
        _ => tracing::debug!(facility, "kafka client: {message}"),
    }
}

/// What all clients have in common.
pub(super) fn common(settings: &KafkaLogSettings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("client.id", "footfall")
        .set("socket.nagle.disable", "true")
        // The default waits up to ten seconds before it tries again: too long after a short outage.
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "1000");
    for (name, value) in &settings.properties {
        config.set(name, value);
    }
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("allow.auto.create.topics", "false")
        .set("message.max.bytes", MAX_MESSAGE_BYTES.to_string());
    config
}

pub(super) fn producer(settings: &KafkaLogSettings) -> ClientConfig {
    let mut config = common(settings);
    // Messages end before the callers' deadline, so that after a 503 only what was in flight can still arrive.
    let message_timeout = settings.append_deadline.saturating_sub(TIMEOUT_SCAN).max(settings.append_deadline / 2);
    config
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "lz4")
        .set("linger.ms", settings.linger_ms.to_string())
        .set("message.timeout.ms", message_timeout.as_millis().to_string())
        .set("queue.buffering.max.messages", settings.queue_records.to_string())
        .set("queue.buffering.max.kbytes", (settings.queue_bytes / 1024).max(1).to_string());
    config
}

pub(super) fn consumer(settings: &KafkaLogSettings, group: &str) -> ClientConfig {
    let mut config = common(settings);
    let session = settings.session_timeout.as_millis();
    config
        .set("group.id", group)
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", session.to_string())
        .set("heartbeat.interval.ms", (session / 10).max(1).to_string())
        .set("max.poll.interval.ms", session.max(300_000).to_string())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("queued.min.messages", "20000")
        .set("queued.max.messages.kbytes", (PREFETCH_BYTES / 1024).to_string())
        .set("fetch.max.bytes", PREFETCH_BYTES.to_string())
        // A fetcher that found the queue full looks again after this; the default of a second starves readers.
        .set("fetch.queue.backoff.ms", "5");
    config
}

/// A client that asks questions and reads single records.
pub(super) fn lookup(settings: &KafkaLogSettings) -> ClientConfig {
    let mut config = consumer(settings, "footfall-lookup");
    config.set("enable.partition.eof", "true");
    config
}

/// The error of making a client: wrong properties, as nothing is asked of a broker yet.
pub(super) fn unusable(error: &KafkaError) -> KafkaLogError {
    // the value may be a password, so only the name is told: librdkafka's own words repeat the value
    let told = match error {
        KafkaError::ClientConfig(_, _, name, _) => format!("{name} is no property with such a value"),
        other => super::error::text(other),
    };
    KafkaLogError::Settings(format!("{told}; look at --kafka-properties (FOOTFALL_KAFKA_PROPERTIES)"))
}
