//! Metadata: any JSON that PostgreSQL can keep, stored as sent.

use crate::python::Kind;
use crate::{Messages, NUL, NULL, message, string, surrogate_message};
use schema::limits::{MAX_BODY_BYTES, MAX_METADATA_DEPTH};
use serde_json::value::RawValue;

const INVALID: &str = "Value must be valid JSON.";

/// Digits before and after the point that PostgreSQL's `numeric` holds.
const MAX_INTEGER_DIGITS: i64 = 131_072;
const MAX_FRACTION_DIGITS: i64 = 16_383;

/// Digits that all numbers together may have when they are written out: PostgreSQL shows `1e-16383` with all its zeros,
/// and a small body must not make a large answer.
const MAX_WRITTEN_DIGITS: usize = MAX_BODY_BYTES;

/// Any JSON value but null; `{}` when it is absent.
pub fn optional(json: Option<&str>) -> Result<Box<RawValue>, Messages> {
    let Some(json) = json else { return Ok(raw("{}")) };
    if Kind::of(json) == Kind::Null {
        return message(NULL);
    }
    check(json)?;
    Ok(raw(json))
}

/// The same out of a form, where the field is JSON text and `null` there means `{}` (contract § 3).
pub fn optional_in_form(text: Option<&str>) -> Result<Box<RawValue>, Messages> {
    let Some(text) = text else { return optional(None) };
    let Ok(json) = serde_json::from_str::<&RawValue>(text) else { return message(INVALID) };
    optional(Some(json.get()).filter(|json| *json != "null"))
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("the text was cut out of valid JSON")
}

/// Walks over valid JSON once, without recursion.
fn check(json: &str) -> Result<(), Messages> {
    let (bytes, mut at, mut depth, mut written) = (json.as_bytes(), 0, 0, 0);
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => {
                at = end_of_string(bytes, at);
                check_string(&json[start..at])?;
                continue;
            }
            b'-' | b'0'..=b'9' => {
                while at < bytes.len() && matches!(bytes[at], b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9') {
                    at += 1;
                }
                let Some(digits) = written_digits(&json[start..at]) else { return message(INVALID) };
                written += digits;
                if written > MAX_WRITTEN_DIGITS {
                    return message(format!(
                        "Ensure the numbers in this value have no more than {MAX_WRITTEN_DIGITS} digits when written out."
                    ));
                }
                continue;
            }
            _ => {}
        }
        if depth > MAX_METADATA_DEPTH {
            return message(format!("Ensure this value is nested no deeper than {MAX_METADATA_DEPTH} levels."));
        }
        at += 1;
    }
    Ok(())
}

/// The index behind the closing quote of the string that begins at `at`.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn check_string(json: &str) -> Result<(), Messages> {
    if !json.contains("\\u") {
        return Ok(());
    }
    let (text, surrogate) = string(json);
    if let Some(surrogate) = surrogate {
        return message(surrogate_message(surrogate));
    }
    if text.contains('\0') { message(NUL) } else { Ok(()) }
}

/// How many digits a number has when it is written out; `None` unless it is finite as a double, as the original reads
/// it, and fits PostgreSQL's `numeric`.
fn written_digits(number: &str) -> Option<usize> {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let whole = integer.len() == digits.len();
    let exponent = i64::from(exponent.parse::<i32>().ok()?);
    let before = i64::try_from(integer.len()).ok()? + exponent;
    let behind = i64::try_from(fraction.len()).ok()? - exponent;
    let fits = before <= MAX_INTEGER_DIGITS && behind <= MAX_FRACTION_DIGITS;
    let kept = fits && (whole || number.parse::<f64>().is_ok_and(f64::is_finite));
    if kept { usize::try_from(before.max(1) + behind.max(0)).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn any_json_is_stored_as_sent(
        #[values(
            "[]", "\"\"", "0", "false", "{}", " {\"a\":1}".trim(), "1.50", "-0", "1e307", "1e-16383", "0.0e-5",
            "[\"\\\\ud800\", \"\\\"\", \"\\ud83d\\ude00\", \"\\u0007\"]", "{\"a\":1,\"a\":2}"
        )]
        json: &str,
    ) {
        assert_eq!(optional(Some(json)).unwrap().get(), json);
    }

    #[test]
    fn big_integers_survive_up_to_what_postgresql_holds() {
        assert!(optional(Some(&"9".repeat(131_072))).is_ok());
        assert_eq!(optional(Some(&"9".repeat(131_073))).unwrap_err(), [INVALID]);
    }

    #[test]
    fn numbers_that_are_short_here_and_long_when_written_out_are_counted_as_they_are_written() {
        let tiny = |count: usize| format!("[{}]", vec!["1e-16383"; count].join(","));
        let fit = MAX_WRITTEN_DIGITS / 16_384;
        assert!(optional(Some(&tiny(fit))).is_ok());
        assert!(optional(Some(&tiny(fit + 1))).unwrap_err()[0].contains("when written out"));
        assert_eq!(written_digits("-12.50e1"), Some(4));
        assert_eq!(written_digits("1e3"), Some(4));
    }

    #[rstest]
    #[case("1e400", INVALID)]
    #[case("[-1e400]", INVALID)]
    #[case("1e-16384", INVALID)]
    #[case("0e999999999999", INVALID)]
    #[case("0e200000", INVALID)]
    #[case("null", NULL)]
    #[case("{\"a\\u0000\":1}", NUL)]
    #[case("[\"\\\\\\u0000\"]", NUL)]
    #[case("{\"\\udfff\":1}", "Surrogate characters are not allowed: U+DFFF.")]
    fn what_cannot_be_stored_is_refused(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(optional(Some(json)).unwrap_err(), [expected]);
    }

    #[test]
    fn nesting_has_its_limit() {
        let nested = |levels| "[".repeat(levels) + &"]".repeat(levels);
        assert!(optional(Some(&nested(128))).is_ok());
        assert!(optional(Some(&nested(129))).unwrap_err()[0].contains("128 levels"));
        assert!(optional(Some(&format!("\"{}\"", "[".repeat(200)))).is_ok(), "brackets in a string are no nesting");
    }

    #[test]
    fn nothing_is_an_empty_object() {
        assert_eq!(optional(None).unwrap().get(), "{}");
    }

    #[rstest]
    #[case(None, Ok("{}"))]
    #[case(Some("null"), Ok("{}"))]
    #[case(Some(" {\"a\": 1} "), Ok("{\"a\": 1}"))]
    #[case(Some("[]"), Ok("[]"))]
    #[case(Some("5"), Ok("5"))]
    #[case(Some("\"x\""), Ok("\"x\""))]
    #[case(Some(""), Err(INVALID))]
    #[case(Some("x"), Err(INVALID))]
    #[case(Some("{"), Err(INVALID))]
    #[case(Some("NaN"), Err(INVALID))]
    #[case(Some("Infinity"), Err(INVALID))]
    #[case(Some("1e400"), Err(INVALID))]
    #[case(Some("\"\\u0000\""), Err(NUL))]
    fn a_forms_metadata_is_json_text(#[case] text: Option<&str>, #[case] expected: Result<&str, &str>) {
        let found = optional_in_form(text).map(|json| json.get().to_owned());
        assert_eq!(found, expected.map(str::to_owned).map_err(|message| vec![message.to_owned()]));
    }
}
