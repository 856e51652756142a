//! Cursors: where a page ends in its order, signed, and good for the filters and the order that they were made for
//! (contract § 12). The signature is over both, so that only the place stands in the text.

use super::order::Order;
use crate::columns::{Column, Kind};
use chrono::{DateTime, Utc};
use serde_json::Value;
use service::access::Keys;
use sqlx::{Postgres, QueryBuilder, Row, postgres::PgRow};

/// What our signatures over cursors are called.
const LABEL: &str = "cursor";

/// The value of a column that a list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Number(i64),
    Text(String),
    /// Microseconds since 1970; `None` for what has not ended.
    Time(Option<i64>),
}

/// A place between two rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// Whether what follows the place is meant, or what comes before it.
    pub forward: bool,
    /// The row beside it, by the columns of the order.
    pub keys: Vec<Key>,
}

impl Cursor {
    /// Behind or before a row of a list's page.
    pub fn at(row: &PgRow, order: &Order, forward: bool) -> sqlx::Result<Self> {
        let keys = order.columns().map(|column| {
            let name = match column {
                Column::Timestamp => "timestamp",
                Column::Id => "row_id",
                other => other.name(),
            };
            Ok(match column.kind() {
                Kind::Number => Key::Number(row.try_get(name)?),
                Kind::Text => Key::Text(row.try_get(name)?),
                Kind::Time => {
                    Key::Time(row.try_get::<Option<DateTime<Utc>>, _>(name)?.map(|time| time.timestamp_micros()))
                }
            })
        });
        Ok(Self { forward, keys: keys.collect::<sqlx::Result<_>>()? })
    }

    /// As text for an address. `bound` is what it is good for.
    pub fn seal(&self, bound: &str, keys: &Keys) -> String {
        let place = self.encode();
        let signature = keys.sign_text(LABEL, signed(&place, bound).as_bytes());
        format!("{place}.{signature}")
    }

    /// From such a text; `None` unless it was made for the same by us.
    pub fn open(text: &str, bound: &str, order: &Order, keys: &Keys) -> Option<Self> {
        let (place, signature) = text.split_once('.')?;
        if !keys.is_signed(LABEL, signed(place, bound).as_bytes(), signature) {
            return None;
        }
        Self::decode(place, order)
    }

    /// The place alone, which nobody has signed.
    pub fn encode(&self) -> String {
        let mut values = vec![Value::from(self.forward)];
        values.extend(self.keys.iter().map(|key| match key {
            Key::Number(number) => Value::from(*number),
            Key::Text(text) => Value::from(text.as_str()),
            Key::Time(time) => Value::from(*time),
        }));
        hex(Value::from(values).to_string().as_bytes())
    }

    /// From a place in this order.
    pub fn decode(place: &str, order: &Order) -> Option<Self> {
        let values: Vec<Value> = serde_json::from_slice(&unhex(place)?).ok()?;
        let (forward, values) = values.split_first()?;
        let kinds: Vec<Kind> = order.columns().map(Column::kind).collect();
        if kinds.len() != values.len() {
            return None;
        }
        let found = kinds.into_iter().zip(values).map(|(kind, value)| {
            Some(match kind {
                Kind::Number => Key::Number(value.as_i64()?),
                Kind::Text => Key::Text(value.as_str()?.to_owned()),
                Kind::Time if value.is_null() => Key::Time(None),
                Kind::Time => {
                    let micros = value.as_i64()?;
                    Key::Time(Some(DateTime::<Utc>::from_timestamp_micros(micros).and(Some(micros))?))
                }
            })
        });
        Some(Self { forward: forward.as_bool()?, keys: found.collect::<Option<_>>()? })
    }
}

impl Key {
    /// Writes it as a value that its column can be compared with.
    pub fn push<'a>(&'a self, sql: &mut QueryBuilder<'a, Postgres>) {
        match self {
            Self::Number(number) => {
                sql.push_bind(*number);
            }
            Self::Text(text) => {
                sql.push_bind(text);
            }
            Self::Time(time) => match time.and_then(DateTime::<Utc>::from_timestamp_micros) {
                Some(time) => {
                    sql.push_bind(time);
                }
                None => {
                    sql.push("'infinity'::timestamptz");
                }
            },
        }
    }
}

fn signed(place: &str, bound: &str) -> String {
    format!("{place}\n{bound}")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::FieldNames;
    use proptest::prelude::*;
    use service::resource::Resource;

    fn order() -> Order {
        Order::of(None, &FieldNames::default(), Resource::Sessions)
    }

    fn keys() -> Keys {
        Keys::new(&[7; 32]).unwrap()
    }

    #[test]
    fn a_cursor_is_good_for_what_it_was_made_for_alone() {
        let cursor = Cursor { forward: true, keys: vec![Key::Time(Some(-5)), Key::Number(i64::MAX)] };
        let text = cursor.seal("sessions", &keys());
        assert_eq!(Cursor::open(&text, "sessions", &order(), &keys()), Some(cursor));
        assert_eq!(Cursor::open(&text, "pageviews", &order(), &keys()), None);
        assert_eq!(Cursor::open(&text, "sessions", &order(), &Keys::new(&[8; 32]).unwrap()), None);
    }

    #[test]
    fn a_place_beyond_the_calendar_is_none() {
        let place = hex(format!("[true,{},1]", i64::MAX).as_bytes());
        assert_eq!(Cursor::decode(&place, &order()), None);
    }

    proptest! {
        #[test]
        fn a_cursor_with_another_letter_is_refused(at in 0_usize..200, letter in "[0-9a-zA-Z._-]") {
            let cursor = Cursor { forward: false, keys: vec![Key::Time(None), Key::Number(1)] };
            let mut text = cursor.seal("x", &keys());
            let at = at % text.len();
            prop_assume!(text[at..=at] != letter);
            text.replace_range(at..=at, &letter);
            prop_assert_eq!(Cursor::open(&text, "x", &order(), &keys()), None);
        }

        #[test]
        fn no_text_is_too_strange(text in ".*") {
            prop_assert_eq!(Cursor::open(&text, "x", &order(), &keys()), None);
        }
    }
}
