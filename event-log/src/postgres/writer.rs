use super::{
    PostgresLogSettings,
    appender::{Appender, Status},
    owner::Owner,
    queue::{Heads, Outcomes, Queue},
};
use crate::{AppendError, EventWriter, NewRecord, metrics::count, oversized::Oversized};
use async_trait::async_trait;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

/// Gives appends to the appender task and waits for its answers.
pub(super) struct PostgresWriter {
    queue: Arc<Queue>,
    status: Arc<Status>,
    deadline: Duration,
    appender: Mutex<Option<JoinHandle<()>>>,
}

impl PostgresWriter {
    /// Starts the appender.
    pub fn start(owner: Owner, heads: Arc<Heads>, settings: PostgresLogSettings) -> Self {
        let queue = Arc::new(Queue::new(settings.queue_records, settings.queue_bytes));
        let status = Arc::<Status>::default();
        let deadline = settings.append_deadline;
        let appender = Appender { owner, queue: Arc::clone(&queue), heads, status: Arc::clone(&status), settings };
        let appender = Mutex::new(Some(tokio::spawn(appender.run())));
        Self { queue, status, deadline, appender }
    }

    async fn outcomes(&self, records: Vec<NewRecord>) -> Outcomes {
        let count = records.len();
        let failed = |error: AppendError| vec![Err(error); count];
        // While there is no connection it would only wait for its deadline, in vain.
        if let Some(reason) = self.status.away() {
            return failed(AppendError::Overloaded(reason));
        }
        let deadline = Instant::now() + self.deadline;
        let (id, answer) = match self.queue.push(records) {
            Ok(waiting) => waiting,
            Err(error) => return failed(error),
        };
        match timeout_at(deadline, answer).await {
            Ok(Ok(outcomes)) => outcomes,
            Ok(Err(_)) => failed(AppendError::Unknown("the log was closed".into())),
            Err(_) if self.queue.withdraw(id) => {
                failed(AppendError::Overloaded("the record has waited for too long".into()))
            }
            Err(_) => failed(AppendError::Unknown("PostgreSQL has not answered".into())),
        }
    }
}

#[async_trait]
impl EventWriter for PostgresWriter {
    async fn append(&self, mut records: Vec<NewRecord>) -> Outcomes {
        let oversized = Oversized::remove_from(&mut records);
        let mut outcomes = if records.is_empty() { Vec::new() } else { self.outcomes(records).await };
        oversized.insert_into(&mut outcomes);
        count("postgres", &outcomes);
        outcomes
    }

    fn kept_by(&self) -> &'static str {
        "postgresql"
    }

    fn ready(&self) -> Result<(), String> {
        match self.status.reason().or_else(|| self.queue.closed().map(|reason| reason.to_string())) {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }

    async fn close(&self) {
        self.queue.close(AppendError::Overloaded("the log is closed".into()));
        let appender = self.appender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut appender) = appender else { return };
        // What waits has its own deadline; when PostgreSQL is away there is nothing to wait for after that.
        if timeout(self.deadline, &mut appender).await.is_err() {
            appender.abort();
        }
    }
}

impl Drop for PostgresWriter {
    fn drop(&mut self) {
        self.queue.close(AppendError::Overloaded("the log is closed".into()));
    }
}
