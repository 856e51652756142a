//! A valid event onto the log, and the answer to its sender.

use crate::events::{Kind, Valid};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use event_log::{AppendError, NewRecord};
use schema::{Envelope, Event, Position, Source, codec};
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use service::{
    http::Problem,
    openapi::schemas::{formatted, integer, named, object, or_null, text, time as shown_time},
    time_format::show,
};
use std::net::IpAddr;
use utoipa::openapi::{RefOr, Schema, schema::ObjectBuilder};
use uuid::Uuid;

/// After how many seconds a client may try again when the log is away or full.
pub(crate) const RETRY_AFTER_SECONDS: u32 = 1;

/// What is said to an event that the log will never take.
pub(crate) const TOO_LARGE: &str = "The event is larger than the log takes.";

/// The 202 body: the event as accepted (contract § 12).
#[derive(Debug, Serialize)]
pub(crate) struct Accepted {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<i64>,
    #[serde(flatten)]
    event: AcceptedEvent,
    event_id: Uuid,
    recorded_at: String,
    /// Whose time the event's own is: `client` or `server`.
    time_source: &'static str,
}

/// Its fields in the order in which the lists show them (contract § 2), with `session_id` in the session's place.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum AcceptedEvent {
    Session {
        session_id: String,
        user_agent: String,
        ip_address: IpAddr,
        start_time: String,
        end_time: Option<String>,
        user_id: Option<String>,
    },
    PageView {
        url: String,
        timestamp: String,
        session_id: String,
    },
    SessionEnd {
        session_id: String,
        timestamp: String,
    },
    Interaction {
        session_id: String,
        event_type: &'static str,
        element: String,
        metadata: Box<RawValue>,
        timestamp: String,
    },
}

/// Puts server time, ids and source around a valid event.
pub(crate) fn stamp(valid: Valid, source: Source, now: DateTime<Utc>) -> Envelope {
    Envelope {
        event_id: valid.event_id.unwrap_or_else(Uuid::now_v7),
        event_id_given: valid.event_id.is_some(),
        session_id: valid.session_id,
        occurred_at: valid.client_time.unwrap_or(now),
        recorded_at: now,
        source,
        event: valid.event,
    }
}

/// The record of an envelope.
pub(crate) fn record(envelope: &Envelope) -> NewRecord {
    NewRecord {
        key: envelope.session_id.as_str().as_bytes().to_vec(),
        event_id: envelope.event_id,
        schema_version: codec::SCHEMA_VERSION,
        value: codec::encode(envelope),
    }
}

/// Whose time an event's own is.
pub(crate) fn time_source(from_client: bool) -> &'static str {
    if from_client { "client" } else { "server" }
}

/// The id under which an event will be found. That of a session is the first event's that mentions it: not known here.
pub(crate) fn id(event: &Event, position: Position) -> Option<i64> {
    matches!(event, Event::PageViewRecorded(_) | Event::InteractionRecorded(_)).then(|| position.id())
}

/// The answer to an event that is on the log at `position`.
pub(crate) fn accepted(envelope: Envelope, from_client: bool, position: Position, zone: Tz) -> Response {
    let time = show(envelope.occurred_at, zone);
    let id = id(&envelope.event, position);
    let session_id = envelope.session_id.as_str().to_owned();
    let event = match envelope.event {
        Event::SessionAnnounced(session) => AcceptedEvent::Session {
            session_id,
            user_agent: session.user_agent,
            ip_address: session.ip_address,
            start_time: time,
            end_time: session.end_time.map(|end| show(end, zone)),
            user_id: session.user_id,
        },
        Event::PageViewRecorded(page_view) => {
            AcceptedEvent::PageView { url: page_view.url, timestamp: time, session_id }
        }
        Event::SessionEnded => AcceptedEvent::SessionEnd { session_id, timestamp: time },
        Event::InteractionRecorded(interaction) => AcceptedEvent::Interaction {
            session_id,
            event_type: interaction.kind.as_str(),
            element: interaction.element,
            metadata: interaction.metadata,
            timestamp: time,
        },
        other => unreachable!("ingest makes no {}", other.event_type()),
    };
    let body = Accepted {
        id,
        event,
        event_id: envelope.event_id,
        recorded_at: show(envelope.recorded_at, zone),
        time_source: time_source(from_client),
    };
    let body = serde_json::to_vec(&body).expect("texts, numbers and raw JSON serialise");
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::ACCEPTED, headers, [("footfall-position", position.to_string())], body).into_response()
}

/// What a 503 says about whether the event was stored all the same.
pub(crate) fn stored(error: &AppendError) -> &'static str {
    match error {
        AppendError::Overloaded(_) | AppendError::TooLarge => "no",
        AppendError::Unknown(_) | AppendError::Fenced(_) => "unknown",
    }
}

/// The answer to an event that the log did not confirm.
pub(crate) fn refused(error: &AppendError) -> Problem {
    let detail = match error {
        AppendError::TooLarge => return Problem::detail(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE),
        AppendError::Overloaded(_) => "The event was not stored: the log cannot take it now. Send it again.",
        AppendError::Unknown(_) | AppendError::Fenced(_) => {
            "It is not known whether the event was stored: the log did not answer in time. Send it again with the same event_id."
        }
    };
    let mut problem = Problem::unavailable(detail, RETRY_AFTER_SECONDS);
    problem.body["stored"] = stored(error).into();
    problem
}

/// What is answered to an event of a kind, in OpenAPI.
pub(crate) fn described(kind: Kind) -> ObjectBuilder {
    let mut all: Vec<(&str, RefOr<Schema>)> = Vec::new();
    let own_id = || integer().minimum(Some(1)).description(Some("The `id` under which it will be found."));
    match kind {
        Kind::Session => all.extend([
            ("user_agent", text().into()),
            ("ip_address", text().into()),
            ("start_time", shown_time().into()),
            ("end_time", or_null(shown_time()).into()),
            ("user_id", or_null(text()).into()),
        ]),
        Kind::PageView => {
            all.extend([("id", own_id().into()), ("url", text().into()), ("timestamp", shown_time().into())]);
        }
        Kind::SessionEnd => all.push(("timestamp", shown_time().into())),
        Kind::Interaction => all.extend([
            ("id", own_id().into()),
            ("event_type", text().into()),
            ("element", text().into()),
            ("metadata", named("Metadata")),
            ("timestamp", shown_time().into()),
        ]),
    }
    all.extend([
        ("session_id", text().into()),
        ("event_id", formatted("uuid").into()),
        ("recorded_at", shown_time().description(Some("The server's time.")).into()),
        ("time_source", crate::described::time_source()),
    ]);
    object(all)
}

/// The same as an example.
pub(crate) fn example(kind: Kind) -> Value {
    let mut example = json!({
        "session_id": "s-1", "event_id": "0198a1c2-7d3e-7f00-8000-000000000001",
        "recorded_at": "2026-11-24T09:30:00.125000Z", "time_source": "server"
    });
    let (own, time) = match kind {
        Kind::Session => (
            json!({
                "user_agent": "Mozilla/5.0 Firefox/140.0", "ip_address": "192.0.2.1", "end_time": null, "user_id": "ann"
            }),
            "start_time",
        ),
        Kind::PageView => (json!({"id": 4_503_599_627_370_498_i64, "url": "https://shop.example/"}), "timestamp"),
        Kind::Interaction => (
            json!({
                "id": 4_503_599_627_370_499_i64, "event_type": "click", "element": "#buy", "metadata": {"price": 9.5}
            }),
            "timestamp",
        ),
        Kind::SessionEnd => (json!({}), "timestamp"),
    };
    if let (Value::Object(example), Value::Object(own)) = (&mut example, own) {
        example.extend(own);
        example.insert(time.to_owned(), "2026-11-24T09:30:00.125000Z".into());
    }
    example
}
