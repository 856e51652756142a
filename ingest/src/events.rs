//! The fields of a request into an event: every field is looked at, so that all errors are told at once.

use crate::{
    json::Fields,
    python,
    rules::{self, Messages, REQUIRED, address, message, metadata, text, time, url},
};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use schema::{
    Event, InteractionKind, InteractionRecorded, PageViewRecorded, SessionAnnounced, SessionId,
    limits::{MAX_ELEMENT_CHARS, MAX_SESSION_ID_CHARS, MAX_USER_ID_CHARS},
    to_micros,
};
use serde::Serialize;
use uuid::Uuid;

/// How far a client's clock may be ahead of the server's.
const ACCEPTED_AHEAD: TimeDelta = TimeDelta::minutes(5);

/// What can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Session,
    PageView,
    Interaction,
}

impl Resource {
    /// The fields that are read; all others are ignored.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Session => {
                &["session_id", "user_agent", "ip_address", "start_time", "end_time", "user_id", "event_id"]
            }
            Self::PageView => &["url", "timestamp", "session_id", "event_id"],
            Self::Interaction => &["event_type", "element", "metadata", "timestamp", "session_id", "event_id"],
        }
    }
}

/// What decides about times: the server's clock, the zone of times without one, and how old a client's may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub now: DateTime<Utc>,
    pub zone: Tz,
    pub accepted_age: TimeDelta,
}

/// An event that may go onto the log.
#[derive(Debug)]
pub(crate) struct Valid {
    pub session_id: SessionId,
    /// The id that the client gave.
    pub event_id: Option<Uuid>,
    /// The client's time, when it is within its window; never more than [`ACCEPTED_AHEAD`] in the future.
    pub client_time: Option<DateTime<Utc>>,
    pub event: Event,
}

/// Messages by field, in field order.
#[derive(Debug, Default)]
pub(crate) struct FieldErrors(Vec<(&'static str, Messages)>);

impl FieldErrors {
    /// The value, or nothing and its messages noted.
    fn take<T>(&mut self, field: &'static str, result: Result<T, Messages>) -> Option<T> {
        result.map_err(|messages| self.0.push((field, messages))).ok()
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(field, messages)| (field, messages)))
    }
}

impl IntoResponse for FieldErrors {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("texts serialise");
        (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], body).into_response()
    }
}

/// Reads a resource out of a body's fields.
pub(crate) fn validate(resource: Resource, fields: &Fields<'_>, clock: Clock) -> Result<Valid, FieldErrors> {
    let mut errors = FieldErrors::default();
    let valid = match resource {
        Resource::Session => session(fields, clock, &mut errors),
        Resource::PageView => page_view(fields, clock, &mut errors),
        Resource::Interaction => interaction(fields, clock, &mut errors),
    };
    valid.filter(|_| errors.0.is_empty()).ok_or(errors)
}

fn session(fields: &Fields<'_>, clock: Clock, errors: &mut FieldErrors) -> Option<Valid> {
    let session_id = errors.take("session_id", session_id(fields));
    let user_agent = errors.take("user_agent", text::required(fields.get("user_agent"), usize::MAX));
    let ip_address = errors.take("ip_address", address::required(fields.get("ip_address")));
    let end_time = errors.take("end_time", time::optional(fields.get("end_time"), clock.zone));
    let user_id = errors.take("user_id", text::optional(fields.get("user_id"), MAX_USER_ID_CHARS));
    let event_id = errors.take("event_id", event_id(fields.get("event_id")));
    let announced =
        SessionAnnounced { user_agent: user_agent?, ip_address: ip_address?, user_id: user_id?, end_time: end_time? };
    let event = Event::SessionAnnounced(announced);
    Some(Valid {
        session_id: session_id?,
        event_id: event_id?,
        client_time: client_time(fields, "start_time", clock),
        event,
    })
}

fn page_view(fields: &Fields<'_>, clock: Clock, errors: &mut FieldErrors) -> Option<Valid> {
    let url = errors.take("url", url::required(fields.get("url")));
    let session_id = errors.take("session_id", session_id(fields));
    let event_id = errors.take("event_id", event_id(fields.get("event_id")));
    let event = Event::PageViewRecorded(PageViewRecorded { url: url? });
    Some(Valid {
        session_id: session_id?,
        event_id: event_id?,
        client_time: client_time(fields, "timestamp", clock),
        event,
    })
}

fn interaction(fields: &Fields<'_>, clock: Clock, errors: &mut FieldErrors) -> Option<Valid> {
    let kind = errors.take("event_type", kind(fields.get("event_type")));
    let element = errors.take("element", text::required(fields.get("element"), MAX_ELEMENT_CHARS));
    let metadata = errors.take("metadata", metadata::optional(fields.get("metadata")));
    let session_id = errors.take("session_id", session_id(fields));
    let event_id = errors.take("event_id", event_id(fields.get("event_id")));
    let recorded = InteractionRecorded { kind: kind?, element: element?, metadata: metadata? };
    let event = Event::InteractionRecorded(recorded);
    Some(Valid {
        session_id: session_id?,
        event_id: event_id?,
        client_time: client_time(fields, "timestamp", clock),
        event,
    })
}

fn session_id(fields: &Fields<'_>) -> Result<SessionId, Messages> {
    let text = text::required(fields.get("session_id"), MAX_SESSION_ID_CHARS)?;
    SessionId::parse(text).map_err(|error| vec![error.to_string()])
}

/// One of the eight, not trimmed, case-sensitive.
fn kind(json: Option<&str>) -> Result<InteractionKind, Messages> {
    let json = json.ok_or_else(|| vec![REQUIRED.to_owned()])?;
    if json == "null" {
        return message(rules::NULL);
    }
    let given = python::text(json);
    InteractionKind::parse(&given).ok_or_else(|| vec![format!("\"{given}\" is not a valid choice.")])
}

fn event_id(json: Option<&str>) -> Result<Option<Uuid>, Messages> {
    let Some(json) = json else { return Ok(None) };
    if json == "null" {
        return message(rules::NULL);
    }
    let text: Option<String> = serde_json::from_str(json).ok();
    match text.as_deref().map(Uuid::parse_str) {
        Some(Ok(id)) => Ok(Some(id)),
        _ => message("Must be a valid UUID."),
    }
}

/// Contract § 12: up to five minutes ahead as it is, beyond that the server's time; too old or no time at all: none.
fn client_time(fields: &Fields<'_>, name: &str, clock: Clock) -> Option<DateTime<Utc>> {
    let time = to_micros(time::lenient(fields.get(name), clock.zone)?);
    let oldest = clock.now.checked_sub_signed(clock.accepted_age)?;
    (oldest..=clock.now + ACCEPTED_AHEAD).contains(&time).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use rstest::rstest;

    fn clock() -> Clock {
        let now = DateTime::parse_from_rfc3339("2026-11-24T12:00:00Z").unwrap().to_utc();
        Clock { now, zone: Tz::UTC, accepted_age: TimeDelta::days(30) }
    }

    fn check(resource: Resource, body: &str) -> Result<Valid, String> {
        let fields = json::parse(body.as_bytes(), resource.fields()).unwrap();
        validate(resource, &fields, clock()).map_err(|errors| serde_json::to_string(&errors).unwrap())
    }

    #[test]
    fn every_missing_field_is_told_in_field_order() {
        let required = "[\"This field is required.\"]";
        assert_eq!(
            check(Resource::Session, "{}").unwrap_err(),
            format!(r#"{{"session_id":{required},"user_agent":{required},"ip_address":{required}}}"#)
        );
        assert_eq!(
            check(Resource::PageView, "{}").unwrap_err(),
            format!(r#"{{"url":{required},"session_id":{required}}}"#)
        );
        assert_eq!(
            check(Resource::Interaction, r#"{"metadata":null,"event_id":"x"}"#).unwrap_err(),
            format!(
                r#"{{"event_type":{required},"element":{required},"metadata":["This field may not be null."],"session_id":{required},"event_id":["Must be a valid UUID."]}}"#
            )
        );
    }

    #[rstest]
    #[case("\"\"", "\\\"\\\" is not a valid choice.")]
    #[case("\" click\"", "\\\" click\\\" is not a valid choice.")]
    #[case("\"Click\"", "\\\"Click\\\" is not a valid choice.")]
    #[case("true", "\\\"True\\\" is not a valid choice.")]
    #[case("5", "\\\"5\\\" is not a valid choice.")]
    #[case("[\"click\"]", "\\\"['click']\\\" is not a valid choice.")]
    fn a_wrong_event_type_is_repeated(#[case] json: &str, #[case] told: &str) {
        let body = format!(r#"{{"event_type":{json},"element":"b","session_id":"s"}}"#);
        assert_eq!(check(Resource::Interaction, &body).unwrap_err(), format!(r#"{{"event_type":["{told}"]}}"#));
    }

    #[rstest]
    #[case::absent("{}", None)]
    #[case::taken(r#"{"timestamp":"2026-11-24T11:00:00Z"}"#, Some("2026-11-24T11:00:00Z"))]
    #[case::a_little_ahead(r#"{"timestamp":"2026-11-24T12:05:00Z"}"#, Some("2026-11-24T12:05:00Z"))]
    #[case::too_far_ahead(r#"{"timestamp":"2026-11-24T12:05:01Z"}"#, None)]
    #[case::just_young_enough(r#"{"timestamp":"2026-10-25T12:00:00Z"}"#, Some("2026-10-25T12:00:00Z"))]
    #[case::too_old(r#"{"timestamp":"2026-10-25T11:59:59Z"}"#, None)]
    #[case::no_time(r#"{"timestamp":"yesterday"}"#, None)]
    #[case::null(r#"{"timestamp":null}"#, None)]
    #[case::a_number(r#"{"timestamp":1764000000}"#, None)]
    fn a_clients_time_counts_within_its_window(#[case] time: &str, #[case] taken: Option<&str>) {
        let body = time.replacen('{', r#"{"url":"http://a.example/","session_id":"s","x":0,"#, 1).replace(",}", "}");
        let taken = taken.map(|text| DateTime::parse_from_rfc3339(text).unwrap().to_utc());
        assert_eq!(check(Resource::PageView, &body).unwrap().client_time, taken);
    }

    #[test]
    fn a_whole_session_is_read() {
        let body = r#"{"id":7,"session_id":" s 1 ","user_agent":5,"ip_address":"::ffff:1.2.3.4","start_time":null,
            "end_time":"9999-12-31T23:59:59.999999Z","user_id":" ","event_id":"01890a5dac96774bbcceb302099a8057"}"#;
        let valid = check(Resource::Session, body).unwrap();
        assert_eq!((valid.session_id.as_str(), valid.event_id.is_some()), ("s 1", true));
        let Event::SessionAnnounced(session) = valid.event else { panic!("no session") };
        assert_eq!((session.user_agent.as_str(), session.ip_address.to_string()), ("5", "1.2.3.4".into()));
        assert_eq!((session.user_id.as_deref(), session.end_time.is_some()), (Some(""), true));
    }
}
