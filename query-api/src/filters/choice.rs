//! Filters by the type of an interaction.

use super::Reader;
use crate::{condition::Condition, text::trimmed};
use schema::InteractionKind;

/// What the original says of a session that is not there.
pub(crate) const NO_SUCH_CHOICE: &str = "Select a valid choice. That choice is not one of the available choices.";

impl Reader<'_> {
    pub(super) fn event_type(&mut self) {
        if let Some(value) = self.value("event_type") {
            match InteractionKind::parse(&value) {
                Some(kind) => self.add(Condition::Types(vec![kind.as_str()])),
                None => self.found.refuse("event_type", &unknown(&value)),
            }
        }
    }

    /// The one parameter of which every value counts, the empty one as well.
    pub(super) fn event_types(&mut self) {
        let values: Vec<String> = self.parameters.all("event_type_in").map(|value| trimmed(value).to_owned()).collect();
        if values.is_empty() {
            return;
        }
        let kinds: Result<Vec<&'static str>, &String> = values
            .iter()
            .map(|value| InteractionKind::parse(value).map(InteractionKind::as_str).ok_or(value))
            .collect();
        match kinds {
            Ok(kinds) => self.add(Condition::Types(kinds)),
            Err(value) => self.found.refuse("event_type_in", &unknown(value)),
        }
        self.found.used.extend(values.into_iter().map(|value| ("event_type_in".to_owned(), value)));
    }
}

fn unknown(value: &str) -> String {
    format!("Select a valid choice. {value} is not one of the available choices.")
}
