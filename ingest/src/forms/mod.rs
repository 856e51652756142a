//! Forms into the fields that a resource knows, by the rules of the original for them (contract § 3).

pub(crate) mod multipart;
pub(crate) mod urlencoded;

use crate::fields::Fields;
use axum::http::StatusCode;
use service::http::Problem;
use std::borrow::Cow;

/// Fields that a form has at most, and files; the original's limits.
const MAX_FIELDS: usize = 1_000;
const MAX_FILES: usize = 100;

/// A value of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Text(Cow<'a, str>),
    /// A file, of which only the name matters.
    File(String),
}

/// Collects what a form gives for the known fields.
pub(crate) struct Form<'a> {
    names: &'static [&'static str],
    values: Vec<Option<Value<'a>>>,
    texts: usize,
    files: usize,
}

impl<'a> Form<'a> {
    pub fn new(names: &'static [&'static str]) -> Self {
        Self { names, values: vec![None; names.len()], texts: 0, files: 0 }
    }

    /// Of repeated fields the last one counts, and a file more than a text, wherever it stands.
    pub fn add(&mut self, name: &str, value: Value<'a>) -> Result<(), Problem> {
        let (count, max, what) = match value {
            Value::Text(_) => (&mut self.texts, MAX_FIELDS, "fields"),
            Value::File(_) => (&mut self.files, MAX_FILES, "files"),
        };
        *count += 1;
        if *count > max {
            let detail = format!("The form has more than {max} {what}.");
            return Err(Problem::detail(StatusCode::BAD_REQUEST, detail));
        }
        if let Some(at) = self.names.iter().position(|known| *known == name) {
            let kept = matches!((&self.values[at], &value), (Some(Value::File(_)), Value::Text(_)));
            if !kept {
                self.values[at] = Some(value);
            }
        }
        Ok(())
    }

    /// The values as JSON texts.
    pub fn finish(self) -> Fields<'a> {
        let values = self.names.iter().zip(self.values).map(|(name, value)| in_json(name, value?)).collect();
        Fields::new(self.names, values, true)
    }
}

/// A form's value as the JSON text that the rules take for the same thing.
fn in_json<'a>(name: &str, value: Value<'a>) -> Option<Cow<'a, str>> {
    match (name, value) {
        // JSON text already, or none at all; of a file the original takes the name
        ("metadata", Value::Text(text)) => Some(text),
        ("metadata", Value::File(file)) => Some(file.into()),
        ("end_time" | "start_time" | "timestamp", Value::Text(text)) if text.is_empty() => Some("null".into()),
        ("event_id", Value::Text(text)) if text.is_empty() => None,
        ("event_type", Value::File(file)) => Some(quoted(&file)),
        (_, Value::File(_)) => Some("{}".into()),
        (_, Value::Text(text)) => Some(quoted(&text)),
    }
}

fn quoted(text: &str) -> Cow<'static, str> {
    serde_json::to_string(text).expect("a text serialises").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_more_than_a_text_and_the_last_text_most() {
        let mut form = Form::new(&["element", "event_type"]);
        form.add("event_type", Value::File("click".into())).unwrap();
        for text in ["a", "b"] {
            form.add("element", Value::Text(text.into())).unwrap();
            form.add("event_type", Value::Text(text.into())).unwrap();
        }
        let fields = form.finish();
        assert_eq!((fields.get("element"), fields.get("event_type")), (Some("\"b\""), Some("\"click\"")));
    }

    #[test]
    fn the_number_of_fields_is_bounded() {
        let mut form = Form::new(&[]);
        for _ in 0..1_000 {
            form.add("x", Value::Text("".into())).unwrap();
        }
        assert_eq!(form.add("x", Value::Text("".into())).unwrap_err().status, 400);
    }
}
