use crate::{AppendError, EventWriter, NewRecord};
use async_trait::async_trait;
use schema::Position;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A writer whose log comes later: until then nothing is taken. For a service that has other things to do meanwhile.
#[derive(Default)]
pub struct LateWriter {
    writer: OnceLock<Arc<dyn EventWriter>>,
    why: Mutex<Option<String>>,
}

impl LateWriter {
    /// The log is there. Only the first one counts.
    pub fn set(&self, writer: Arc<dyn EventWriter>) {
        drop(self.writer.set(writer));
    }

    /// Why the log is not there yet, for those who ask.
    pub fn not_yet(&self, reason: impl Into<String>) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.into());
    }

    fn away(&self) -> String {
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        why.clone().unwrap_or_else(|| "the log has not been reached yet".to_owned())
    }
}

#[async_trait]
impl EventWriter for LateWriter {
    async fn append(&self, records: Vec<NewRecord>) -> Vec<Result<Position, AppendError>> {
        match self.writer.get() {
            Some(writer) => writer.append(records).await,
            None => records.iter().map(|_| Err(AppendError::Overloaded(self.away()))).collect(),
        }
    }

    fn kept_by(&self) -> &'static str {
        self.writer.get().map_or("nothing yet", |writer| writer.kept_by())
    }

    fn ready(&self) -> Result<(), String> {
        self.writer.get().map_or_else(|| Err(self.away()), |writer| writer.ready())
    }

    async fn close(&self) {
        if let Some(writer) = self.writer.get() {
            writer.close().await;
        }
    }
}
