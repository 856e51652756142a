//! Records that no log takes, alike on both engines: they are answered without being sent.

use crate::{AppendError, NewRecord};
use schema::{Position, limits::MAX_RECORD_BYTES};

/// Bytes that the headers take: names, values and their lengths, rounded up.
const HEADER_BYTES: usize = 64;

/// Which of some records are too large.
pub(crate) struct Oversized(Vec<usize>);

impl Oversized {
    /// Takes the records out that are too large. Costs one pass when there are none.
    pub fn remove_from(records: &mut Vec<NewRecord>) -> Self {
        let is_oversized = |record: &NewRecord| record.key.len() + record.value.len() + HEADER_BYTES > MAX_RECORD_BYTES;
        if !records.iter().any(is_oversized) {
            return Self(Vec::new());
        }
        let at = records.iter().enumerate().filter(|(_, record)| is_oversized(record)).map(|(at, _)| at).collect();
        records.retain(|record| !is_oversized(record));
        Self(at)
    }

    /// Puts their outcomes back in between those of the others.
    pub fn insert_into(self, outcomes: &mut Vec<Result<Position, AppendError>>) {
        for at in self.0 {
            outcomes.insert(at, Err(AppendError::TooLarge));
        }
    }
}
