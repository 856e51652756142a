use super::{Difference, changes::Move, tables::EXAMPLES};
use std::{borrow::Cow, collections::BTreeMap, fmt::Display};

/// What a pass over one partition found. Keeps a number and a few examples of each kind, however many there are.
#[derive(Debug)]
pub struct Findings {
    partition: u16,
    kinds: BTreeMap<Cow<'static, str>, (i64, Vec<String>)>,
    /// Remarks on what was not compared.
    pub notes: Vec<String>,
    /// What the log says: type, outcome, events.
    pub tally: Vec<(String, String, i64)>,
    /// Events that were moved to this partition's sessions.
    pub moves: Vec<Move>,
}

impl Findings {
    /// Nothing yet.
    pub fn new(partition: u16) -> Self {
        Self { partition, kinds: BTreeMap::new(), notes: Vec::new(), tally: Vec::new(), moves: Vec::new() }
    }

    /// One more of a kind.
    pub fn add(&mut self, kind: impl Into<Cow<'static, str>>, example: impl Display) {
        let (count, examples) = self.kinds.entry(kind.into()).or_default();
        *count += 1;
        if *count <= EXAMPLES {
            examples.push(example.to_string());
        }
    }

    /// Something that was not compared.
    pub fn note(&mut self, note: &str) {
        self.notes.push(format!("partition {}: {note}", self.partition));
    }

    /// As differences.
    pub fn differences(&self) -> impl Iterator<Item = Difference> + '_ {
        self.kinds.iter().map(|(kind, (count, examples))| Difference {
            what: format!("partition {}: {kind}", self.partition),
            count: *count,
            examples: examples.clone(),
        })
    }
}
