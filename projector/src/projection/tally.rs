use schema::EventType;

/// The type under which records count that are no events.
pub const UNKNOWN_TYPE: &str = "unknown";

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is a row of its own.
    Stored,
    /// It took effect on other rows.
    Folded,
    /// It had been processed before.
    Duplicate,
    /// It cannot be projected.
    Dead,
    /// It was a row of its own until its deletion.
    Removed,
}

impl Outcome {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Stored, Self::Folded, Self::Duplicate, Self::Dead, Self::Removed];

    /// The name in the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Folded => "folded",
            Self::Duplicate => "duplicate",
            Self::Dead => "dead",
            Self::Removed => "removed",
        }
    }

    /// The outcome of an event that is neither a duplicate nor dead.
    pub fn of(event_type: EventType) -> Self {
        match event_type {
            EventType::PageViewRecorded | EventType::InteractionRecorded => Self::Stored,
            _ => Self::Folded,
        }
    }
}

const TYPES: usize = EventType::ALL.len() + 1;

/// How many events of each type had each outcome; over the outcomes, their sum is the number of records of the type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally([[i64; Outcome::ALL.len()]; TYPES]);

impl Tally {
    /// Counts an event, or a record that is none.
    pub fn count(&mut self, event_type: Option<EventType>, outcome: Outcome) {
        *self.at(event_type, outcome) += 1;
    }

    /// Rows of this type were deleted.
    pub fn removed(&mut self, event_type: EventType, rows: i64) {
        *self.at(Some(event_type), Outcome::Stored) -= rows;
        *self.at(Some(event_type), Outcome::Removed) += rows;
    }

    fn at(&mut self, event_type: Option<EventType>, outcome: Outcome) -> &mut i64 {
        let row = event_type.map_or(TYPES - 1, |event_type| event_type as usize);
        &mut self.0[row][outcome as usize]
    }

    /// What is not zero: type, outcome, number.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, &'static str, i64)> + '_ {
        let names = EventType::ALL.iter().map(|event_type| event_type.as_str()).chain([UNKNOWN_TYPE]);
        names.zip(&self.0).flat_map(|(name, counts)| {
            let outcomes = Outcome::ALL.iter().zip(counts);
            outcomes.filter(|(_, count)| **count != 0).map(move |(outcome, count)| (name, outcome.as_str(), *count))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deletion_moves_rows_from_stored_to_removed() {
        let mut tally = Tally::default();
        tally.count(Some(EventType::PageViewRecorded), Outcome::Stored);
        tally.count(Some(EventType::PageViewRecorded), Outcome::Stored);
        tally.count(None, Outcome::Dead);
        tally.removed(EventType::PageViewRecorded, 1);
        let entries: Vec<_> = tally.entries().collect();
        assert_eq!(
            entries,
            [("page_view.recorded", "stored", 1), ("page_view.recorded", "removed", 1), ("unknown", "dead", 1)]
        );
    }

    #[test]
    fn the_order_of_the_types_is_that_of_their_list() {
        for (index, event_type) in EventType::ALL.iter().enumerate() {
            assert_eq!(*event_type as usize, index);
        }
    }
}
