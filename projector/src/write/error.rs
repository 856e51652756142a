//! What PostgreSQL's answers mean for a batch.

/// Why a batch was not committed.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Something in the batch is more than PostgreSQL takes (classes 22 and 54): bisect.
    #[error("PostgreSQL refuses the data: {0}")]
    Data(#[source] sqlx::Error),
    /// PostgreSQL is away or cannot do it now: try again.
    #[error("PostgreSQL is not available: {0}")]
    Outage(#[source] sqlx::Error),
    /// PostgreSQL has not finished a step in this time, and whether it ever does nobody knows: try again.
    #[error("PostgreSQL has not finished a step of the batch within {0:?}")]
    Slow(std::time::Duration),
    /// The batch is of so many months and days that one transaction would lock too many tables: halve it.
    #[error("the batch is of {0} months and days")]
    Wide(usize),
    /// The checkpoint is not where it was left.
    #[error("the checkpoint was moved by somebody else")]
    Fenced,
    /// This program and the tables do not fit together: trying again would not help.
    #[error("the read model cannot be written: {0}")]
    Stop(#[source] sqlx::Error),
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        let data = matches!(class(&error).as_deref(), Some("22" | "54")) || matches!(error, sqlx::Error::Encode(_));
        if data {
            Self::Data(error)
        } else if is_outage(&error) {
            Self::Outage(error)
        } else {
            Self::Stop(error)
        }
    }
}

/// Whether an error goes away when PostgreSQL comes back.
pub fn is_outage(error: &sqlx::Error) -> bool {
    match class(error).as_deref() {
        // 25: a standby, read-only; 28 and 3D: a server that is being set up again; 55, 58, F0, XX: its own trouble
        Some(class) => matches!(class, "08" | "25" | "28" | "3D" | "40" | "53" | "55" | "57" | "58" | "F0" | "XX"),
        None => matches!(
            error,
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        ),
    }
}

fn class(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code()?.get(..2).map(ToOwned::to_owned)
}
