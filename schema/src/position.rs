use std::fmt;

/// Offsets below this fit into an id.
const OFFSETS: i64 = 1 << 40;

/// Where an event stands on the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition, from 0.
    pub partition: u16,
    /// The offset within the partition, from 0; offsets grow but need not be dense.
    pub offset: i64,
}

/// The number is no id of any position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not the id of a position")]
pub struct NotAPosition(pub i64);

impl Position {
    /// A position from its parts.
    pub fn new(partition: u16, offset: i64) -> Self {
        Self { partition, offset }
    }

    /// The public id of the event at this position: `partition · 2^40 + offset + 1`. Never 0, below 2^53 for every
    /// log with at most [`crate::limits::MAX_PARTITIONS`] partitions, and the same after every rebuild.
    pub fn id(self) -> i64 {
        debug_assert!((0..OFFSETS - 1).contains(&self.offset));
        i64::from(self.partition) * OFFSETS + self.offset + 1
    }

    /// The position whose [`id`](Self::id) this is.
    pub fn from_id(id: i64) -> Result<Self, NotAPosition> {
        let before = id.checked_sub(1).filter(|before| *before >= 0).ok_or(NotAPosition(id))?;
        let partition = u16::try_from(before / OFFSETS).map_err(|_| NotAPosition(id))?;
        Ok(Self { partition, offset: before % OFFSETS })
    }

    /// The ids that events of one partition can have: first and last, both inclusive.
    pub fn ids_of(partition: u16) -> (i64, i64) {
        let first = Self::new(partition, 0).id();
        (first, first + OFFSETS - 2)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.partition, self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_event_of_the_first_partition_has_id_one() {
        assert_eq!(Position::new(0, 0).id(), 1);
        assert_eq!(Position::new(1, 0).id(), (1 << 40) + 1);
    }

    #[test]
    fn numbers_that_are_no_ids_are_refused() {
        for id in [0, -1, i64::MIN, i64::MAX] {
            assert_eq!(Position::from_id(id), Err(NotAPosition(id)));
        }
    }

    proptest! {
        #[test]
        fn an_id_leads_back_to_its_position(partition in 0..crate::limits::MAX_PARTITIONS, offset in 0..OFFSETS - 1) {
            let position = Position::new(partition, offset);
            prop_assert_eq!(Position::from_id(position.id()), Ok(position));
            prop_assert!(position.id() <= 1 << 53, "not safe in JavaScript");
            let (first, last) = Position::ids_of(partition);
            prop_assert!((first..=last).contains(&position.id()));
        }
    }
}
