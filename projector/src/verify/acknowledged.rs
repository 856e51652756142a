//! The events that a client was told are durable: every single one must be on the log.

use crate::projection::EventKey;
use anyhow::Context;
use schema::SessionId;
use serde::Deserialize;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// A line of the file.
#[derive(Deserialize)]
struct Line {
    event_id: Uuid,
    session_id: String,
}

/// Events to be looked for: 16 bytes each and a bit, whatever their texts are.
#[derive(Debug)]
pub struct Acknowledged {
    file: PathBuf,
    keys: Vec<EventKey>,
    found: Vec<AtomicU64>,
}

impl Acknowledged {
    /// Reads a file with one JSON object a line: `{"event_id": …, "session_id": …, "type": …}`.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let mut keys = Vec::new();
        each_line(file, |key, _| keys.push(key))?;
        keys.sort_unstable();
        keys.dedup();
        keys.shrink_to_fit();
        let found = (0..keys.len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Ok(Self { file: file.to_owned(), keys, found })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// This event is on the log.
    pub fn saw(&self, key: EventKey) {
        if let Ok(index) = self.keys.binary_search(&key) {
            self.found[index / 64].fetch_or(1 << (index % 64), Ordering::Relaxed);
        }
    }

    fn is_missing(&self, key: EventKey) -> bool {
        let index = self.keys.binary_search(&key);
        index.is_ok_and(|index| self.found[index / 64].load(Ordering::Relaxed) & (1 << (index % 64)) == 0)
    }

    /// How many were not seen, and the first few of them as they stand in the file.
    pub fn missing(&self, examples: usize) -> anyhow::Result<(usize, Vec<String>)> {
        let seen: u32 = self.found.iter().map(|bits| bits.load(Ordering::Relaxed).count_ones()).sum();
        let count = self.keys.len() - usize::try_from(seen).unwrap_or_default().min(self.keys.len());
        let mut lines = Vec::new();
        if count > 0 {
            each_line(&self.file, |key, line| {
                if lines.len() < examples && self.is_missing(key) {
                    lines.push(line.to_owned());
                }
            })?;
        }
        Ok((count, lines))
    }
}

fn each_line(file: &Path, mut with: impl FnMut(EventKey, &str)) -> anyhow::Result<()> {
    let opened = File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    for (number, line) in BufReader::new(opened).lines().enumerate() {
        let place = || format!("{}, line {}", file.display(), number + 1);
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let parsed: Line = serde_json::from_str(&line).with_context(place)?;
        let session_id = SessionId::parse(parsed.session_id).with_context(place)?;
        with(EventKey::of(&session_id, parsed.event_id), &line);
    }
    Ok(())
}
