//! A table in PostgreSQL, group-committed: the embedded default.
//!
//! One appender task on one connection with one transaction in flight, so that a reader who sees an offset has seen
//! all lower ones of its partition. Offsets are counters in the process; an advisory lock keeps a second process out
//! and the primary key (partition, offset) stops one that slips past the lock.

mod appender;
mod batch;
mod error;
mod lookup;
mod owner;
mod partition_reader;
mod queue;
mod reader;
mod readers;
mod retention;
mod settings;
mod tables;
mod writer;

pub use error::PostgresLogError;
pub use settings::PostgresLogSettings;

use crate::{EventLog, EventReader, EventWriter, LogId, ReadError, Sharing};
use async_trait::async_trait;
use owner::Owner;
use queue::Heads;
use reader::PostgresReader;
use sqlx::{ConnectOptions, PgPool, postgres::PgConnectOptions};
use std::sync::Arc;
use writer::PostgresWriter;

/// The PostgreSQL schema that the tables of the log are in.
pub const SCHEMA: &str = schema::migrations::LOG_SCHEMA;

/// Connections that a process takes at most: its readers, the appender, and one while that one connects again.
pub const CONNECTIONS: u32 = readers::CONNECTIONS + 2;

/// The log in PostgreSQL, opened.
pub struct PostgresLog {
    id: LogId,
    partitions: u16,
    pool: PgPool,
    heads: Arc<Heads>,
    writer: Option<Arc<PostgresWriter>>,
}

impl PostgresLog {
    /// Opens the log that is in the schema [`SCHEMA`] of the database, and makes it (12 partitions or as many as the
    /// settings say) when the tables are there but empty. Does not make the tables:
    /// [`schema::migrations::LOG`] has to have run.
    ///
    /// With `settings.writer` the process becomes the log's only appender, or learns who that is. Without it the log
    /// can be read beside a running appender.
    pub async fn open(
        options: PgConnectOptions,
        settings: PostgresLogSettings,
    ) -> Result<PostgresLog, PostgresLogError> {
        let options = options.options([("search_path", SCHEMA)]).disable_statement_logging();
        let pool = readers::pool(options.clone());

        if !settings.writer {
            let tables = tables::identity(&pool, &settings).await?;
            let heads = Arc::new(Heads::unknown(tables.partitions));
            return Ok(Self { id: tables.log_id, partitions: tables.partitions, pool, heads, writer: None });
        }
        let owner = Owner::take(options, &settings).await?;
        let (id, partitions) = (owner.log_id().clone(), owner.partitions());
        let heads = Arc::new(Heads::at(&owner.heads));
        let writer = PostgresWriter::start(owner, Arc::clone(&heads), settings);
        Ok(Self { id, partitions, pool, heads, writer: Some(Arc::new(writer)) })
    }
}

#[async_trait]
impl EventLog for PostgresLog {
    fn log_id(&self) -> &LogId {
        &self.id
    }

    fn partitions(&self) -> u16 {
        self.partitions
    }

    async fn writer(&self) -> Result<Arc<dyn EventWriter>, ReadError> {
        match &self.writer {
            Some(writer) => Ok(Arc::clone(writer) as Arc<dyn EventWriter>),
            None => Err(ReadError::Fatal("this log was opened for reading only".into())),
        }
    }

    async fn reader(&self, _: Sharing) -> Result<Arc<dyn EventReader>, ReadError> {
        Ok(Arc::new(PostgresReader::new(self.id.clone(), self.partitions, self.pool.clone(), Arc::clone(&self.heads))))
    }
}
