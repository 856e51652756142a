//! `POST /sessions/`, `/pageviews/`, `/interactions/`.

use crate::{
    body::{BodyMemory, MediaType, media_type},
    events::{Clock, Resource, validate},
    json, metrics,
    settings::IngestSettings,
    submit::{accepted, record, refused, stamp},
};
use anyhow::anyhow;
use axum::{
    Router,
    extract::Request,
    http::HeaderMap,
    http::header,
    response::{IntoResponse, Response},
    routing::post,
};
use chrono::Utc;
use chrono_tz::Tz;
use event_log::{AppendError, EventWriter};
use schema::{Source, to_micros};
use service::{access::Identity, client_address::ClientAddress, http::Problem, lifecycle::Shutdown, ops::Component};
use std::{sync::Arc, time::Duration};

/// Takes events. Clones share everything.
#[derive(Clone)]
pub struct Ingest {
    inner: Arc<Inner>,
}

struct Inner {
    settings: IngestSettings,
    zone: Tz,
    writer: Arc<dyn EventWriter>,
    bodies: BodyMemory,
    shutdown: Shutdown,
}

impl Ingest {
    /// `zone` is that of times without one; `shutdown` is told when another process has taken over the log.
    pub fn new(settings: IngestSettings, zone: Tz, writer: Arc<dyn EventWriter>, shutdown: Shutdown) -> Self {
        let bodies = BodyMemory::new(usize::from(settings.body_memory_mib) << 20);
        Self { inner: Arc::new(Inner { settings, zone, writer, bodies, shutdown }) }
    }

    /// The routes, without a fallback: they can be merged with those of query-api.
    pub fn routes(&self) -> Router {
        let route = |resource| {
            let ingest = self.clone();
            post(move |request: Request| async move { ingest.take(resource, request).await })
        };
        Router::new()
            .route("/sessions/", route(Resource::Session))
            .route("/pageviews/", route(Resource::PageView))
            .route("/interactions/", route(Resource::Interaction))
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

    async fn take(&self, resource: Resource, request: Request) -> Response {
        let response = match self.answer(resource, request).await {
            Ok(response) | Err(response) => response,
        };
        if !response.status().is_success() {
            metrics::refused(response.status());
        }
        response
    }

    async fn answer(&self, resource: Resource, request: Request) -> Result<Response, Response> {
        let (head, body) = request.into_parts();
        let identity = head.extensions.get::<Identity>().cloned().unwrap_or_default();
        self.inner.settings.write_access.check(&identity).map_err(Problem::into_response)?;
        let body = self.inner.bodies.receive(&head.headers, body).await.map_err(Problem::into_response)?;
        if !body.bytes.is_empty() {
            match media_type(&head.headers).map_err(Problem::into_response)? {
                MediaType::Json => {}
            }
        }
        let now = to_micros(Utc::now());
        let clock = Clock { now, zone: self.inner.zone, accepted_age: self.inner.settings.accepted_age() };
        let fields = json::parse(&body.bytes, resource.fields()).map_err(Problem::into_response)?;
        let valid = validate(resource, &fields, clock).map_err(IntoResponse::into_response)?;
        let from_client = valid.client_time.is_some();
        let address = head.extensions.get::<ClientAddress>().map(|address| address.0);
        let source = Source { address, user_agent: user_agent(&head.headers), user: identity.name, client: None };
        let envelope = stamp(valid, source, now);
        let record = record(&envelope);
        drop(body);

        let started = std::time::Instant::now();
        let answer = self.inner.writer.append(vec![record]).await.pop();
        ::metrics::histogram!(metrics::APPEND_SECONDS).record(started.elapsed());
        match answer.unwrap_or_else(|| Err(AppendError::Unknown("no answer".to_owned()))) {
            Ok(position) => {
                metrics::accepted(envelope.event.event_type());
                Ok(accepted(envelope, from_client, position, self.inner.zone))
            }
            Err(error) => {
                self.note(&error);
                Err(refused(&error).into_response())
            }
        }
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

fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
