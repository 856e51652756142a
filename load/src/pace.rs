use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How far behind its schedule a run may fall and still catch up, in nanoseconds: a longer outage is not followed by
/// a flood.
const MAX_BEHIND_NANOS: u64 = 1_000_000_000;

/// When the next event may be sent, over all connections.
pub(crate) struct Pace {
    started: Instant,
    /// None: at once.
    nanos_per_event: Option<u64>,
    /// When the next event is due, in nanoseconds since the start.
    due: AtomicU64,
}

impl Pace {
    /// So many events per second, or as many as there are.
    pub fn new(events_per_second: Option<u32>) -> Self {
        let nanos_per_event = events_per_second.map(|rate| 1_000_000_000 / u64::from(rate.max(1)));
        Self { started: Instant::now(), nanos_per_event, due: AtomicU64::new(0) }
    }

    /// Waits until so many events may be sent.
    pub async fn turn(&self, events: usize) {
        let Some(nanos_per_event) = self.nanos_per_event else { return };
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let due = self.reserve(now, nanos_per_event.saturating_mul(events as u64));
        if due > now {
            tokio::time::sleep_until((self.started + Duration::from_nanos(due)).into()).await;
        }
    }

    /// Takes a piece of the schedule and gives its beginning.
    fn reserve(&self, now: u64, nanos: u64) -> u64 {
        let earliest = now.saturating_sub(MAX_BEHIND_NANOS);
        let next = |due: u64| due.max(earliest).saturating_add(nanos);
        let taken = self.due.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |due| Some(next(due)));
        taken.unwrap_or_else(|due| due).max(earliest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_follow_one_another_at_the_rate() {
        let pace = Pace::new(Some(1_000));
        let dues: Vec<_> = (0..4).map(|_| pace.reserve(0, 1_000_000)).collect();
        assert_eq!(dues, [0, 1_000_000, 2_000_000, 3_000_000]);
    }

    #[test]
    fn a_run_that_fell_behind_catches_up_a_second_and_no_more() {
        let pace = Pace::new(Some(1_000));
        let now = 60 * MAX_BEHIND_NANOS;
        let at_once = std::iter::repeat_with(|| pace.reserve(now, 1_000_000)).take_while(|&due| due <= now).count();
        assert_eq!(at_once, 1_001);
    }
}
