//! What must hold for any bytes, for the fuzz targets in `fuzz/` and the test that replays what they found.

use crate::{
    clock::Clock,
    content_type::ContentType,
    events::{Kind, Valid},
    field_errors::FieldErrors,
    settings::Parser,
    single::read,
    submit::{accepted, record, stamp},
};
use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use futures::FutureExt;
use schema::{Event, Position, Source, codec};
use serde_json::{Map, Value, value::RawValue};
use service::http::Problem;
use std::collections::BTreeMap;

const PARSERS: &[Parser] = &[Parser::Json, Parser::Multipart, Parser::Form];

/// What becomes of a body.
type Read = Result<Result<Valid, FieldErrors>, Problem>;

/// A JSON body behind a byte that says what it is for: a clear answer, or an event that lies on the log as it was
/// meant, and whose 202 body would be taken for the same.
///
/// # Panics
/// When it does not hold.
pub fn json_body(data: &[u8]) {
    if let Some((choice, body)) = data.split_first() {
        check(*choice, read_as(b"application/json", *choice, body));
    }
}

/// The same for any other body: a line that is its content type stands before it.
///
/// # Panics
/// When it does not hold.
pub fn form_body(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return };
    check(*choice, read_as(&rest[..end], *choice, &rest[end + 1..]));
}

/// A batch, behind a byte that says how it is written and a line that says how it is compressed.
///
/// # Panics
/// When one of its promises does not hold.
pub fn batch_body(data: &[u8]) {
    crate::batch::fuzzing::body(data);
}

/// Values for the fields of an event, separated by a byte that is in no text: JSON, a form and a multipart form of
/// them are the same event, or have the same errors.
///
/// # Panics
/// When it does not hold.
pub fn same_in_every_form(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let values = rest.split(|byte| *byte == 0xFF).map(|value| String::from_utf8_lossy(value).into_owned());
    let given: Vec<(&str, String)> = kind(*choice).fields().iter().copied().zip(values).collect();
    let (Some(json), form) = (as_json(&given), as_form(&given)) else { return };
    let (multipart_type, multipart) = as_multipart(&given);
    let json = meaning(read_as(b"application/json", *choice, json.as_bytes()));
    assert_eq!(json, meaning(read_as(b"application/x-www-form-urlencoded", *choice, form.as_bytes())), "{given:?}");
    assert_eq!(json, meaning(read_as(multipart_type.as_bytes(), *choice, multipart.as_bytes())), "{given:?}");
}

fn kind(choice: u8) -> Kind {
    [Kind::Session, Kind::PageView, Kind::Interaction, Kind::SessionEnd][usize::from(choice % 4)]
}

pub(crate) fn clock(choice: u8) -> Clock {
    Clock {
        now: "2026-07-01T12:00:00Z".parse().expect("a time"),
        zone: if choice & 4 == 0 { Tz::UTC } else { Tz::Asia__Tehran },
        accepted_age: TimeDelta::days(30),
        correction: TimeDelta::minutes(if choice & 8 == 0 { 0 } else { -90 }),
        strict: choice & 16 != 0,
    }
}

fn read_as(content_type: &[u8], choice: u8, body: &[u8]) -> Read {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(content_type) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    read(&ContentType::of(&headers), PARSERS, kind(choice), None, body, clock(choice))
}

fn check(choice: u8, read: Read) {
    match read {
        Err(problem) => refused(&problem),
        Ok(Err(errors)) => told(kind(choice), &errors),
        Ok(Ok(valid)) => stored(choice, valid),
    }
}

/// A request that is refused as a whole is told why.
pub(crate) fn refused(problem: &Problem) {
    assert!(problem.status.is_client_error() && problem.body.is_object(), "{problem:?}");
}

/// Errors are texts under the names of fields, in their order.
fn told(kind: Kind, errors: &FieldErrors) {
    let json = serde_json::to_string(errors).expect("errors serialise");
    let errors: BTreeMap<String, Vec<String>> = serde_json::from_str(&json).expect("texts by field");
    assert!(!errors.is_empty() && errors.values().all(|messages| messages.iter().all(|text| !text.is_empty())));
    let places: Vec<_> = kind.fields().iter().filter_map(|field| json.find(&format!("\"{field}\":["))).collect();
    assert!(errors.keys().all(|field| kind.fields().contains(&field.as_str())), "{json}");
    assert!(places.len() >= errors.len(), "{json}");
}

fn stored(choice: u8, valid: Valid) {
    let (clock, from_client) = (clock(choice), valid.client_time.is_some());
    let envelope = stamp(valid, Source::default(), clock.now);
    let written = record(&envelope).value;
    assert_eq!(codec::decode(Some(codec::SCHEMA_VERSION), &written).as_ref(), Ok(&envelope), "lies otherwise");
    let window = clock.now - clock.accepted_age..=clock.now + TimeDelta::minutes(5);
    assert!(window.contains(&envelope.occurred_at), "{}", envelope.occurred_at);

    if let Event::SessionAnnounced(session) = &envelope.event
        && session
            .end_time
            .is_some_and(|end| clock.zone.offset_from_utc_datetime(&end.naive_utc()).fix().local_minus_utc() % 60 != 0)
    {
        // before there were zones: an offset with seconds is more than an answer shows
        return;
    }
    let event = envelope.event.clone();
    let response = accepted(envelope.clone(), from_client, Position::new(1, 2), clock.zone);
    let answer = axum::body::to_bytes(response.into_body(), usize::MAX).now_or_never().expect("it is in memory");
    let answer = answer.expect("it is in memory");
    serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(&answer).expect("an answer is a JSON object");
    let content_type =
        ContentType::of(&HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]));
    let plain = Clock { correction: TimeDelta::zero(), strict: true, ..clock };
    let again = read(&content_type, PARSERS, kind(choice), None, &answer, plain);
    let again = again.expect("an answer can be read").expect("an answer can be taken");
    assert_eq!((&again.session_id, &again.event), (&envelope.session_id, &event), "the answer means another event");
    assert_eq!(again.client_time, Some(envelope.occurred_at), "the answer tells another time");
    assert_eq!(again.event_id, Some(envelope.event_id));
}

/// What a body means, in a form that can be compared.
fn meaning(read: Read) -> Result<String, String> {
    match read {
        Err(problem) => Err(problem.body.to_string()),
        Ok(Err(errors)) => Err(serde_json::to_string(&errors).expect("errors serialise")),
        Ok(Ok(valid)) => Ok(format!("{valid:?}")),
    }
}

/// Nothing where JSON cannot say what a form can: metadata that is no JSON.
fn as_json(given: &[(&str, String)]) -> Option<String> {
    let mut fields = Map::new();
    let mut metadata = None;
    for (name, text) in given {
        match *name {
            // contract § 3 and 4: what is empty in a form is null, or nothing at all
            "start_time" | "end_time" | "timestamp" if text.is_empty() => {
                fields.insert((*name).to_owned(), Value::Null);
            }
            "event_id" if text.is_empty() => {}
            "metadata" => {
                let raw: &RawValue = serde_json::from_str(text).ok()?;
                metadata = Some(raw.get()).filter(|raw| *raw != "null");
            }
            _ => drop(fields.insert((*name).to_owned(), text.as_str().into())),
        }
    }
    let json = Value::Object(fields).to_string();
    Some(match metadata {
        None => json,
        Some(raw) if json == "{}" => format!("{{\"metadata\":{raw}}}"),
        Some(raw) => format!("{{\"metadata\":{raw},{}", &json[1..]),
    })
}

fn as_form(given: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
}

fn as_multipart(given: &[(&str, String)]) -> (String, String) {
    let mut boundary = "b".to_owned();
    while given.iter().any(|(_, text)| text.contains(&boundary)) {
        boundary.push('b');
    }
    let part = |(name, text): &(&str, String)| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let body = given.iter().map(part).collect::<String>() + &format!("--{boundary}--\r\n");
    (format!("multipart/form-data; boundary={boundary}"), body)
}
