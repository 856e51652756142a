//! One event a request: the three resources and the end of a session.

use crate::{
    body::Received,
    clock::Clock,
    content_type::{ContentType, MediaType},
    events::{Kind, Valid, validate},
    field_errors::FieldErrors,
    fields::Fields,
    forms::{multipart, urlencoded},
    json, metrics,
    routes::{Ingest, negotiate, source},
    settings::Parser,
    submit::{accepted, record, refused, stamp},
};
use axum::{
    extract::Request,
    http::request::Parts,
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use event_log::AppendError;
use schema::{Envelope, Position, limits::MAX_BODY_BYTES};
use service::http::Problem;

impl Ingest {
    /// Answers a request that brings one event; `session_id` when the path names its session.
    pub(crate) async fn take(
        &self,
        kind: Kind,
        session_id: Option<String>,
        request: Request,
    ) -> Result<Response, Response> {
        let (head, body) = request.into_parts();
        negotiate(&head).and_then(|()| self.admit(&head, kind.resource())).map_err(Problem::into_response)?;
        let body = self.receive_in_time(&head.headers, body, MAX_BODY_BYTES).await.map_err(Problem::into_response)?;
        let valid = self.read(kind, session_id, &head, &body).map_err(Problem::into_response)?;
        let valid = valid.map_err(IntoResponse::into_response)?;
        drop(body);
        let (envelope, from_client, position) = self.store(valid, &head).await.map_err(Problem::into_response)?;
        Ok(accepted(envelope, from_client, position, self.inner.zone))
    }

    fn read(
        &self,
        kind: Kind,
        session_id: Option<String>,
        head: &Parts,
        body: &Received,
    ) -> Result<Result<Valid, FieldErrors>, Problem> {
        let (content_type, parsers) = (ContentType::of(&head.headers), self.inner.settings.parsers(kind.resource()));
        read(&content_type, &parsers, kind, session_id, &body.bytes, self.clock(false, TimeDelta::zero()))
    }

    /// Puts an event onto the log; tells also whether its time is the client's.
    pub(crate) async fn store(&self, valid: Valid, head: &Parts) -> Result<(Envelope, bool, Position), Problem> {
        let from_client = valid.client_time.is_some();
        let now = self.clock(false, TimeDelta::zero()).now;
        let envelope = stamp(valid, source(head), now);
        let answer = self.append(vec![record(&envelope)]).await.pop();
        match answer.unwrap_or_else(|| Err(AppendError::Unknown("no answer".to_owned()))) {
            Ok(position) => {
                metrics::accepted(envelope.event.event_type());
                Ok((envelope, from_client, position))
            }
            Err(error) => Err(refused(&error)),
        }
    }
}

/// A body into an event: a problem of the body as a whole, or errors of its fields.
pub(crate) fn read(
    content_type: &ContentType,
    parsers: &[Parser],
    kind: Kind,
    session_id: Option<String>,
    body: &[u8],
    clock: Clock,
) -> Result<Result<Valid, FieldErrors>, Problem> {
    let text;
    // whatever an empty body is said to be, it is as `{}` (contract § 4)
    let media_type = if body.is_empty() { None } else { Some(content_type.of_event(parsers)?) };
    let fields = match media_type {
        None => Ok(Fields::none(kind.fields())),
        Some(MediaType::Form) => urlencoded::parse(body, content_type.charset, kind.fields()),
        Some(MediaType::Multipart { boundary }) => {
            multipart::parse(body, boundary.as_deref(), content_type.charset, kind.fields())
        }
        Some(MediaType::Json) => {
            let decoded = content_type.charset.strict(body);
            text = decoded.map_err(|error| Problem::from(json::syntax(&error)))?;
            json::parse(&text, kind.fields()).map_err(Problem::from)
        }
    };
    let mut fields = fields?;
    if let Some(session_id) = session_id {
        fields.set_text("session_id", &session_id);
    }
    Ok(validate(kind, &fields, clock))
}
