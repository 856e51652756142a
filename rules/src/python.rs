//! JSON values as the original's language prints them, where the contract repeats a value in a message or takes a
//! number for a text.

use serde_json::value::RawValue;
use std::{collections::HashMap, fmt::Write};

/// The kinds of JSON values, by the names that messages have for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object.
    Dict,
    /// A list.
    List,
    /// A string.
    Str,
    /// A number without point and exponent.
    Int,
    /// Any other number.
    Float,
    /// True or false.
    Bool,
    /// Null.
    Null,
}

impl Kind {
    /// The kind of a valid JSON value, by its first bytes.
    pub fn of(json: &str) -> Self {
        match json.as_bytes().first() {
            Some(b'{') => Self::Dict,
            Some(b'[') => Self::List,
            Some(b'"') => Self::Str,
            Some(b't' | b'f') => Self::Bool,
            Some(b'n') => Self::Null,
            _ if json.contains(['.', 'e', 'E']) => Self::Float,
            _ => Self::Int,
        }
    }

    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dict => "dict",
            Self::List => "list",
            Self::Str => "str",
            Self::Int => "int",
            Self::Float => "float",
            Self::Bool => "bool",
            Self::Null => "NoneType",
        }
    }
}

/// A number as text: integers as they stand, others in their shortest form.
pub fn number(json: &str) -> String {
    match Kind::of(json) {
        Kind::Int => if json == "-0" { "0" } else { json }.to_owned(),
        _ => float(json.parse().unwrap_or(f64::NAN)),
    }
}

fn float(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{value}");
    if plain.contains('.') { plain } else { plain + ".0" }
}

/// A value as `str()` prints it: a string as it is, everything else as `repr`.
pub fn text(json: &str) -> String {
    match Kind::of(json) {
        Kind::Str => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
        _ => repr(json, 0),
    }
}

/// A value as `repr()` prints it. Values nested deeper than 16 levels are abbreviated.
fn repr(json: &str, depth: u8) -> String {
    match Kind::of(json) {
        Kind::Null => "None".to_owned(),
        Kind::Bool => if json == "true" { "True" } else { "False" }.to_owned(),
        Kind::Int | Kind::Float => number(json),
        Kind::Str => quoted(&serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())),
        Kind::List | Kind::Dict if depth == 16 => "...".to_owned(),
        Kind::List => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            let items: Vec<String> = items.into_iter().map(|item| repr(item.get(), depth + 1)).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Dict => {
            let fields: Ordered<'_> = serde_json::from_str(json).unwrap_or_default();
            let fields: Vec<String> = fields
                .0
                .iter()
                .map(|(key, value)| format!("{}: {}", quoted(key), repr(value.get(), depth + 1)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) <= 0xFF => drop(write!(out, "\\x{:02x}", u32::from(c))),
            c if u32::from(c) <= 0xFFFF => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out.push(quote);
    out
}

/// Whether `repr()` shows a character as it is: no control, no blank but the plain one, no mark that is invisible.
fn is_printable(c: char) -> bool {
    let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}'..='\u{ffff}' | '\u{e0000}'..);
    c == ' ' || !(c.is_control() || c.is_whitespace() || invisible)
}

/// The fields of an object in their order; of repeated keys the last value, in the first one's place.
#[derive(Default)]
struct Ordered<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Ordered<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Ordered<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut fields, mut places) = (Vec::<(String, &RawValue)>::new(), HashMap::new());
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    let place = *places.entry(key.clone()).or_insert(fields.len());
                    if place == fields.len() { fields.push((key, value)) } else { fields[place].1 = value }
                }
                Ok(Ordered(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("5", "5")]
    #[case("-0", "0")]
    #[case("1.5", "1.5")]
    #[case("1.0", "1.0")]
    #[case("1e5", "100000.0")]
    #[case("1e16", "1e+16")]
    #[case("123456789012345680.0", "1.2345678901234568e+17")]
    #[case("0.0001", "0.0001")]
    #[case("0.00001", "1e-05")]
    #[case("-0.0", "-0.0")]
    #[case("1e400", "inf")]
    #[case("-1e400", "-inf")]
    #[case("123456789012345678901234567890", "123456789012345678901234567890")]
    fn numbers_read_as_the_original_prints_them(#[case] json: &str, #[case] printed: &str) {
        assert_eq!(number(json), printed);
    }

    #[rstest]
    #[case("true", "True")]
    #[case("null", "None")]
    #[case(r#"["click"]"#, "['click']")]
    #[case(r#"{"a": 1, "b": [1.0, false], "a": "x"}"#, "{'a': 'x', 'b': [1.0, False]}")]
    #[case(r#"["it's", "\"", "\n\u0007é"]"#, r#"["it's", '"', '\n\x07é']"#)]
    #[case("[\"\\u007f\\u00a0\\u200b\\u2028😀 \"]", "['\\x7f\\xa0\\u200b\\u2028😀 ']")]
    #[case(r#""plain 'text'""#, "plain 'text'")]
    fn values_read_as_the_original_prints_them(#[case] json: &str, #[case] printed: &str) {
        assert_eq!(text(json), printed);
    }

    #[test]
    fn a_deeply_nested_value_does_not_exhaust_the_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert!(text(&deep).len() < 100);
    }
}
