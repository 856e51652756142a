use crate::{AppendError, EventWriter, NewRecord};
use async_trait::async_trait;
use schema::Position;
use std::sync::{Arc, OnceLock};

/// A writer whose log comes later: until then nothing is taken. For a service that has other things to do meanwhile.
#[derive(Default)]
pub struct LateWriter(OnceLock<Arc<dyn EventWriter>>);

impl LateWriter {
    /// The log is there. Only the first one counts.
    pub fn set(&self, writer: Arc<dyn EventWriter>) {
        drop(self.0.set(writer));
    }

    fn away() -> String {
        "the log has not been reached yet".to_owned()
    }
}

#[async_trait]
impl EventWriter for LateWriter {
    async fn append(&self, records: Vec<NewRecord>) -> Vec<Result<Position, AppendError>> {
        match self.0.get() {
            Some(writer) => writer.append(records).await,
            None => records.iter().map(|_| Err(AppendError::Overloaded(Self::away()))).collect(),
        }
    }

    fn kept_by(&self) -> &'static str {
        self.0.get().map_or("nothing yet", |writer| writer.kept_by())
    }

    fn ready(&self) -> Result<(), String> {
        self.0.get().map_or_else(|| Err(Self::away()), |writer| writer.ready())
    }

    async fn close(&self) {
        if let Some(writer) = self.0.get() {
            writer.close().await;
        }
    }
}
