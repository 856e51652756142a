use super::Part;
use crate::projection::{Batch, Decoded, SKIPPED};

/// How many of the last records were dead letters, over the ends of batches, and how many may be. Those that an
/// operator has passed over do not count, as they would stop what they are to get going.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeadInARow {
    so_far: usize,
    limit: usize,
}

impl DeadInARow {
    pub(super) fn without_limit() -> Self {
        Self::up_to(usize::MAX)
    }

    pub(super) fn up_to(limit: usize) -> Self {
        Self { so_far: 0, limit }
    }

    pub(super) fn so_far(self) -> usize {
        self.so_far
    }

    /// Where a batch must end at the latest: behind the dead letter that is one too many, if PostgreSQL takes all its
    /// events.
    pub(super) fn end(mut self, batch: &Batch) -> usize {
        let mut decoded = batch.decoded.iter();
        decoded.position(|one| self.add(one, false)).map_or(batch.len(), |index| index + 1)
    }

    /// Counts a part that is committed; `true` when the limit is reached.
    pub(super) fn count(&mut self, part: &Part<'_>) -> bool {
        let refused = part.refused.is_some();
        part.decoded().iter().any(|one| self.add(one, refused))
    }

    fn add(&mut self, one: &Decoded, refused: bool) -> bool {
        match one {
            Decoded::Dead { reason, .. } if *reason == SKIPPED => {}
            Decoded::Event(_) if !refused => self.so_far = 0,
            Decoded::Event(_) | Decoded::Dead { .. } => self.so_far += 1,
        }
        self.so_far >= self.limit
    }
}
