//! Apache Kafka through rdkafka.
//!
//! Records go to an explicit partition, [`schema::partition_for`], in the order in which they were given. Start offsets
//! of readers come from the caller, never from the group: what is committed to Kafka is a hint for lag tools.

mod client;
mod delivery;
mod error;
mod group;
mod lane;
mod lookup;
mod poll;
mod reader;
mod rebalance;
mod settings;
mod slots;
mod topic;
mod writer;

pub use error::KafkaLogError;
pub use settings::KafkaLogSettings;
pub use topic::create_topic;

use crate::{EventLog, EventReader, EventWriter, LogId, ReadError, Sharing};
use async_trait::async_trait;
use lookup::Lookup;
use reader::KafkaReader;
use std::sync::Arc;
use tokio::sync::OnceCell;
use writer::KafkaWriter;

/// The log in a topic of Apache Kafka, opened.
pub struct KafkaLog {
    id: LogId,
    partitions: u16,
    settings: KafkaLogSettings,
    lookup: Arc<Lookup>,
    writer: OnceCell<Arc<KafkaWriter>>,
}

impl KafkaLog {
    /// Looks at the topic and refuses one that cannot be the log: none, with another number of partitions, one that
    /// forgets records or does not take the largest ones. [`KafkaLogError::Unavailable`] when Kafka is away: then the
    /// caller tries again.
    pub async fn open(settings: KafkaLogSettings) -> Result<KafkaLog, KafkaLogError> {
        let lookup = Arc::new(Lookup::new(&settings)?);
        let found = lookup.topic().await?;
        if let Some(wanted) = settings.partitions
            && wanted != found.partitions
        {
            return Err(KafkaLogError::OtherPartitions {
                topic: settings.topic,
                wanted,
                found: found.partitions.into(),
            });
        }
        topic::check(&settings).await?;
        lookup.keep_drained();
        let id = LogId(format!("kafka:{}/{}", found.cluster, settings.topic));
        Ok(Self { id, partitions: found.partitions, settings, lookup, writer: OnceCell::new() })
    }
}

#[async_trait]
impl EventLog for KafkaLog {
    fn log_id(&self) -> &LogId {
        &self.id
    }

    fn partitions(&self) -> u16 {
        self.partitions
    }

    async fn writer(&self) -> Result<Arc<dyn EventWriter>, ReadError> {
        let start = || async { KafkaWriter::start(&self.settings, self.partitions).map(Arc::new) };
        let writer = self.writer.get_or_try_init(start).await?;
        Ok(Arc::clone(writer) as Arc<dyn EventWriter>)
    }

    async fn reader(&self, sharing: Sharing) -> Result<Arc<dyn EventReader>, ReadError> {
        let lookup = Arc::clone(&self.lookup);
        let reader = KafkaReader::start(self.id.clone(), self.partitions, &self.settings, &sharing, lookup)?;
        Ok(Arc::new(reader))
    }
}
