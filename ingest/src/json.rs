//! JSON bodies into the raw fields that a resource knows. One pass, nothing copied.

use crate::{fields::Fields, python::Kind};
use axum::http::StatusCode;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use service::http::Problem;
use std::{borrow::Cow, cell::Cell, fmt};

/// Why a JSON text gives no fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// No JSON: the text that says why.
    Syntax(String),
    /// JSON, but no object: what the contract says to that.
    NoObject(String),
}

impl From<Unreadable> for Problem {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Syntax(detail) => Problem::detail(StatusCode::BAD_REQUEST, detail),
            Unreadable::NoObject(message) => {
                let body = serde_json::json!({ "non_field_errors": [message] });
                Problem { status: StatusCode::BAD_REQUEST, body, headers: Vec::new() }
            }
        }
    }
}

/// Reads a JSON text into fields.
pub(crate) fn parse<'a>(text: &'a str, names: &'static [&'static str]) -> Result<Fields<'a>, Unreadable> {
    let values = values(text, names)?.into_iter().map(|value| value.map(Cow::Borrowed)).collect();
    Ok(Fields::new(names, values, false))
}

/// The JSON texts of an object's values, in the order of `names`; of repeated keys the last.
pub(crate) fn values<'a>(text: &'a str, names: &'static [&'static str]) -> Result<Vec<Option<&'a str>>, Unreadable> {
    let mut json = serde_json::Deserializer::from_str(text);
    if text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        let escaped = Cell::new(false);
        let values =
            json.deserialize_map(ValuesVisitor { names, escaped: &escaped }).map_err(|error| syntax(&error))?;
        json.end().map_err(|error| syntax(&error))?;
        if escaped.get() {
            // what an escape stood for cannot be told from a control character that stood there itself
            serde_json::from_str::<&RawValue>(text).map_err(|error| syntax(&error))?;
        }
        return Ok(values);
    }
    let other: &RawValue = serde_json::from_str(text).map_err(|error| syntax(&error))?;
    Err(Unreadable::NoObject(match Kind::of(other.get()) {
        Kind::Null => "No data provided".to_owned(),
        kind => format!("Invalid data. Expected a dictionary, but got {}.", kind.name()),
    }))
}

/// What the contract says to a text that is no JSON.
pub(crate) fn syntax(error: &dyn fmt::Display) -> Unreadable {
    Unreadable::Syntax(format!("JSON parse error - {error}"))
}

struct ValuesVisitor<'a> {
    names: &'static [&'static str],
    /// Whether there was a key with an escape.
    escaped: &'a Cell<bool>,
}

impl<'de> Visitor<'de> for ValuesVisitor<'_> {
    type Value = Vec<Option<&'de str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = vec![None; self.names.len()];
        while let Some(known) = map.next_key_seed(KnownKey { names: self.names, escaped: self.escaped })? {
            match known {
                Some(at) => values[at] = Some(map.next_value::<&RawValue>()?.get()),
                // still read as raw JSON: `IgnoredAny` would stop at a depth that a stranger may choose
                None => drop(map.next_value::<&RawValue>()?),
            }
        }
        Ok(values)
    }
}

/// The place of a key among the known ones. Keys are read as bytes, so that one with a lone surrogate is merely
/// unknown; serde_json lets control characters pass in them.
struct KnownKey<'a> {
    names: &'static [&'static str],
    escaped: &'a Cell<bool>,
}

impl KnownKey<'_> {
    fn place(&self, key: &[u8]) -> Option<usize> {
        self.names.iter().position(|name| name.as_bytes() == key)
    }
}

impl<'de> DeserializeSeed<'de> for KnownKey<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl<'de> Visitor<'de> for KnownKey<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_bytes<E: serde::de::Error>(self, key: &'de [u8]) -> Result<Self::Value, E> {
        if key.iter().any(|byte| *byte < b' ') {
            return Err(E::custom("control character in a key"));
        }
        Ok(self.place(key))
    }

    fn visit_bytes<E: serde::de::Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        self.escaped.set(true);
        Ok(self.place(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NAMES: &[&str] = &["url", "session_id"];

    fn refused(body: &str) -> (u16, String) {
        let problem = Problem::from(parse(body, NAMES).unwrap_err());
        (problem.status.as_u16(), problem.body.to_string())
    }

    #[test]
    fn the_last_of_repeated_keys_wins_and_unknown_ones_are_passed_over() {
        let body = r#" {"url":1,"x":{"url":2},"\ud800":"\udfff","url":"\ud800"} "#;
        let fields = parse(body, NAMES).unwrap();
        assert_eq!((fields.get("url"), fields.get("session_id")), (Some(r#""\ud800""#), None));
    }

    #[rstest]
    fn a_control_character_in_a_key_is_no_json(
        #[values("\n", "\0", "\u{1}", "\t")] control: &str,
        #[values("", r"\u0041")] escape: &str,
    ) {
        let (status, told) = refused(&format!("{{\"url\":1,\"{escape}session{control}_id\":2}}"));
        assert!(status == 400 && told.contains("JSON parse error - "), "{told}");
        let written = format!(r#"{{ {control} "{escape}\u0001\n":1}}"#);
        assert_eq!(parse(&written, NAMES).is_ok(), matches!(control, "\n" | "\t"), "{written:?}");
    }

    #[rstest]
    #[case("[1]", "list")]
    #[case("\"a\"", "str")]
    #[case(" 5 ", "int")]
    #[case("1.0", "float")]
    #[case("true", "bool")]
    fn a_body_that_is_no_object_is_named(#[case] body: &str, #[case] kind: &str) {
        let message = format!(r#"{{"non_field_errors":["Invalid data. Expected a dictionary, but got {kind}."]}}"#);
        assert_eq!(refused(body), (400, message));
    }

    #[test]
    fn null_is_no_data() {
        assert_eq!(refused("null"), (400, r#"{"non_field_errors":["No data provided"]}"#.to_owned()));
    }

    #[rstest]
    #[case("")]
    #[case("{")]
    #[case("{}x")]
    #[case("NaN")]
    #[case("{\"a\": NaN}")]
    #[case("{\"a\": 1,}")]
    #[case("\u{feff}{}")]
    #[case("{\"a\": \"\n\"}")]
    #[case("   ")]
    fn what_is_no_json_is_a_parse_error(#[case] body: &str) {
        let problem = Problem::from(parse(body, NAMES).unwrap_err());
        assert!(problem.body["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{:?}", problem.body);
    }

    #[test]
    fn deep_nesting_does_not_exhaust_the_stack() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(refused(&format!(r#"{{"x":{deep}"#)).0, 400);
        let closed = format!(r#"{{"x":{deep}{}}}"#, "]".repeat(1_000_000));
        assert!(parse(&closed, NAMES).is_ok());
    }
}
