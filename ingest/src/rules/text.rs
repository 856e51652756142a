//! Text fields.

use super::{BLANK, Messages, NUL, NULL, REQUIRED, message, string};
use crate::python::{self, Kind};

/// A text: trimmed, numbers taken for their text, not blank, of at most `max` characters.
pub(crate) fn required(json: Option<&str>, max: usize) -> Result<String, Messages> {
    let text = take(json.ok_or_else(|| vec![REQUIRED.to_owned()])?)?;
    if text.is_empty() { message(BLANK) } else { check(text, max) }
}

/// A text that may be absent, null or blank; blank is kept as `""`.
pub(crate) fn optional(json: Option<&str>, max: usize) -> Result<Option<String>, Messages> {
    match json {
        None | Some("null") => Ok(None),
        Some(json) => check(take(json)?, max).map(Some),
    }
}

fn take(json: &str) -> Result<String, Messages> {
    match Kind::of(json) {
        Kind::Null => message(NULL),
        Kind::Str => string(json).map(trimmed),
        Kind::Int | Kind::Float => Ok(python::number(json)),
        Kind::Bool | Kind::List | Kind::Dict => message("Not a valid string."),
    }
}

fn check(text: String, max: usize) -> Result<String, Messages> {
    let mut messages = Vec::new();
    if text.len() > max && text.chars().count() > max {
        messages.push(too_long(max));
    }
    if text.contains('\0') {
        messages.push(NUL.to_owned());
    }
    if messages.is_empty() { Ok(text) } else { Err(messages) }
}

pub(crate) fn too_long(max: usize) -> String {
    format!("Ensure this field has no more than {max} characters.")
}

/// Without surrounding whitespace, which is Unicode's and the four separators that Python counts as well.
pub(crate) fn trimmed(text: String) -> String {
    let inner = text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
    if inner.len() == text.len() { text } else { inner.to_owned() }
}

/// The first `\uXXXX` escape in valid JSON text that is half of a surrogate pair without the other half.
pub(crate) fn lone_surrogate(json: &str) -> Option<u32> {
    let mut high = None;
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        if at > 0 && high.is_some() {
            return high;
        }
        let escape = &rest[at..];
        let Some(code) = escape.strip_prefix("\\u").and_then(|hex| u32::from_str_radix(hex.get(..4)?, 16).ok()) else {
            if high.is_some() {
                return high;
            }
            rest = escape.get(2..).unwrap_or_default();
            continue;
        };
        match (code, high) {
            (0xDC00..=0xDFFF, Some(_)) => high = None,
            (_, Some(_)) => return high,
            (0xD800..=0xDBFF, None) => high = Some(code),
            (0xDC00..=0xDFFF, None) => return Some(code),
            _ => {}
        }
        rest = &escape[6..];
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(Some("\" a  b\\t\""), Ok("a  b"))]
    #[case(Some("5"), Ok("5"))]
    #[case(Some("1.50"), Ok("1.5"))]
    #[case(Some("\"éé\""), Ok("éé"))]
    #[case(Some("\"\\u0007 x\""), Ok("\u{7} x"))]
    #[case(Some("\"\\ud83d\\ude00\""), Ok("😀"))]
    #[case(None, Err("This field is required."))]
    #[case(Some("null"), Err("This field may not be null."))]
    #[case(Some("\" \\u001f\\u00a0\""), Err("This field may not be blank."))]
    #[case(Some("true"), Err("Not a valid string."))]
    #[case(Some("[\"a\"]"), Err("Not a valid string."))]
    #[case(Some("{}"), Err("Not a valid string."))]
    #[case(Some("\"123456\""), Err("Ensure this field has no more than 5 characters."))]
    #[case(Some("\"a\\u0000\""), Err("Null characters are not allowed."))]
    #[case(Some("\"a\\ud800\""), Err("Surrogate characters are not allowed: U+D800."))]
    fn a_text_is_taken_or_the_reason_is_told(#[case] json: Option<&str>, #[case] expected: Result<&str, &str>) {
        let found = required(json, 5);
        assert_eq!(found, expected.map(str::to_owned).map_err(|message| vec![message.to_owned()]));
    }

    #[test]
    fn an_optional_text_keeps_the_difference_between_blank_and_nothing() {
        assert_eq!((optional(None, 5), optional(Some("null"), 5)), (Ok(None), Ok(None)));
        assert_eq!(optional(Some("\"  \""), 5), Ok(Some(String::new())));
    }

    #[test]
    fn every_reason_is_told_at_once() {
        assert_eq!(required(Some("\"aaaaaa\\u0000\""), 5).unwrap_err().len(), 2);
    }

    #[rstest]
    #[case(r#""\ud83d\ude00""#, None)]
    #[case(r#""\ud83d x""#, Some(0xD83D))]
    #[case(r#""\ud83d\n""#, Some(0xD83D))]
    #[case(r#""\ud83d\ud83d\ude00""#, Some(0xD83D))]
    #[case(r#""\ude00""#, Some(0xDE00))]
    #[case(r#""\\ud800""#, None)]
    #[case(r#""\"\\\udfff""#, Some(0xDFFF))]
    fn a_lone_surrogate_is_found(#[case] json: &str, #[case] found: Option<u32>) {
        assert_eq!(lone_surrogate(json), found);
        assert_eq!(serde_json::from_str::<String>(json).is_err(), found.is_some());
    }
}
