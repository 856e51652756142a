//! Filters whose values are ids, addresses or yes and no.

use super::Reader;
use crate::{
    condition::{Condition, Text},
    paging::integer,
    text::{Part, pattern},
};
use std::net::{IpAddr, Ipv6Addr};

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
                    self.found.session = Some((name, id));
                    self.add(Condition::Session(id));
                }
                None => self.found.refuse(&name, super::choice::NO_SUCH_CHOICE),
            }
        }
    }

    pub(super) fn address(&mut self) {
        let Some(value) = self.clean_value("ip_address") else { return };
        match address(&value) {
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

/// An address as it is stored: IPv4-mapped as IPv4, a zone id dropped (contract § 3).
fn address(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        Some((address, zone)) if !zone.is_empty() && !zone.contains(['%', '/']) => {
            address.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical())
        }
        Some(_) => None,
        None => text.parse::<IpAddr>().ok().map(|address| address.to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("2001:DB8:0::4", Some("2001:db8::4"))]
    #[case("::ffff:1.2.3.4", Some("1.2.3.4"))]
    #[case("fe80::1%eth0", Some("fe80::1"))]
    #[case("01.2.3.4", None)]
    #[case("1.2.3", None)]
    #[case("1.2.3.4/32", None)]
    #[case("1.2.3.4%eth0", None)]
    #[case("fe80::1%eth0/64", None)]
    #[case("[::1]", None)]
    fn addresses_are_read_as_they_are_stored(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(address(text).map(|address| address.to_string()).as_deref(), expected);
    }
}
