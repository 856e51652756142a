//! Filters whose values are ids, addresses or yes and no.

use super::{NamedSession, Reader};
use crate::{
    condition::{Condition, Text},
    paging::integer,
    text::{Part, pattern},
};

impl Reader<'_> {
    pub(super) fn id(&mut self) {
        let Some(value) = self.value("id") else { return };
        match integer(&value) {
            Some(id) => self.add(Condition::Id(id)),
            None => self.found.refuse("id", "Enter a number."),
        }
    }

    /// `session` and `session__id` are one parameter: of several the last one counts. That there is such a session is
    /// for the database to say.
    pub(super) fn session(&mut self) {
        let both = ["session", "session__id"];
        if let Some(name) = self.parameters.last_of(&both).map(str::to_owned)
            && let Some(value) = self.clean_value(&name)
        {
            match integer(&value) {
                Some(id) => {
                    let place = self.found.errors.place();
                    self.found.session = Some(NamedSession { id, parameter: name, place });
                    self.add(Condition::Session(id));
                }
                None => self.found.refuse(&name, super::NO_SUCH_CHOICE),
            }
        }
    }

    pub(super) fn address(&mut self) {
        let Some(value) = self.clean_value("ip_address") else { return };
        match rules::address::parse(&value) {
            Some(address) => self.add(Condition::Address(address)),
            None => self.found.refuse("ip_address", "Enter a valid IPv4 or IPv6 address."),
        }
    }

    /// To the letter, and no address is written with capital letters.
    pub(super) fn address_start(&mut self) {
        let Some(value) = self.clean_value("ip_address_startswith") else { return };
        if value.contains(|character: char| character.is_ascii_uppercase()) {
            self.add(Condition::never());
        } else {
            self.add(Condition::Like(Text::Address, pattern(Part::Start, &value)));
        }
    }

    /// Whatever says neither yes nor no does not narrow the list.
    pub(super) fn missing(&mut self, name: &str, column: &'static str) {
        let Some(value) = self.value(name) else { return };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" => self.add(Condition::Missing { column, missing: true }),
            "false" | "0" => self.add(Condition::Missing { column, missing: false }),
            _ => {}
        }
    }
}
