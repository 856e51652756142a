//! Text fields.

use crate::python::{self, Kind};
use crate::{BLANK, Messages, NUL, NULL, REQUIRED, message, string, surrogate_message};

/// A text: trimmed, numbers taken for their text, not blank, of at most `max` characters.
pub fn required(json: Option<&str>, max: usize) -> Result<String, Messages> {
    let (text, surrogate) = take(json.ok_or_else(|| vec![REQUIRED.to_owned()])?)?;
    if text.is_empty() { message(BLANK) } else { check(text, surrogate, max) }
}

/// A text that may be absent, null or blank; blank is kept as `""`.
pub fn optional(json: Option<&str>, max: usize) -> Result<Option<String>, Messages> {
    match json {
        None | Some("null") => Ok(None),
        Some(json) => {
            let (text, surrogate) = take(json)?;
            check(text, surrogate, max).map(Some)
        }
    }
}

fn take(json: &str) -> Result<(String, Option<u32>), Messages> {
    match Kind::of(json) {
        Kind::Null => message(NULL),
        Kind::Str => {
            let (text, surrogate) = string(json);
            Ok((trimmed(text), surrogate))
        }
        Kind::Int | Kind::Float => Ok((python::number(json), None)),
        Kind::Bool | Kind::List | Kind::Dict => message("Not a valid string."),
    }
}

fn check(text: String, surrogate: Option<u32>, max: usize) -> Result<String, Messages> {
    let mut messages = Vec::new();
    if text.len() > max && text.chars().count() > max {
        messages.push(too_long(max));
    }
    if text.contains('\0') {
        messages.push(NUL.to_owned());
    }
    messages.extend(surrogate.map(surrogate_message));
    if messages.is_empty() { Ok(text) } else { Err(messages) }
}

/// What is said to a text that is longer than `max` characters.
pub fn too_long(max: usize) -> String {
    format!("Ensure this field has no more than {max} characters.")
}

/// Without surrounding whitespace, which is Unicode's and the four separators that Python counts as well.
pub fn trimmed(text: String) -> String {
    let inner = text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c));
    if inner.len() == text.len() { text } else { inner.to_owned() }
}

/// Valid JSON text with `\ufffd` for every `\uXXXX` that is half of a surrogate pair without the other half, and the
/// first of them. One pass.
pub fn without_lone_surrogates(json: &str) -> (String, Option<u32>) {
    let (mut out, mut first, mut copied, mut at) = (String::with_capacity(json.len()), None, 0, 0);
    while let Some(found) = json.get(at..).and_then(|rest| rest.find('\\')) {
        let start = at + found;
        let Some(code) = escaped(json, start) else {
            at = start + 2;
            continue;
        };
        at = start + 6;
        match code {
            0xD800..=0xDBFF if matches!(escaped(json, at), Some(0xDC00..=0xDFFF)) => at += 6,
            0xD800..=0xDFFF => {
                first.get_or_insert(code);
                out.push_str(&json[copied..start]);
                out.push_str("\\ufffd");
                copied = at;
            }
            _ => {}
        }
    }
    out.push_str(&json[copied..]);
    (out, first)
}

/// The code of the `\uXXXX` that stands at this place.
fn escaped(json: &str, at: usize) -> Option<u32> {
    u32::from_str_radix(json.get(at..)?.strip_prefix("\\u")?.get(..4)?, 16).ok()
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
        let messages = required(Some("\"aaaaaa\\u0000\\ud800 \\udfff\""), 5).unwrap_err();
        let expected = [
            "Ensure this field has no more than 5 characters.",
            "Null characters are not allowed.",
            "Surrogate characters are not allowed: U+D800.",
        ];
        assert_eq!(messages, expected);
    }

    #[rstest]
    #[case(r#""\ud83d\ude00""#, None, "😀")]
    #[case(r#""\ud83d x""#, Some(0xD83D), "\u{fffd} x")]
    #[case(r#""\ud83d\n""#, Some(0xD83D), "\u{fffd}\n")]
    #[case(r#""\ud83d\ud83d\ude00\udfff""#, Some(0xD83D), "\u{fffd}😀\u{fffd}")]
    #[case(r#""\ude00\ud83d""#, Some(0xDE00), "\u{fffd}\u{fffd}")]
    #[case(r#""\\ud800""#, None, "\\ud800")]
    #[case(r#""\"\\\udfff""#, Some(0xDFFF), "\"\\\u{fffd}")]
    fn a_lone_surrogate_is_found(#[case] json: &str, #[case] found: Option<u32>, #[case] text: &str) {
        assert_eq!(string(json), (text.to_owned(), found));
        assert_eq!(serde_json::from_str::<String>(json).is_err(), found.is_some());
    }
}
