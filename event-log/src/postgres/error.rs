use super::SCHEMA;
use crate::ReadError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use std::{io, time::Duration};

/// Why the log in PostgreSQL could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum PostgresLogError {
    /// PostgreSQL does not answer; trying again later may help.
    #[error("PostgreSQL does not answer: {0}")]
    Unavailable(String),
    /// The tables are missing.
    #[error("the tables of the log are missing: run `footfall migrate` (schema {SCHEMA})")]
    NoTables,
    /// The tables are empty, and a reader does not make a log.
    #[error("there is no log in this database yet: start `footfall up` once")]
    NoLog,
    /// The log was made with another number of partitions.
    #[error("the log has {found} partitions, the settings say {wanted}: a log is never repartitioned, set {found}")]
    OtherPartitions {
        /// What the settings say.
        wanted: u16,
        /// What the log has.
        found: i32,
    },
    /// The number of partitions is out of range.
    #[error("{0} partitions are not possible: choose 1 to {max}", max = schema::limits::MAX_PARTITIONS)]
    PartitionsOutOfRange(u16),
    /// Another process appends to this log.
    #[error("another process writes to this log: {0}; stop it first")]
    Held(String),
    /// PostgreSQL refused.
    #[error("PostgreSQL refused to open the log: {0}")]
    Refused(String),
}

impl From<sqlx::Error> for PostgresLogError {
    fn from(error: sqlx::Error) -> Self {
        match code(&error) {
            Some("42P01" | "3F000") => Self::NoTables,
            Some(code) if is_refusal(code) => Self::Refused(text(&error)),
            Some(_) | None => Self::Unavailable(text(&error)),
        }
    }
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        match code(&error) {
            Some(code) if is_refusal(code) => Self::Fatal(text(&error)),
            Some(_) | None => Self::Unavailable(text(&error)),
        }
    }
}

/// The SQLSTATE, when it was the server that answered.
pub(super) fn code(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}

/// Whether the server has undone the statement and goes on with the connection: then surely nothing was stored.
pub(super) fn is_undone(error: &sqlx::Error) -> bool {
    let answer = error.as_database_error().and_then(|answer| answer.try_downcast_ref::<PgDatabaseError>());
    answer.is_some_and(|answer| matches!(answer.severity(), PgSeverity::Error))
}

/// The error of a connection that says nothing.
pub(super) fn no_answer(within: Duration) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", within.as_secs())))
}

/// The error on one line, without the "error returned from database" in front.
pub(super) fn text(error: &sqlx::Error) -> String {
    let text = error.as_database_error().map_or_else(|| error.to_string(), |answer| answer.message().to_owned());
    text.replace('\n', " ")
}

/// Classes of SQLSTATE that another try does not change: wrong password, no such database, no right, no such table.
fn is_refusal(code: &str) -> bool {
    matches!(code.get(..2), Some("28" | "3D" | "42" | "22" | "23" | "3F"))
}
