use crate::traffic::{Event, Kind};
use anyhow::Context;
use serde::Serialize;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{fs::File, io::AsyncWriteExt, sync::mpsc, task::JoinHandle};
use uuid::Uuid;

/// Lines that may wait for the disk, about 4 MB; then the connections wait.
const MAX_WAITING: usize = 65_536;

/// Lines that are written at once.
const LINES_PER_WRITE: usize = 1_024;

/// How long a line may stay in memory.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

/// An event that was answered 202, as a line of the file.
#[derive(Serialize)]
struct Acknowledged {
    event_id: Uuid,
    session_id: Arc<str>,
    r#type: Kind,
}

/// Where acknowledged events are written down; nowhere when no file is named.
#[derive(Clone)]
pub(crate) struct Ledger(Option<mpsc::Sender<Acknowledged>>);

impl Ledger {
    /// Makes the file, or empties it. The task ends when the last ledger is gone and every line is in the file.
    pub async fn open(path: Option<PathBuf>) -> anyhow::Result<(Self, JoinHandle<anyhow::Result<()>>)> {
        let Some(path) = path else { return Ok((Self(None), tokio::spawn(async { Ok(()) }))) };
        let file =
            File::create(&path).await.with_context(|| format!("--acknowledged: cannot make {}", path.display()))?;
        let (lines, waiting) = mpsc::channel(MAX_WAITING);
        let writer = tokio::spawn(async move {
            write(file, waiting).await.with_context(|| format!("--acknowledged: cannot write {}", path.display()))
        });
        Ok((Self(Some(lines)), writer))
    }

    /// Notes an event. False when the file cannot be written any more.
    pub async fn note(&self, event: &Event) -> bool {
        let Some(lines) = &self.0 else { return true };
        let (event_id, session_id, r#type) = (event.event_id, event.session_id.clone(), event.kind);
        lines.send(Acknowledged { event_id, session_id, r#type }).await.is_ok()
    }
}

async fn write(mut file: File, mut waiting: mpsc::Receiver<Acknowledged>) -> anyhow::Result<()> {
    let mut taken = Vec::with_capacity(LINES_PER_WRITE);
    let mut text = Vec::new();
    let mut flush = tokio::time::interval(FLUSH_AFTER);
    loop {
        tokio::select! {
            count = waiting.recv_many(&mut taken, LINES_PER_WRITE) => {
                if count == 0 {
                    break;
                }
                for line in taken.drain(..) {
                    serde_json::to_writer(&mut text, &line)?;
                    text.push(b'\n');
                }
            }
            _ = flush.tick() => {
                file.write_all(&text).await?;
                text.clear();
                file.flush().await?;
            }
        }
        if text.len() >= 64 * 1024 {
            file.write_all(&text).await?;
            text.clear();
        }
    }
    file.write_all(&text).await?;
    file.flush().await?;
    Ok(())
}
