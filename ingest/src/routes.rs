//! What ingest answers: `POST` of the three resources, batches, the end of a session, and the pixel.

use crate::{
    batch,
    body::{BodyMemory, Received},
    clock::Clock,
    described,
    events::Kind,
    metrics,
    settings::IngestSettings,
};
use anyhow::anyhow;
use axum::{
    Router,
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use chrono::{TimeDelta, Utc};
use chrono_tz::Tz;
use event_log::{AppendError, EventWriter, NewRecord};
use schema::{Position, Source, limits::MAX_SOURCE_USER_AGENT_CHARS, to_micros};
use service::{
    access::Identity,
    client_address::ClientAddress,
    http::Problem,
    lifecycle::Shutdown,
    negotiation,
    openapi::{self, Endpoints},
    ops::Component,
    resource::Resource,
};
use std::{num::NonZero, sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use utoipa::openapi::OpenApi;

/// Says what keeps an event that was answered 202.
const STORED: HeaderName = HeaderName::from_static("footfall-stored");

/// How long a body may still take once the process is to stop.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Takes events. Clones share everything.
#[derive(Clone)]
pub struct Ingest {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub settings: IngestSettings,
    pub zone: Tz,
    pub bodies: BodyMemory,
    /// One for each batch that is unpacked and read at the same time.
    pub unpacking: Semaphore,
    writer: Arc<dyn EventWriter>,
    shutdown: Shutdown,
}

impl Ingest {
    /// `zone` is that of times without one; `shutdown` is told when another process has taken over the log.
    pub fn new(settings: IngestSettings, zone: Tz, writer: Arc<dyn EventWriter>, shutdown: Shutdown) -> Self {
        let bodies = BodyMemory::new(usize::from(settings.body_memory_mib) << 20);
        let unpacking = Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get));
        Self { inner: Arc::new(Inner { settings, zone, bodies, unpacking, writer, shutdown }) }
    }

    /// The routes, without a fallback: they can be merged with those of query-api.
    pub fn routes(&self) -> Router {
        endpoints().into_router().with_state(self.clone())
    }

    /// Reads a body of at most `limit` bytes. What a client has not sent a moment after the shutdown has begun is not
    /// waited for.
    pub(crate) async fn receive_in_time(
        &self,
        headers: &HeaderMap,
        body: Body,
        limit: usize,
    ) -> Result<Received, Problem> {
        let last_moment = async {
            self.inner.shutdown.token().cancelled().await;
            tokio::time::sleep(LAST_MOMENT).await;
        };
        tokio::select! {
            body = self.inner.bodies.receive(headers, body, limit) => body,
            () = last_moment => Err(Problem::unavailable("The server is stopping.", 1)),
        }
    }

    /// Keeps the readiness in step with the log until the process stops.
    pub async fn watch_readiness(self, component: Component) -> anyhow::Result<()> {
        loop {
            match self.inner.writer.ready() {
                Ok(()) => component.ready(),
                Err(reason) => component.not_ready(reason),
            }
            let pause = tokio::time::sleep(Duration::from_millis(500));
            if self.inner.shutdown.token().run_until_cancelled(pause).await.is_none() {
                return Ok(());
            }
        }
    }

    fn counted(&self, answer: Result<Response, Response>) -> Response {
        match answer {
            Ok(mut response) => {
                response.headers_mut().insert(STORED, HeaderValue::from_static(self.inner.writer.kept_by()));
                response
            }
            Err(response) => {
                metrics::refused(response.status());
                response
            }
        }
    }

    /// Whether this resource takes events, from this client. A gate in front may have asked already.
    pub(crate) fn admit(&self, head: &Parts, resource: Resource) -> Result<(), Problem> {
        self.inner.settings.write_access(resource).check(&identity(head))?;
        if self.inner.settings.allow_create(resource) { Ok(()) } else { Err(switched_off(&head.method)) }
    }

    /// The server's clock, for a client whose own is `correction` behind.
    pub(crate) fn clock(&self, strict: bool, correction: TimeDelta) -> Clock {
        let (now, accepted_age) = (to_micros(Utc::now()), self.inner.settings.accepted_age());
        Clock { now, zone: self.inner.zone, accepted_age, correction, strict }
    }

    /// Puts records onto the log: an answer for each, in order.
    pub(crate) async fn append(&self, records: Vec<NewRecord>) -> Vec<Result<Position, AppendError>> {
        let count = records.len();
        let started = std::time::Instant::now();
        let mut answers = self.inner.writer.append(records).await;
        ::metrics::histogram!(metrics::APPEND_SECONDS).record(started.elapsed());
        answers.resize_with(count, || Err(AppendError::Unknown("no answer".to_owned())));
        if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err()) {
            self.note(error);
        }
        answers
    }

    /// Tells the operator; ends the process when another one owns the log.
    fn note(&self, error: &AppendError) {
        match error {
            AppendError::Fenced(_) => {
                let reason = anyhow!("{error}; this process ends, so that only one of them writes");
                self.inner.shutdown.spawn("event log", async move { Err(reason) });
            }
            // one line a request would be a flood: readiness and the metrics tell of an outage
            AppendError::Overloaded(_) | AppendError::Unknown(_) => {
                tracing::debug!(%error, "an event was not confirmed");
            }
            AppendError::TooLarge => tracing::debug!("an event was too large for the log"),
        }
    }
}

/// What is answered, and its description.
fn endpoints() -> Endpoints<Ingest> {
    let single = |kind| {
        move |State(ingest): State<Ingest>, request: Request| async move {
            ingest.counted(ingest.take(kind, None, request).await)
        }
    };
    let end = |State(ingest): State<Ingest>, path: Result<Path<String>, PathRejection>, request: Request| async move {
        // an empty part of a path is none: the gate has not looked at it
        let Some(Path(session_id)) = path.ok().filter(|Path(session_id)| !session_id.is_empty()) else {
            return ingest.counted(Err(Problem::not_found().into_response()));
        };
        ingest.counted(ingest.take(Kind::SessionEnd, Some(session_id), request).await)
    };
    let all = |State(ingest): State<Ingest>, request: Request| async move {
        ingest.counted(ingest.take_batch(request).await)
    };
    let pixel =
        |State(ingest): State<Ingest>, request: Request| async move { ingest.counted(ingest.draw(request).await) };
    Endpoints::default()
        .post("/sessions/", single(Kind::Session), described::single(Kind::Session))
        .post("/pageviews/", single(Kind::PageView), described::single(Kind::PageView))
        .post("/interactions/", single(Kind::Interaction), described::single(Kind::Interaction))
        .post("/batch/", all, batch::described::batch())
        .post("/sessions/{session_id}/end/", end, described::single(Kind::SessionEnd))
        .get("/pixel.gif", pixel, described::pixel())
}

/// Ingest's part of the description in OpenAPI.
pub fn openapi() -> OpenApi {
    openapi::part(
        endpoints().into_paths(),
        described::schemas().into_iter().chain(batch::described::schemas()),
        described::tags(),
    )
}

/// Who is asking.
fn identity(head: &Parts) -> Identity {
    head.extensions.get::<Identity>().cloned().unwrap_or_default()
}

/// Who sends, as far as the request tells.
pub(crate) fn source(head: &Parts) -> Source {
    let user_agent = head.headers.get(header::USER_AGENT);
    Source {
        address: head.extensions.get::<ClientAddress>().map(|address| address.0),
        user_agent: user_agent.map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes());
            text.chars().take(MAX_SOURCE_USER_AGENT_CHARS).collect()
        }),
        user: identity(head).name,
        client: None,
        moved_from: None,
    }
}

/// 406 or 404 for a client that does not take JSON (contract § 1).
pub(crate) fn negotiate(head: &Parts) -> Result<(), Problem> {
    let query = head.uri.query().unwrap_or_default();
    let format = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "format").last();
    negotiation::json(&head.headers, format.as_ref().map(|(_, format)| format.as_ref()))
}

fn switched_off(method: &Method) -> Problem {
    let detail =
        format!("The method \"{method}\" is currently disabled for this endpoint. It can be changed in the settings.");
    Problem::detail(StatusCode::METHOD_NOT_ALLOWED, detail)
}
