//! What the log alone says must be in the tables: repetitions, deletions, corrections, counts. Sessions are in
//! [`super::fold`].
//!
//! Memory, for one partition: what [`Repetitions`] needs, and 32 bytes for each row that is gone. Texts are kept of
//! admin's corrections alone.

use crate::projection::{EventKey, Outcome, Tally, session_key, within_window};
use chrono::{DateTime, TimeDelta, Utc};
use schema::{Envelope, Event, EventType, InteractionKind, Position};
use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

/// So many new ids at least, and a quarter of those that are kept, come before ids are dropped from memory again.
const PRUNE_EVERY: usize = 250_000;

/// 128 bits of SHA-256 of a session id.
pub type SessionKey = u128;

/// Finds repetitions by the rule that the projector goes by, without its tables.
///
/// Keeps the client-given ids of the deduplication window and two days, and up to half as many more until it forgets
/// again: 30 to 60 bytes each, and half as much again for a moment while the table grows.
#[derive(Debug)]
pub struct Repetitions {
    window: Option<TimeDelta>,
    /// When an id was last stored, in microseconds.
    seen: HashMap<[u64; 2], i64>,
    /// The other times of those few that were stored more than once, further apart than the window.
    also: HashMap<[u64; 2], Vec<i64>>,
    /// The earliest time since ids were dropped from memory.
    earliest: DateTime<Utc>,
    since_pruned: usize,
    prune_every: usize,
    /// The log has lost its beginning, and until then an event may repeat one that was there.
    unsure_until: Option<DateTime<Utc>>,
    beheaded: bool,
}

/// Records of one partition may have been taken so much out of order.
const DISORDER: TimeDelta = TimeDelta::days(1);

/// A key without the alignment of its number, which would cost 8 bytes for each id.
fn packed(key: EventKey) -> [u64; 2] {
    let bytes = key.0.to_ne_bytes();
    [0, 8].map(|from| u64::from_ne_bytes(std::array::from_fn(|index| bytes[from + index])))
}

/// What is known of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// It repeats an earlier one.
    Yes,
    /// It does not.
    No,
    /// It may repeat one that is no longer on the log.
    Perhaps,
}

impl Repetitions {
    /// `window` as in [`crate::model::ReadModel::window`]. `beheaded`: the log has lost its beginning.
    pub fn new(window: Option<TimeDelta>, beheaded: bool) -> Self {
        Self {
            window,
            seen: HashMap::new(),
            also: HashMap::new(),
            earliest: DateTime::<Utc>::MAX_UTC,
            since_pruned: 0,
            prune_every: PRUNE_EVERY,
            unsure_until: None,
            beheaded,
        }
    }

    /// Whether the event repeats an earlier one; remembers it if not.
    pub fn repeats(&mut self, envelope: &Envelope) -> Repeats {
        let at = envelope.recorded_at;
        if let Some(window) = self.window.filter(|_| self.beheaded) {
            self.unsure_until.get_or_insert(at + window + DISORDER);
        }
        let Some(window) = self.window.filter(|_| envelope.event_id_given) else { return Repeats::No };
        let key = packed(EventKey::of(&envelope.session_id, envelope.event_id));
        let micros = at.timestamp_micros();
        let repeats =
            |time: &i64| DateTime::from_timestamp_micros(*time).is_some_and(|time| within_window(window, time, at));
        match self.seen.entry(key) {
            Entry::Occupied(last) if repeats(last.get()) => return Repeats::Yes,
            Entry::Occupied(mut last) => {
                let others = self.also.entry(key).or_default();
                if others.iter().any(repeats) {
                    return Repeats::Yes;
                }
                others.push(last.insert(micros));
            }
            Entry::Vacant(new) => {
                new.insert(micros);
            }
        }
        self.earliest = self.earliest.min(at);
        self.since_pruned += 1;
        if self.since_pruned >= self.prune_every.max(self.seen.len() / 4) {
            self.prune(window);
        }
        if self.unsure_until.is_some_and(|until| at <= until) { Repeats::Perhaps } else { Repeats::No }
    }

    /// Forgets what is out of the window for the earliest of the latest records, and for all that will come. One clock
    /// that is ahead of the others forgets nothing.
    fn prune(&mut self, window: TimeDelta) {
        let oldest = (self.earliest - window - DISORDER * 2).timestamp_micros();
        let also = &mut self.also;
        also.retain(|_, times| {
            times.retain(|time| *time > oldest);
            !times.is_empty()
        });
        self.seen.retain(|key, time| *time > oldest || also.contains_key(key));
        self.earliest = DateTime::<Utc>::MAX_UTC;
        self.since_pruned = 0;
    }
}

/// A fact as a correction leaves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorrectedFact {
    /// A page view's URL.
    pub url: Option<String>,
    /// An interaction's kind.
    pub kind: Option<InteractionKind>,
    /// An interaction's element.
    pub element: Option<String>,
    /// An interaction's metadata, as text; what a row has is compared by PostgreSQL.
    pub metadata: Option<String>,
}

/// What one partition of the log says.
#[derive(Debug, Default)]
pub struct Expected {
    /// Facts without a row that nothing has explained yet: their type by id, by session.
    missing: HashMap<SessionKey, BTreeMap<i64, EventType>>,
    /// Facts that were deleted one by one: ids with their type.
    pub deleted: HashSet<(EventType, i64)>,
    /// Facts that were corrected.
    pub corrected: HashMap<(EventType, i64), CorrectedFact>,
    /// What became of the events.
    pub tally: Tally,
}

impl Expected {
    /// Takes note of an event that is neither dead nor a repetition. For a fact, `has_row` says whether its row is
    /// there.
    pub fn apply(&mut self, id: i64, envelope: &Envelope, has_row: bool) {
        let event_type = envelope.event.event_type();
        let session = session_key(envelope.session_id.as_str());
        self.tally.count(Some(event_type), Outcome::of(event_type));
        // corrections and deletions reach back, and never into another partition
        let first = Position::from_id(id).map_or(id, |position| Position::ids_of(position.partition).0);
        let reaches = |other: i64| (first..id).contains(&other);
        match &envelope.event {
            Event::PageViewRecorded(_) | Event::InteractionRecorded(_) if !has_row => {
                self.missing.entry(session).or_default().insert(id, event_type);
            }
            Event::SessionDeleted => {
                for event_type in self.missing.remove(&session).unwrap_or_default().into_values() {
                    self.tally.removed(event_type, 1);
                }
            }
            Event::PageViewDeleted { id: deleted } if reaches(*deleted) => {
                self.deleted.insert((EventType::PageViewRecorded, *deleted));
            }
            Event::InteractionDeleted { id: deleted } if reaches(*deleted) => {
                self.deleted.insert((EventType::InteractionRecorded, *deleted));
            }
            Event::PageViewCorrected(event) if reaches(event.id) => {
                let corrected = self.corrected.entry((EventType::PageViewRecorded, event.id)).or_default();
                corrected.url = Some(event.url.clone());
            }
            Event::InteractionCorrected(event) if reaches(event.id) => {
                let corrected = self.corrected.entry((EventType::InteractionRecorded, event.id)).or_default();
                corrected.kind = event.kind.or(corrected.kind);
                corrected.element = event.element.clone().or_else(|| corrected.element.take());
                if let Some(metadata) = &event.metadata {
                    corrected.metadata = Some(metadata.get().to_owned());
                }
            }
            _ => {}
        }
    }

    /// At the end: the facts without a row that nothing explains. Those that were deleted one by one are counted as
    /// removed.
    pub fn unexplained(&mut self) -> Vec<i64> {
        let mut unexplained = Vec::new();
        for (id, event_type) in std::mem::take(&mut self.missing).into_values().flatten() {
            if self.deleted.contains(&(event_type, id)) {
                self.tally.removed(event_type, 1);
            } else {
                unexplained.push(id);
            }
        }
        unexplained.sort_unstable();
        unexplained
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::{SessionId, Source};
    use uuid::Uuid;

    const WINDOW: TimeDelta = TimeDelta::days(7);

    fn event(id: u128, days: i64) -> Envelope {
        Envelope {
            event_id: Uuid::from_u128(id),
            event_id_given: true,
            session_id: SessionId::parse("s").unwrap(),
            occurred_at: DateTime::UNIX_EPOCH,
            recorded_at: DateTime::UNIX_EPOCH + TimeDelta::days(days),
            source: Source::default(),
            event: Event::SessionEnded,
        }
    }

    fn repetitions() -> Repetitions {
        Repetitions { prune_every: 10, ..Repetitions::new(Some(WINDOW), false) }
    }

    #[test]
    fn an_id_is_one_event_within_the_window_of_any_of_its_times() {
        let mut repetitions = repetitions();
        for (days, repeats) in [
            (20, Repeats::No),
            (27, Repeats::Yes),
            (28, Repeats::No),
            (35, Repeats::Yes),
            (36, Repeats::No),
            // recorded before what is known already
            (13, Repeats::Yes),
            (12, Repeats::No),
            (5, Repeats::Yes),
            (20, Repeats::Yes),
            (28, Repeats::Yes),
        ] {
            assert_eq!(repetitions.repeats(&event(1, days)), repeats, "{days}");
        }
    }

    #[test]
    fn what_is_in_memory_is_the_windows_and_not_the_logs() {
        let mut repetitions = repetitions();
        for day in 0..1_000 {
            for id in 0..10 {
                let envelope = event(u128::try_from(day).unwrap() * 10 + id, day);
                assert_eq!(repetitions.repeats(&envelope), Repeats::No);
            }
            // one that comes again and again, whenever it may
            repetitions.repeats(&event(u128::MAX, day));
            assert!(repetitions.seen.len() <= 200 && repetitions.also.len() <= 1, "{}", repetitions.seen.len());
        }
        assert_eq!(size_of::<([u64; 2], i64)>(), 24);
    }

    #[test]
    fn a_clock_that_is_ahead_makes_nobody_forget() {
        let mut repetitions = repetitions();
        assert_eq!(repetitions.repeats(&event(0, 0)), Repeats::No);
        for id in 1..100 {
            let days = if id % 2 == 0 { 0 } else { 400 };
            assert_eq!(repetitions.repeats(&event(id, days)), Repeats::No);
        }
        assert_eq!(repetitions.repeats(&event(0, 1)), Repeats::Yes);
    }
}
