//! What the events of the log fold into, session by session, by the projection's own rules.
//!
//! Memory: about 350 bytes a session, and at most as many sessions at a time as [`Fold::new`] is told. Where a partition
//! has more, the fold keeps those whose keys come first, and the log is read again for the next ones.

use super::{expected::SessionKey, rows::SessionRow};
use crate::projection::{Agent, Session, session_key};
use schema::{Envelope, Event};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Sessions of one partition that are folded at the same time, 70 MB of them.
pub const AT_A_TIME: usize = 200_000;

/// One session of the log.
#[derive(Debug)]
struct Folded {
    session: Session,
    /// An event of it may repeat one that is no longer on the log: then nobody knows what it folds into.
    unsure: bool,
}

/// The sessions whose keys are in a range.
#[derive(Debug)]
pub struct Fold {
    first: SessionKey,
    last: SessionKey,
    most: usize,
    sessions: HashMap<SessionKey, Folded>,
}

/// What a row is, by the log.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// As its events fold.
    Same,
    /// Not one of those that are folded now.
    Elsewhere,
    /// No session of the log, or the row of other events.
    NotOfTheLog,
    /// These fields hold something else.
    Differs(Vec<&'static str>),
}

impl Fold {
    /// Of the sessions with the lowest keys, `most` of them at least, or all.
    pub fn new(most: usize) -> Self {
        Self::of(0, most)
    }

    fn of(first: SessionKey, most: usize) -> Self {
        Self { first, last: SessionKey::MAX, most: most.max(1), sessions: HashMap::new() }
    }

    /// The fold of the sessions that follow; `None` when these were the last ones.
    pub fn following(&self) -> Option<Self> {
        Some(Self::of(self.last.checked_add(1)?, self.most))
    }

    /// Takes note of an event that is neither dead nor known to be a repetition. `unsure`: it may be one.
    pub fn apply(&mut self, id: i64, envelope: &Envelope, unsure: bool) {
        let key = session_key(envelope.session_id.as_str());
        if !(self.first..=self.last).contains(&key) {
            return;
        }
        match &envelope.event {
            Event::SessionDeleted => drop(self.sessions.remove(&key)),
            Event::SessionCorrected(event) => {
                if let Some(folded) = self.sessions.get_mut(&key) {
                    let mut event = event.clone();
                    event.user_id = event.user_id.map(|user_id| user_id.map(|text| short(&text)));
                    let agent = event.user_agent.as_deref().map(agent);
                    folded.session.corrected(&event, agent);
                }
            }
            Event::SessionAnnounced(_)
            | Event::SessionEnded
            | Event::PageViewRecorded(_)
            | Event::InteractionRecorded(_) => self.mention(key, id, envelope, unsure),
            Event::PageViewCorrected(_)
            | Event::PageViewDeleted { .. }
            | Event::InteractionCorrected(_)
            | Event::InteractionDeleted { .. } => {}
        }
    }

    fn mention(&mut self, key: SessionKey, id: i64, envelope: &Envelope, unsure: bool) {
        let at = envelope.occurred_at;
        let folded = self.sessions.entry(key).or_insert_with(|| {
            let told = agent(envelope.source.user_agent.as_deref().unwrap_or_default());
            Folded { session: Session::first_seen(id, told, envelope.source.address, at), unsure: false }
        });
        folded.unsure |= unsure;
        let session = &mut folded.session;
        session.recorded(envelope.recorded_at);
        match &envelope.event {
            Event::SessionAnnounced(event) => {
                let mut event = event.clone();
                event.user_id = event.user_id.map(|text| short(&text));
                session.announced(id, &event, agent(&event.user_agent), at);
            }
            Event::SessionEnded => session.ended(at),
            _ => session.saw(at),
        }
        while self.sessions.len() > self.most && self.first < self.last {
            self.last = self.first + (self.last - self.first) / 2;
            let last = self.last;
            self.sessions.retain(|key, _| *key <= last);
        }
    }

    /// Compares a row with what its events fold into; each row once.
    pub fn compare(&mut self, row: &SessionRow) -> Found {
        let key = session_key(&row.session_id);
        if !(self.first..=self.last).contains(&key) {
            return Found::Elsewhere;
        }
        match self.sessions.remove(&key) {
            Some(Folded { unsure: true, .. }) => Found::Same,
            Some(Folded { session, .. }) if session.id == row.id => differences(&session, row),
            _ => Found::NotOfTheLog,
        }
    }

    /// The ids of the sessions whose rows have not come.
    pub fn without_row(&self) -> impl Iterator<Item = i64> + '_ {
        self.sessions.values().filter(|folded| !folded.unsure).map(|folded| folded.session.id)
    }
}

fn differences(wanted: &Session, row: &SessionRow) -> Found {
    let user_id = row.user_id.as_deref().map(short);
    let fields = [
        ("announced_id", wanted.announced_id == row.announced_id),
        ("user_agent", Some(wanted.agent.id) == row.agent.as_deref().map(first_bits)),
        ("ip_address", wanted.ip_address == row.ip_address),
        ("user_id", wanted.user_id == user_id),
        ("start_time", wanted.start_time == row.start_time),
        ("end_time", wanted.end_time == row.end_time),
        ("last_event_at", wanted.last_event_at == row.last_event_at),
        ("first_recorded_at", wanted.first_recorded_at == row.first_recorded_at),
        ("corrected", wanted.corrected == row.corrected),
    ];
    let differ: Vec<_> = fields.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
    if differ.is_empty() { Found::Same } else { Found::Differs(differ) }
}

/// Stands for the row of a user agent, which has another number in every read model: the hash of its text.
fn agent(text: &str) -> Agent {
    Agent { id: first_bits(&Sha256::digest(text)), client_id: 0 }
}

/// A text of any length in 16 characters, so that a session needs the same memory whatever its texts are.
fn short(text: &str) -> String {
    format!("{:016x}", first_bits(&Sha256::digest(text)))
}

fn first_bits(digest: &[u8]) -> i64 {
    digest.first_chunk().map_or(0, |first| i64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use schema::{SessionId, Source};
    use uuid::Uuid;

    fn ended(session: &str) -> Envelope {
        Envelope {
            event_id: Uuid::nil(),
            event_id_given: false,
            session_id: SessionId::parse(session).unwrap(),
            occurred_at: DateTime::UNIX_EPOCH,
            recorded_at: DateTime::UNIX_EPOCH,
            source: Source::default(),
            event: Event::SessionEnded,
        }
    }

    /// All sessions are folded, each once, and never more of them at a time than allowed.
    #[test]
    fn sessions_beyond_the_bound_are_left_for_the_next_reading() {
        let mut fold = Some(Fold::new(10));
        let mut folded: Vec<i64> = Vec::new();
        let mut readings = 0;
        while let Some(mut now) = fold {
            readings += 1;
            for id in 0..1_000_i64 {
                now.apply(id, &ended(&format!("s{id}")), false);
                assert!(now.sessions.len() <= 10);
            }
            folded.extend(now.without_row());
            fold = now.following();
        }
        folded.sort_unstable();
        assert_eq!(folded, (0..1_000).collect::<Vec<_>>());
        assert!((100..=400).contains(&readings), "{readings} readings");
    }
}
