//! What a pass over a partition has come to.

use super::{
    changes::Changes,
    expected::{CorrectedFact, Expected, Repetitions},
    findings::Findings,
    fold::Fold,
    metadata::Metadata,
    rows::{FactRow, Facts},
};
use schema::{Envelope, Event, EventType, InteractionKind};
use std::collections::{HashMap, HashSet};

/// State of a pass.
pub struct State {
    pub expected: Expected,
    pub changes: Changes,
    pub repetitions: Repetitions,
    pub page_views: Facts,
    pub interactions: Facts,
    pub fold: Fold,
    pub metadata: Metadata,
    /// Interactions whose row has other metadata than their event; a correction may explain it.
    pub other_metadata: HashSet<i64>,
    /// Offsets of dead letters with their reasons; as many as there are.
    pub dead: HashMap<i64, String>,
    /// Those whose record has come.
    pub found_dead: HashSet<i64>,
    /// Events without a row that may repeat what is no longer on the log.
    pub perhaps_repeated: usize,
    /// Facts whose row has something else than the log; a correction may explain it.
    pub otherwise: HashMap<(EventType, i64), CorrectedFact>,
    pub extra: Vec<i64>,
    pub findings: Findings,
}

impl State {
    /// Compares a row with the event that it came from.
    pub fn compare(&mut self, row: &FactRow, envelope: &Envelope) {
        if row.session_id.as_deref() != Some(envelope.session_id.as_str()) {
            self.findings.add("rows of another session than their event's", row.id);
        }
        if row.timestamp != envelope.occurred_at || row.recorded_at != envelope.recorded_at {
            self.findings.add("rows of another time than their event's", row.id);
        }
        let found = found_in(row, envelope.event.event_type());
        let same = match &envelope.event {
            Event::PageViewRecorded(event) => found.url.as_ref() == Some(&event.url),
            Event::InteractionRecorded(event) => {
                found.element.as_ref() == Some(&event.element) && found.kind == Some(event.kind)
            }
            _ => true,
        };
        if let Event::InteractionRecorded(event) = &envelope.event {
            self.metadata.wants(row.id, row.timestamp, event.metadata.get());
        }
        if !same {
            self.otherwise.insert((envelope.event.event_type(), row.id), found);
        }
    }

    /// Corrected facts must hold what their last correction says; what it does not name is not looked at.
    pub fn corrections(&mut self, rows: &[FactRow], event_type: EventType) {
        for row in rows {
            let key = (event_type, row.id);
            let Some(wanted) = self.expected.corrected.get(&key) else { continue };
            let found = found_in(row, event_type);
            self.otherwise.remove(&key);
            if let Some(metadata) = &wanted.metadata {
                self.other_metadata.remove(&row.id);
                self.metadata.wants(row.id, row.timestamp, metadata);
            }
            let same = wanted.url.as_ref().is_none_or(|url| found.url.as_ref() == Some(url))
                && wanted.element.as_ref().is_none_or(|element| found.element.as_ref() == Some(element))
                && wanted.kind.is_none_or(|kind| found.kind == Some(kind));
            if !same {
                self.findings.add("rows that hold something else than their correction", row.id);
            }
        }
    }
}

fn found_in(row: &FactRow, event_type: EventType) -> CorrectedFact {
    if event_type == EventType::PageViewRecorded {
        CorrectedFact { url: row.text.clone(), ..CorrectedFact::default() }
    } else {
        CorrectedFact { kind: InteractionKind::parse(&row.kind), element: row.text.clone(), ..CorrectedFact::default() }
    }
}

/// The ids of those of a type.
pub fn of_type(facts: impl Iterator<Item = (EventType, i64)>, event_type: EventType) -> Vec<i64> {
    facts.filter(|fact| fact.0 == event_type).map(|fact| fact.1).collect()
}
