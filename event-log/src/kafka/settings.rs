use std::time::Duration;

/// How the log in Apache Kafka is opened.
#[derive(Clone, Debug)]
pub struct KafkaLogSettings {
    /// `host:port` of some brokers, separated by commas.
    pub brokers: String,
    /// The topic.
    pub topic: String,
    /// The number of partitions that the topic is to have; `None` takes what is there.
    pub partitions: Option<u16>,
    /// More properties for librdkafka, such as those of TLS and SASL. They cannot change what the promises rest on.
    pub properties: Vec<(String, String)>,
    /// How long an append waits for its answer. At least two seconds make sense: librdkafka gives messages up to the
    /// second.
    pub append_deadline: Duration,
    /// Records that may wait in the producer. One more is `Overloaded` at once.
    pub queue_records: usize,
    /// Bytes that may wait in the producer.
    pub queue_bytes: usize,
    /// Milliseconds to wait for more records before sending. 0 is best up to some hundred callers: records gather
    /// while a request is under way.
    pub linger_ms: u32,
    /// After this long without a sign of life, a reader's partitions go to the others of its group. A reader that
    /// has to give partitions up gets half of it.
    pub session_timeout: Duration,
}

impl KafkaLogSettings {
    /// The defaults for a topic.
    pub fn new(brokers: impl Into<String>, topic: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            topic: topic.into(),
            partitions: None,
            properties: Vec::new(),
            append_deadline: Duration::from_secs(5),
            queue_records: 100_000,
            queue_bytes: 128 * 1024 * 1024,
            linger_ms: 0,
            session_timeout: Duration::from_secs(30),
        }
    }
}
