//! What the log alone says must be in the tables: repetitions, deletions, corrections, counts. Sessions are in
//! [`super::fold`].
//!
//! Memory, for one partition: about 40 bytes for each client-given id within the deduplication window, 32 for each row
//! that is gone. Texts are kept of admin's corrections alone.

use crate::projection::{EventKey, Outcome, Tally, session_key, within_window};
use chrono::{DateTime, TimeDelta, Utc};
use schema::{Envelope, Event, EventType, InteractionKind, Position};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Ids are dropped from memory after so many new ones.
const PRUNE_EVERY: usize = 1_000_000;

/// 128 bits of SHA-256 of a session id.
pub type SessionKey = u128;

/// Finds repetitions by the rule that the projector goes by, without its tables.
#[derive(Debug)]
pub struct Repetitions {
    window: Option<TimeDelta>,
    seen: HashMap<EventKey, Vec<DateTime<Utc>>>,
    latest: DateTime<Utc>,
    since_pruned: usize,
    /// The log has lost its beginning, and until then an event may repeat one that was there.
    unsure_until: Option<DateTime<Utc>>,
    beheaded: bool,
}

/// Records of one partition may have been taken so much out of order.
const DISORDER: TimeDelta = TimeDelta::days(1);

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
        let latest = DateTime::UNIX_EPOCH;
        Self { window, seen: HashMap::new(), latest, since_pruned: 0, unsure_until: None, beheaded }
    }

    /// Whether the event repeats an earlier one; remembers it if not.
    pub fn repeats(&mut self, envelope: &Envelope) -> Repeats {
        let at = envelope.recorded_at;
        if let Some(window) = self.window.filter(|_| self.beheaded) {
            self.unsure_until.get_or_insert(at + window + DISORDER);
        }
        let Some(window) = self.window.filter(|_| envelope.event_id_given) else { return Repeats::No };
        let times = self.seen.entry(EventKey::of(&envelope.session_id, envelope.event_id)).or_default();
        if times.iter().any(|time| within_window(window, *time, at)) {
            return Repeats::Yes;
        }
        times.push(at);
        self.latest = self.latest.max(at);
        self.since_pruned += 1;
        if self.since_pruned > PRUNE_EVERY {
            self.since_pruned = 0;
            let oldest = self.latest - window - TimeDelta::days(2);
            self.seen.retain(|_, times| times.iter().any(|time| *time > oldest));
        }
        if self.unsure_until.is_some_and(|until| at <= until) { Repeats::Perhaps } else { Repeats::No }
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
