//! The body of a batch into the texts of its events, in either form.

use crate::{
    charset::Charset,
    clock::Clock,
    content_type::BatchForm,
    json::{self, Unreadable},
    rules::{REQUIRED, time},
};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use schema::limits::MAX_BATCH_EVENTS;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use service::http::Problem;
use std::{borrow::Cow, fmt};

/// A batch, taken apart.
pub(super) struct Batch<'a> {
    /// The JSON text of each event; or what is wrong with a line that is no text.
    pub events: Vec<Result<Cow<'a, str>, String>>,
    /// When the client sent it, by its own clock.
    sent_at: Option<DateTime<Utc>>,
}

impl Batch<'_> {
    /// How far the client's clock is behind ours, if it tells. How long the request was under way counts as well.
    pub fn correction(&self, arrived: DateTime<Utc>) -> TimeDelta {
        self.sent_at.map_or_else(TimeDelta::zero, |sent_at| arrived - sent_at)
    }
}

/// Takes a body apart.
pub(super) fn parse(body: &[u8], form: BatchForm, charset: Charset, clock: Clock) -> Result<Batch<'_>, Problem> {
    match form {
        _ if body.is_empty() => Err(without_events(REQUIRED)),
        BatchForm::Document => document(charset.strict(body).map_err(|error| syntax(&error))?, clock),
        BatchForm::Lines => lines(body, charset),
    }
}

fn document(text: Cow<'_, str>, clock: Clock) -> Result<Batch<'_>, Problem> {
    match text {
        Cow::Borrowed(text) => read(text, clock),
        // an encoding that is not UTF-8 is rare enough for one more copy
        Cow::Owned(text) => {
            let Batch { events, sent_at } = read(&text, clock)?;
            let events = events.into_iter().map(|event| event.map(|text| Cow::Owned(text.into_owned()))).collect();
            Ok(Batch { events, sent_at })
        }
    }
}

fn read(text: &str, clock: Clock) -> Result<Batch<'_>, Problem> {
    let values = json::values(text, &["events", "sent_at"]).map_err(|unreadable| match unreadable {
        Unreadable::Syntax(detail) | Unreadable::NoObject(detail) => whole(detail),
    })?;
    let sent_at =
        time::optional(values[1], clock.zone).map_err(|messages| whole(format!("sent_at: {}", messages.join(" "))))?;
    let events = values[0].ok_or_else(|| without_events(REQUIRED))?;
    if !events.starts_with('[') {
        return Err(without_events("Expected a list of events."));
    }
    let mut json = serde_json::Deserializer::from_str(events);
    let events = json.deserialize_seq(Events).map_err(|error| syntax(&error))?.ok_or_else(too_many)?;
    let events = events.into_iter().map(|event| Ok(Cow::Borrowed(event.get()))).collect();
    Ok(Batch { events, sent_at })
}

/// One event a line; a blank line is none. A line that is no text spoils itself alone.
fn lines(body: &[u8], charset: Charset) -> Result<Batch<'_>, Problem> {
    let mut events = Vec::new();
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        if events.len() == MAX_BATCH_EVENTS {
            return Err(too_many());
        }
        events.push(charset.strict(line).map_err(|error| format!("JSON parse error - {error}")));
    }
    if events.is_empty() { Err(without_events(REQUIRED)) } else { Ok(Batch { events, sent_at: None }) }
}

/// The texts of a list's items; nothing when there are too many of them.
struct Events;

impl<'de> Visitor<'de> for Events {
    type Value = Option<Vec<&'de RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut events = Vec::new();
        while let Some(event) = list.next_element::<&RawValue>()? {
            if events.len() < MAX_BATCH_EVENTS {
                events.push(event);
            } else {
                // read to its end, since a parser is not left in the middle of a list
                while list.next_element::<&RawValue>()?.is_some() {}
                return Ok(None);
            }
        }
        Ok(Some(events))
    }
}

fn whole(detail: impl Into<String>) -> Problem {
    Problem::detail(StatusCode::BAD_REQUEST, detail)
}

fn syntax(error: &dyn fmt::Display) -> Problem {
    json::syntax(error).into()
}

fn without_events(why: &str) -> Problem {
    whole(format!("events: {why}"))
}

fn too_many() -> Problem {
    Problem::detail(StatusCode::PAYLOAD_TOO_LARGE, format!("A batch has at most {MAX_BATCH_EVENTS} events."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::tests::{at, clock};
    use rstest::rstest;

    fn texts(body: &[u8], form: BatchForm, charset: &str) -> Result<Vec<Result<String, ()>>, (u16, String)> {
        let batch = parse(body, form, Charset::named(charset), clock());
        batch
            .map(|batch| batch.events.into_iter().map(|event| event.map(Cow::into_owned).map_err(drop)).collect())
            .map_err(|problem| (problem.status.as_u16(), problem.body["detail"].as_str().unwrap().to_owned()))
    }

    fn read_texts(events: &[&str]) -> Vec<Result<String, ()>> {
        events.iter().map(|text| Ok((*text).to_owned())).collect()
    }

    #[test]
    fn a_document_gives_its_events_as_they_were_sent() {
        let body = br#" {"x":[1],"events":[0],"events":[ {"a": 1.50} , [],"s",null]} "#;
        let expected = read_texts(&[r#"{"a": 1.50}"#, "[]", "\"s\"", "null"]);
        assert_eq!(texts(body, BatchForm::Document, ""), Ok(expected));
        assert_eq!(texts(b"{\"events\":[]}", BatchForm::Document, ""), Ok(Vec::new()));
        assert_eq!(texts(b"{\"events\":[\"\xe9\"]}", BatchForm::Document, "latin-1"), Ok(read_texts(&["\"é\""])));
    }

    #[test]
    fn lines_give_their_events_and_blank_ones_none() {
        let body = b"{\"a\":1}\r\n\n  \n{broken\n\xff\n{\"b\":2}";
        let found = texts(body, BatchForm::Lines, "").unwrap();
        let expected = [Ok("{\"a\":1}\r".to_owned()), Ok("{broken".to_owned()), Err(()), Ok("{\"b\":2}".to_owned())];
        assert_eq!(found, expected);
    }

    #[rstest]
    #[case("", 400, "events: This field is required.")]
    #[case("{}", 400, "events: This field is required.")]
    #[case("{\"events\":null}", 400, "events: Expected a list of events.")]
    #[case("{\"events\":{}}", 400, "events: Expected a list of events.")]
    #[case("[]", 400, "Invalid data. Expected a dictionary, but got list.")]
    #[case("null", 400, "No data provided")]
    #[case(
        "{\"events\":[],\"sent_at\":\"now\"}",
        400,
        "sent_at: Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
    )]
    fn what_is_no_batch_says_so(#[case] body: &str, #[case] status: u16, #[case] detail: &str) {
        assert_eq!(texts(body.as_bytes(), BatchForm::Document, ""), Err((status, detail.to_owned())));
    }

    #[rstest]
    #[case(b"{\"events\":[}")]
    #[case(b"{\"events\":[{\"a\":]}")]
    #[case(b"{\"events\":[]")]
    #[case(b"\xff")]
    fn what_is_no_json_is_a_parse_error(#[case] body: &[u8]) {
        let (status, detail) = texts(body, BatchForm::Document, "").unwrap_err();
        assert_eq!((status, detail.starts_with("JSON parse error - ")), (400, true), "{detail}");
    }

    #[rstest]
    fn the_number_of_events_is_bounded(#[values(BatchForm::Document, BatchForm::Lines)] form: BatchForm) {
        let body = |count: usize| match form {
            BatchForm::Document => format!("{{\"events\":[{}]}}", vec!["{}"; count].join(",")),
            BatchForm::Lines => "{}\n".repeat(count),
        };
        assert_eq!(texts(body(MAX_BATCH_EVENTS).as_bytes(), form, "").unwrap().len(), MAX_BATCH_EVENTS);
        let told = Err((413, "A batch has at most 2000 events.".to_owned()));
        assert_eq!(texts(body(MAX_BATCH_EVENTS + 1).as_bytes(), form, ""), told);
    }

    #[test]
    fn the_clients_clock_is_compared_with_ours() {
        let body = b"{\"events\":[],\"sent_at\":\"2026-11-24T11:00:00Z\"}";
        let batch = parse(body, BatchForm::Document, Charset::Utf8, clock()).ok().unwrap();
        assert_eq!(batch.correction(at("2026-11-24T12:00:00Z")), TimeDelta::hours(1));
        let batch = parse(b"{}", BatchForm::Lines, Charset::Utf8, clock()).ok().unwrap();
        assert_eq!(batch.correction(at("2026-11-24T12:00:00Z")), TimeDelta::zero());
    }
}
