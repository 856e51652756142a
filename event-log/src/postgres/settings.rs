use std::time::Duration;

/// How the log in PostgreSQL is opened.
#[derive(Clone, Debug)]
pub struct PostgresLogSettings {
    /// Partitions of a log that is made now. A log that exists with another number is not opened.
    pub partitions: u16,
    /// Whether this process appends. Only one process can; any number may read beside it.
    pub writer: bool,
    /// Records that may wait to be written, of all callers together. One more is `Overloaded` at once.
    pub queue_records: usize,
    /// Bytes of keys and values that may wait, of all callers together.
    pub queue_bytes: usize,
    /// Records of one transaction at most.
    pub batch_records: usize,
    /// Bytes of keys and values of one transaction at most, but always one record.
    pub batch_bytes: usize,
    /// How long an append waits for its answer.
    pub append_deadline: Duration,
    /// How long to wait for another appender to let the log go: the server may not have noticed yet that it is gone.
    pub lock_wait: Duration,
    /// After how long the server ends a statement of the appender, so that one that hangs does not hold the lock for
    /// ever. A connection that has not answered a fifth longer is taken for lost.
    pub statement_timeout: Duration,
}

impl PostgresLogSettings {
    /// How long the server may take for an answer before the connection is taken for lost: the statement has been
    /// ended there by then, and the server would have said so.
    pub(super) fn answer_within(&self) -> Duration {
        self.statement_timeout * 6 / 5
    }
}

impl Default for PostgresLogSettings {
    fn default() -> Self {
        Self {
            partitions: schema::limits::DEFAULT_PARTITIONS,
            writer: true,
            queue_records: 50_000,
            queue_bytes: 64 * 1024 * 1024,
            batch_records: 2_000,
            batch_bytes: 4 * 1024 * 1024,
            append_deadline: Duration::from_secs(5),
            lock_wait: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(25),
        }
    }
}
