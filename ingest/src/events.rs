//! The fields of a request into an event: every field is looked at, so that all errors are told at once.

use crate::{
    clock::Clock,
    field_errors::FieldErrors,
    fields::Fields,
    python,
    rules::{self, Messages, REQUIRED, address, message, metadata, text, time, url},
};
use chrono::{DateTime, Utc};
use schema::{
    Event, InteractionKind, InteractionRecorded, PageViewRecorded, SessionAnnounced, SessionId,
    limits::{MAX_ELEMENT_CHARS, MAX_SESSION_ID_CHARS, MAX_USER_ID_CHARS},
};
use service::resource::Resource;
use uuid::Uuid;

/// What can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Session,
    PageView,
    Interaction,
    SessionEnd,
}

impl Kind {
    /// By its name in a batch (contract § 12).
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "session" => Some(Self::Session),
            "pageview" => Some(Self::PageView),
            "interaction" => Some(Self::Interaction),
            "session_end" => Some(Self::SessionEnd),
            _ => None,
        }
    }

    /// The resource whose settings hold for it.
    pub fn resource(self) -> Resource {
        match self {
            Self::Session | Self::SessionEnd => Resource::Sessions,
            Self::PageView => Resource::PageViews,
            Self::Interaction => Resource::Interactions,
        }
    }

    /// The fields that are read; all others are ignored.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Session => {
                &["session_id", "user_agent", "ip_address", "start_time", "end_time", "user_id", "event_id"]
            }
            Self::PageView => &["url", "timestamp", "session_id", "event_id"],
            Self::Interaction => &["event_type", "element", "metadata", "timestamp", "session_id", "event_id"],
            Self::SessionEnd => &["session_id", "timestamp", "event_id"],
        }
    }
}

/// An event that may go onto the log.
#[derive(Debug)]
pub(crate) struct Valid {
    pub session_id: SessionId,
    /// The id that the client gave.
    pub event_id: Option<Uuid>,
    /// The client's time, when it is within its window; never more than five minutes in the future.
    pub client_time: Option<DateTime<Utc>>,
    pub event: Event,
}

/// Reads an event out of a body's fields.
pub(crate) fn validate(kind: Kind, fields: &Fields<'_>, clock: Clock) -> Result<Valid, FieldErrors> {
    let mut errors = FieldErrors::default();
    let valid = match kind {
        Kind::Session => session(fields, clock, &mut errors),
        Kind::PageView => page_view(fields, clock, &mut errors),
        Kind::Interaction => interaction(fields, clock, &mut errors),
        Kind::SessionEnd => session_end(fields, clock, &mut errors),
    };
    valid.filter(|_| errors.is_empty()).ok_or(errors)
}

fn session(fields: &Fields<'_>, clock: Clock, errors: &mut FieldErrors) -> Option<Valid> {
    let session_id = errors.take("session_id", session_id(fields));
    let user_agent = errors.take("user_agent", text::required(fields.get("user_agent"), usize::MAX));
    let ip_address = errors.take("ip_address", address::required(fields.get("ip_address")));
    let client_time = errors.take("start_time", clock.client_time(fields, "start_time"));
    let end_time = time::optional(fields.get("end_time"), clock.zone).and_then(|time| clock.corrected(time));
    let end_time = errors.take("end_time", end_time);
    let user_id = errors.take("user_id", text::optional(fields.get("user_id"), MAX_USER_ID_CHARS));
    let event_id = errors.take("event_id", event_id(fields.get("event_id")));
    let announced =
        SessionAnnounced { user_agent: user_agent?, ip_address: ip_address?, user_id: user_id?, end_time: end_time? };
    valid(session_id, event_id, client_time, Event::SessionAnnounced(announced))
}

fn page_view(fields: &Fields<'_>, clock: Clock, errors: &mut FieldErrors) -> Option<Valid> {
    let url = errors.take("url", url::required(fields.get("url")));
    let client_time = errors.take("timestamp", clock.client_time(fields, "timestamp"));
    let session_id = errors.take("session_id", session_id(fields));
    let event_id = errors.take("event_id", event_id(fields.get("event_id")));
    valid(session_id, event_id, client_time, Event::PageViewRecorded(PageViewRecorded { url: url? }))
}

fn interaction(fields: &Fields<'_>, clock: Clock, errors: &mut FieldErrors) -> Option<Valid> {
    let kind = errors.take("event_type", kind(fields.get("event_type")));
    let element = errors.take("element", text::required(fields.get("element"), MAX_ELEMENT_CHARS));
    let given = fields.get("metadata");
    let metadata = if fields.is_form() { metadata::optional_in_form(given) } else { metadata::optional(given) };
    let metadata = errors.take("metadata", metadata);
    let client_time = errors.take("timestamp", clock.client_time(fields, "timestamp"));
    let session_id = errors.take("session_id", session_id(fields));
    let event_id = errors.take("event_id", event_id(fields.get("event_id")));
    let recorded = InteractionRecorded { kind: kind?, element: element?, metadata: metadata? };
    valid(session_id, event_id, client_time, Event::InteractionRecorded(recorded))
}

fn session_end(fields: &Fields<'_>, clock: Clock, errors: &mut FieldErrors) -> Option<Valid> {
    let session_id = errors.take("session_id", session_id(fields));
    let client_time = errors.take("timestamp", clock.client_time(fields, "timestamp"));
    let event_id = errors.take("event_id", event_id(fields.get("event_id")));
    valid(session_id, event_id, client_time, Event::SessionEnded)
}

fn valid(
    session_id: Option<SessionId>,
    event_id: Option<Option<Uuid>>,
    client_time: Option<Option<DateTime<Utc>>>,
    event: Event,
) -> Option<Valid> {
    Some(Valid { session_id: session_id?, event_id: event_id?, client_time: client_time?, event })
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
    match text.as_deref().map(|text| Uuid::parse_str(text.trim())) {
        Some(Ok(id)) => Ok(Some(id)),
        _ => message("Must be a valid UUID."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::tests::clock, json};
    use rstest::rstest;

    fn check(kind: Kind, body: &str) -> Result<Valid, String> {
        let fields = json::parse(body, kind.fields()).unwrap();
        validate(kind, &fields, clock()).map_err(|errors| serde_json::to_string(&errors).unwrap())
    }

    #[test]
    fn every_missing_field_is_told_in_field_order() {
        let required = "[\"This field is required.\"]";
        assert_eq!(
            check(Kind::Session, "{}").unwrap_err(),
            format!(r#"{{"session_id":{required},"user_agent":{required},"ip_address":{required}}}"#)
        );
        assert_eq!(
            check(Kind::PageView, "{}").unwrap_err(),
            format!(r#"{{"url":{required},"session_id":{required}}}"#)
        );
        assert_eq!(
            check(Kind::Interaction, r#"{"metadata":null,"event_id":"x"}"#).unwrap_err(),
            format!(
                r#"{{"event_type":{required},"element":{required},"metadata":["This field may not be null."],"session_id":{required},"event_id":["Must be a valid UUID."]}}"#
            )
        );
        assert_eq!(check(Kind::SessionEnd, "{}").unwrap_err(), format!(r#"{{"session_id":{required}}}"#));
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
        assert_eq!(check(Kind::Interaction, &body).unwrap_err(), format!(r#"{{"event_type":["{told}"]}}"#));
    }

    #[test]
    fn a_whole_session_is_read() {
        let body = r#"{"id":7,"session_id":" s 1 ","user_agent":5,"ip_address":"::ffff:1.2.3.4","start_time":null,
            "end_time":"9999-12-31T23:59:59.999999Z","user_id":" ","event_id":"01890a5dac96774bbcceb302099a8057"}"#;
        let valid = check(Kind::Session, body).unwrap();
        assert_eq!((valid.session_id.as_str(), valid.event_id.is_some()), ("s 1", true));
        let Event::SessionAnnounced(session) = valid.event else { panic!("no session") };
        assert_eq!((session.user_agent.as_str(), session.ip_address.to_string()), ("5", "1.2.3.4".into()));
        assert_eq!((session.user_id.as_deref(), session.end_time.is_some()), (Some(""), true));
    }
}
