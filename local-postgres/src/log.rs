//! What PostgreSQL says: kept in `postgres.log`, bounded, and watched for a full disk.
//!
//! It comes through a pipe instead of going into a file directly, because only so it can be bounded, and heard when
//! the disk has no room for it.

use crate::process::DISK_FULL;
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// At this size `postgres.log` becomes `postgres.log.1`, so that the two never take more than twice as much.
const LIMIT: u64 = 8 * 1024 * 1024;

/// How many lines are remembered for an error message; each at most as long as the reader's buffer (8 KiB).
const REMEMBERED: usize = 20;

/// A full disk makes PostgreSQL say so for every statement; once in this time is enough for us.
const DISK_FULL_EVERY: Duration = Duration::from_mins(1);

/// The log and the end of it. Shared by all runs of PostgreSQL in one process.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    limit: u64,
    file: Option<(File, u64)>,
    last: VecDeque<String>,
    disk_full_said: Option<Instant>,
}

impl Log {
    pub(crate) fn new(path: &Path) -> Self {
        Self::with_limit(path, LIMIT)
    }

    fn with_limit(path: &Path, limit: u64) -> Self {
        let (path, file) = (path.to_owned(), None);
        let inner = Inner { path, limit, file, last: VecDeque::with_capacity(REMEMBERED), disk_full_said: None };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// Takes in what `output` says until it ends.
    pub(crate) async fn follow(self, output: impl AsyncRead + Unpin) {
        let mut output = BufReader::new(output);
        loop {
            let (taken, piece) = match output.fill_buf().await {
                Ok([]) => return,
                Ok(buffer) => {
                    // a line, or what fits in the buffer of a longer one
                    let end = buffer.iter().position(|byte| *byte == b'\n').map_or(buffer.len(), |at| at + 1);
                    (end, &buffer[..end])
                }
                Err(error) => {
                    tracing::warn!(%error, "PostgreSQL's messages can no longer be read");
                    return;
                }
            };
            self.inner.lock().unwrap_or_else(PoisonError::into_inner).take(piece);
            output.consume(taken);
        }
    }

    /// The last lines, and forgets them.
    pub(crate) fn take_last(&self) -> String {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.last.drain(..).collect()
    }
}

impl Inner {
    fn take(&mut self, piece: &[u8]) {
        let text = String::from_utf8_lossy(piece);
        if text.contains(DISK_FULL) && self.disk_full_said.is_none_or(|said| said.elapsed() > DISK_FULL_EVERY) {
            self.disk_full_said = Some(Instant::now());
            let data_dir = self.path.parent().unwrap_or(&self.path).display();
            tracing::error!(%data_dir, "the disk is full: PostgreSQL cannot write until there is room");
        }
        if self.last.len() == REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back(text.into_owned());
        if let Err(error) = self.write(piece) {
            // said at most once for each time that the file was opened: it is not tried again before the next line
            if self.file.take().is_some() {
                tracing::warn!(path = %self.path.display(), %error, "PostgreSQL's log cannot be written");
            }
        }
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let (mut file, size) = match self.file.take() {
            Some((file, size)) if size < self.limit => (file, size),
            _ => self.open()?,
        };
        let written = file.write_all(piece);
        self.file = Some((file, size + piece.len() as u64));
        written
    }

    fn open(&self) -> io::Result<(File, u64)> {
        // statements stand in it, and so may what people typed
        let open = || OpenOptions::new().create(true).append(true).mode(0o600).open(&self.path);
        let file = open()?;
        let size = file.metadata()?.len();
        if size < self.limit {
            return Ok((file, size));
        }
        let mut old = self.path.clone().into_os_string();
        old.push(".1");
        fs::rename(&self.path, old)?;
        Ok((open()?, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_log_never_takes_more_than_twice_its_limit_and_ends_with_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        for run in 0..5 {
            let said: String = (0..100).flat_map(|line| [format!("run {run} line {line:03}\n")]).collect();
            Log::with_limit(&path, 500).follow(said.as_bytes()).await;
        }
        let (new, old) =
            (fs::read_to_string(&path).unwrap(), fs::read_to_string(folder.path().join("postgres.log.1")).unwrap());
        assert!(new.ends_with("run 4 line 099\n"), "{new}");
        assert!(new.len() < 520 && old.len() < 520, "{} and {}", new.len(), old.len());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[tokio::test]
    async fn a_full_disk_is_noticed_even_when_the_log_itself_cannot_be_written() {
        let log = Log::new(Path::new("/dev/full"));
        log.clone().follow("LOG: well\n".as_bytes()).await;
        assert!(log.inner.lock().unwrap().disk_full_said.is_none());
        let said = "ERROR:  could not extend file: No space left on device\nLOG: on it goes\n";
        log.clone().follow(said.as_bytes()).await;
        assert!(log.inner.lock().unwrap().disk_full_said.is_some());
        assert!(log.take_last().ends_with("LOG: on it goes\n"));
    }

    #[tokio::test]
    async fn an_endless_line_takes_no_endless_memory() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::with_limit(&folder.path().join("log"), 1 << 20);
        let line = vec![b'x'; 3 << 20];
        log.clone().follow(line.as_slice()).await;
        assert!(log.take_last().len() <= REMEMBERED * 8192);
        assert_eq!(log.take_last(), "");
    }
}
