//! What the log alone says must be in the tables: repetitions, sessions, deletions, corrections, counts.
//!
//! Memory, for one partition: 40 bytes for each session, about 40 for each client-given id within the
//! deduplication window, 32 for each row that is gone. Texts are kept of admin's corrections alone.

use crate::projection::{EventKey, Outcome, Tally, session_key, within_window};
use chrono::{DateTime, TimeDelta, Utc};
use schema::{Envelope, Event, EventType, InteractionKind, Position, SessionId};
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
}

impl Repetitions {
    /// `window` as in [`crate::model::ReadModel::window`].
    pub fn new(window: Option<TimeDelta>) -> Self {
        Self { window, seen: HashMap::new(), latest: DateTime::UNIX_EPOCH, since_pruned: 0 }
    }

    /// Whether the event repeats an earlier one; remembers it if not.
    pub fn repeats(&mut self, envelope: &Envelope) -> bool {
        let Some(window) = self.window.filter(|_| envelope.event_id_given) else { return false };
        let at = envelope.recorded_at;
        let times = self.seen.entry(EventKey::of(&envelope.session_id, envelope.event_id)).or_default();
        if times.iter().any(|time| within_window(window, *time, at)) {
            return true;
        }
        times.push(at);
        self.latest = self.latest.max(at);
        self.since_pruned += 1;
        if self.since_pruned > PRUNE_EVERY {
            self.since_pruned = 0;
            let oldest = self.latest - window - TimeDelta::days(2);
            self.seen.retain(|_, times| times.iter().any(|time| *time > oldest));
        }
        false
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
}

/// What one partition of the log says.
#[derive(Debug, Default)]
pub struct Expected {
    /// The sessions that there must be: id by key.
    pub sessions: HashMap<SessionKey, i64>,
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
            Event::SessionAnnounced(_) | Event::SessionEnded => {
                self.sessions.entry(session).or_insert(id);
            }
            Event::PageViewRecorded(_) | Event::InteractionRecorded(_) => {
                self.sessions.entry(session).or_insert(id);
                if !has_row {
                    self.missing.entry(session).or_default().insert(id, event_type);
                }
            }
            Event::SessionDeleted => {
                self.sessions.remove(&session);
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

    /// Whether the row of this session is the one that the log asks for.
    pub fn takes_session(&mut self, session_id: &SessionId, id: i64) -> Result<(), Option<i64>> {
        match self.sessions.remove(&session_key(session_id.as_str())) {
            Some(expected) if expected == id => Ok(()),
            other => Err(other),
        }
    }
}
