//! JSON bodies into the raw fields that a resource knows. One pass, nothing copied.

use crate::python::Kind;
use axum::http::StatusCode;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use service::http::Problem;
use std::fmt;

/// The values of an object's known fields, in the order of `names`; of repeated keys the last one.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    names: &'static [&'static str],
    values: Vec<Option<&'a RawValue>>,
}

impl<'a> Fields<'a> {
    /// The JSON text of a field, if the object has it.
    ///
    /// # Panics
    /// If the field is none of the names that were asked for: a mistake in the program.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let at = self.names.iter().position(|known| *known == name).expect("only declared fields are read");
        self.values[at].map(RawValue::get)
    }
}

/// Reads a body. Empty is as `{}` (contract § 4).
pub(crate) fn parse<'a>(body: &'a [u8], names: &'static [&'static str]) -> Result<Fields<'a>, Problem> {
    if body.is_empty() {
        return Ok(Fields { names, values: vec![None; names.len()] });
    }
    let text = std::str::from_utf8(body).map_err(|error| parse_error(&error))?;
    let mut json = serde_json::Deserializer::from_str(text);
    if text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        let fields = json.deserialize_map(FieldsVisitor { names }).map_err(|error| parse_error(&error))?;
        json.end().map_err(|error| parse_error(&error))?;
        return Ok(fields);
    }
    let other: &RawValue = serde_json::from_str(text).map_err(|error| parse_error(&error))?;
    let message = match Kind::of(other.get()) {
        Kind::Null => "No data provided".to_owned(),
        kind => format!("Invalid data. Expected a dictionary, but got {}.", kind.name()),
    };
    let body = serde_json::json!({ "non_field_errors": [message] });
    Err(Problem { status: StatusCode::BAD_REQUEST, body, headers: Vec::new() })
}

fn parse_error(error: &dyn fmt::Display) -> Problem {
    Problem::detail(StatusCode::BAD_REQUEST, format!("JSON parse error - {error}"))
}

struct FieldsVisitor {
    names: &'static [&'static str],
}

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut values = vec![None; self.names.len()];
        while let Some(known) = map.next_key_seed(KnownKey { names: self.names })? {
            match known {
                Some(at) => values[at] = Some(map.next_value()?),
                // still read as raw JSON: `IgnoredAny` would stop at a depth that a stranger may choose
                None => drop(map.next_value::<&RawValue>()?),
            }
        }
        Ok(Fields { names: self.names, values })
    }
}

/// The place of a key among the known ones. Keys are read as bytes, so that one with a lone surrogate is merely
/// unknown.
struct KnownKey {
    names: &'static [&'static str],
}

impl<'de> DeserializeSeed<'de> for KnownKey {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for KnownKey {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        self.visit_bytes(key.as_bytes())
    }

    fn visit_bytes<E: serde::de::Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.names.iter().position(|name| name.as_bytes() == key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const NAMES: &[&str] = &["url", "session_id"];

    fn refused(body: &str) -> (u16, String) {
        let problem = parse(body.as_bytes(), NAMES).unwrap_err();
        (problem.status.as_u16(), problem.body.to_string())
    }

    #[test]
    fn the_last_of_repeated_keys_wins_and_unknown_ones_are_passed_over() {
        let body = br#" {"url":1,"x":{"url":2},"\ud800":"\udfff","url":"\ud800"} "#;
        let fields = parse(body, NAMES).unwrap();
        assert_eq!((fields.get("url"), fields.get("session_id")), (Some(r#""\ud800""#), None));
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
    fn null_is_no_data_and_nothing_is_an_empty_object() {
        assert_eq!(refused("null"), (400, r#"{"non_field_errors":["No data provided"]}"#.to_owned()));
        assert!(parse(b"", NAMES).is_ok());
    }

    #[rstest]
    #[case(b"{" as &[u8])]
    #[case(b"{}x")]
    #[case(b"NaN")]
    #[case(b"{\"a\": NaN}")]
    #[case(b"{\"a\": 1,}")]
    #[case(b"{\"a\": \"\xff\"}")]
    #[case(b"\xef\xbb\xbf{}")]
    #[case(b"{\"a\": \"\n\"}")]
    #[case(b"   ")]
    fn what_is_no_json_is_a_parse_error(#[case] body: &[u8]) {
        let problem = parse(body, NAMES).unwrap_err();
        assert!(problem.body["detail"].as_str().unwrap().starts_with("JSON parse error - "), "{:?}", problem.body);
    }

    #[test]
    fn deep_nesting_does_not_exhaust_the_stack() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(refused(&format!(r#"{{"x":{deep}"#)).0, 400);
        let closed = format!(r#"{{"x":{deep}{}}}"#, "]".repeat(1_000_000));
        assert!(parse(closed.as_bytes(), NAMES).is_ok());
    }
}
