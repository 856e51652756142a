//! Pages by limit and offset, and the links between them: contract § 5. Pure functions.

use crate::text::{digit, trimmed};
use url::form_urlencoded;

/// The sizes that a page can have.
#[derive(Clone, Copy, Debug)]
pub struct PageSizes {
    /// Without a limit, or with one that makes no sense.
    pub default: i64,
    /// Fewest.
    pub min: i64,
    /// Most.
    pub max: i64,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Objects at most.
    pub limit: i64,
    /// Objects before it.
    pub offset: i64,
}

/// The parameters of an address, decoded, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// From the part of the address behind the question mark.
    pub fn parse(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The value of a parameter; the last one counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Their names, as often as they were given.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Which of several names was given last.
    pub(crate) fn last_of(&self, names: &[&str]) -> Option<&str> {
        self.names().filter(|name| names.contains(name)).last()
    }

    /// The same with one parameter set or, for `None`, left out.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: Option<impl ToString>) -> Self {
        self.0.retain(|(known, _)| known != name);
        self.0.extend(value.map(|value| (name.to_owned(), value.to_string())));
        self
    }

    /// As text for an address, sorted by name.
    pub(crate) fn to_query(&self) -> String {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        let pairs: Vec<String> =
            sorted.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        pairs.join("&")
    }
}

impl Page {
    /// The page that the parameters ask for.
    pub fn of(parameters: &Parameters, sizes: PageSizes) -> Self {
        let limit = parameters.get("limit").and_then(integer).filter(|limit| *limit >= sizes.min);
        let offset = parameters.get("offset").and_then(integer).filter(|offset| *offset >= 0);
        Self { limit: limit.unwrap_or(sizes.default).min(sizes.max), offset: offset.unwrap_or(0) }
    }

    /// The address of the next page, if there is one. `url` is the list's address without parameters.
    pub fn next(self, url: &str, parameters: &Parameters, count: i64) -> Option<String> {
        let offset = self.offset.checked_add(self.limit).filter(|offset| *offset < count)?;
        let query = parameters.clone().with("limit", Some(self.limit)).with("offset", Some(offset)).to_query();
        Some(format!("{url}?{query}"))
    }

    /// The address of the page before, if there is one.
    pub fn previous(self, url: &str, parameters: &Parameters) -> Option<String> {
        if self.offset <= 0 {
            return None;
        }
        let offset = Some(self.offset - self.limit).filter(|offset| *offset > 0);
        let query = parameters.clone().with("limit", Some(self.limit)).with("offset", offset).to_query();
        Some(format!("{url}?{query}"))
    }
}

/// A whole number as liberal as the original: blanks around it, a sign, digits of any script, single underscores between
/// them; larger than any list counts as that large.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let text = trimmed(text);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut value = 0_i64;
    for group in digits.split('_') {
        if group.is_empty() {
            return None;
        }
        for character in group.chars() {
            value = value.saturating_mul(10).saturating_add(digit(character)?);
        }
    }
    Some(if negative { -value } else { value })
}

/// Percent-encoded as the original's links are.
fn encode(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(byte.into()),
            b' ' => out.push('+'),
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const SIZES: PageSizes = PageSizes { default: 10, min: 1, max: 100 };

    fn page(query: &str) -> (i64, i64) {
        let page = Page::of(&Parameters::parse(Some(query)), SIZES);
        (page.limit, page.offset)
    }

    #[rstest]
    #[case("", (10, 0))]
    #[case("limit=7&offset=3", (7, 3))]
    #[case("limit=101", (100, 0))]
    #[case("limit=99999999999999999999999", (100, 0))]
    #[case("limit=0", (10, 0))]
    #[case("limit=-5", (10, 0))]
    #[case("limit=", (10, 0))]
    #[case("limit=ten", (10, 0))]
    #[case("limit=1.5", (10, 0))]
    #[case("limit=+5+", (5, 0))]
    #[case("limit=1_2&offset=%2B1_0", (12, 10))]
    #[case("limit=1__2&offset=_1", (10, 0))]
    #[case("limit=5_&offset=1_", (10, 0))]
    #[case("limit=%D9%A5&offset=%EF%BC%91%EF%BC%90", (5, 10))]
    #[case("limit=%C2%B2&offset=1,0", (10, 0))]
    #[case("limit=-&offset=%2B-1", (10, 0))]
    #[case("limit=%1F5%C2%A0&offset=5%00", (5, 0))]
    #[case("limit=3&limit=4", (4, 0))]
    #[case("offset=-1", (10, 0))]
    #[case("offset=x", (10, 0))]
    #[case("offset=99999999999999999999999", (10, i64::MAX))]
    fn limits_and_offsets_are_taken_as_the_contract_says(#[case] query: &str, #[case] expected: (i64, i64)) {
        assert_eq!(page(query), expected);
    }

    #[rstest]
    #[case::first("", 25, Some("?limit=10&offset=10"), None)]
    #[case::second("offset=10", 25, Some("?limit=10&offset=20"), Some("?limit=10"))]
    #[case::last("offset=20", 25, None, Some("?limit=10&offset=10"))]
    #[case::odd("offset=3&limit=10", 5, None, Some("?limit=10"))]
    #[case::beyond("offset=500", 25, None, Some("?limit=10&offset=490"))]
    #[case::others_are_kept_and_sorted(
        "z=1&a=%C3%A9+x%26&limit=2&z=0",
        3,
        Some("?a=%C3%A9+x%26&limit=2&offset=2&z=1&z=0"),
        None
    )]
    #[case::empty("", 0, None, None)]
    #[case::huge("offset=9223372036854775807", 5, None, Some("?limit=10&offset=9223372036854775797"))]
    fn pages_are_linked(
        #[case] query: &str,
        #[case] count: i64,
        #[case] next: Option<&str>,
        #[case] previous: Option<&str>,
    ) {
        let parameters = Parameters::parse(Some(query));
        let page = Page::of(&parameters, SIZES);
        assert_eq!(page.next("", &parameters, count).as_deref(), next);
        assert_eq!(page.previous("", &parameters).as_deref(), previous);
    }
}
