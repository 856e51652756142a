//! Which path is which file, and what all handlers share.

use crate::{
    admin,
    docs::{self, Documents},
    error::QueryError,
    freshness, lists, report,
    settings::{ACCOUNT_CONNECTIONS, QuerySettings},
    sign_in, trouble,
};
use anyhow::bail;
use axum::{
    Extension, Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use chrono_tz::Tz;
use event_log::{EventReader, EventWriter};
use schema::migrations::{ACCOUNTS_SCHEMA, READ_MODEL_SCHEMA};
use service::{
    access::{Identity, Keys},
    database::{ACQUIRE_TIMEOUT, Database, why_away},
    openapi::{self, Endpoints},
    ops::Component,
    resource::Resource,
    site::Site,
    throttle::Attempts,
};
use sqlx::PgPool;
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

/// Passwords that are checked at once: each check takes 19 MiB for a few milliseconds.
const PASSWORD_CHECKS: usize = 4;

/// What a request may take beyond one connection and one statement.
const AIR: Duration = Duration::from_secs(2);

/// How often the readiness is looked at while it is good, and while it is not.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Long answers at once: each keeps a connection to the database busy for as long as its client reads.
const LONG_ANSWERS: usize = 2;

/// Pages with long texts at once: each holds a few objects, of 2.5 MiB at most, for as long as its client reads.
const LARGE_PAGES: usize = 4;

/// Answers from the read model. Clones share everything.
#[derive(Clone)]
pub struct QueryApi {
    pub(crate) inner: Arc<Inner>,
    /// Takes the admin's changes; without it there can be none.
    pub(crate) writer: Option<Arc<dyn EventWriter>>,
}

pub(crate) struct Inner {
    pub settings: QuerySettings,
    pub zone: Tz,
    pub pool: PgPool,
    pub accounts: PgPool,
    pub keys: Keys,
    pub base_path: String,
    pub log: OnceLock<Arc<dyn EventReader>>,
    pub password_checks: Semaphore,
    pub attempts: Attempts,
    /// Tables of the report that are sent whole.
    pub long_answers: Arc<Semaphore>,
    /// Pages of lists whose texts are too long to be held together.
    pub large_pages: Arc<Semaphore>,
    pub report_days: report::Kept,
}

impl QueryApi {
    /// `zone` is that of the read model's days; `log` tells how far the log is, for `/status/`.
    pub fn new(
        settings: QuerySettings,
        zone: Tz,
        database: &Database,
        keys: Keys,
        base_path: &str,
        log: Option<Arc<dyn EventReader>>,
    ) -> Self {
        let (connections, timeout) = (settings.query_connections, settings.statement_timeout());
        let pool = database.read_only_pool(READ_MODEL_SCHEMA, "footfall query-api", connections, timeout);
        let accounts = database.pool(ACCOUNTS_SCHEMA, "footfall query-api accounts", ACCOUNT_CONNECTIONS);
        let base_path = base_path.to_owned();
        let password_checks = Semaphore::new(PASSWORD_CHECKS);
        let attempts = Attempts::default();
        let log = log.map_or_else(OnceLock::new, OnceLock::from);
        let report_days = report::Kept::new(settings.report_cache_bytes());
        let inner = Inner {
            settings,
            zone,
            pool,
            accounts,
            keys,
            base_path,
            log,
            password_checks,
            attempts,
            long_answers: Arc::new(Semaphore::new(LONG_ANSWERS)),
            large_pages: Arc::new(Semaphore::new(LARGE_PAGES)),
            report_days,
        };
        Self { inner: Arc::new(inner), writer: None }
    }

    /// The same, with a log that takes the admin's changes.
    #[must_use]
    pub fn writing_to(mut self, writer: Arc<dyn EventWriter>) -> Self {
        self.writer = Some(writer);
        self
    }

    /// From now on `/status/` tells how far the log is. The first reader stays.
    pub fn follow(&self, log: Arc<dyn EventReader>) {
        let _ = self.inner.log.set(log);
    }

    /// The routes, without a fallback: they can be merged with those of ingest. `document` describes all of them.
    pub fn routes(&self, document: &OpenApi) -> Router {
        endpoints()
            .into_router()
            .merge(admin::routes(self))
            .layer(middleware::from_fn_with_state(self.clone(), look_behind_the_cookie))
            .layer(middleware::from_fn_with_state(self.clone(), answer_in_time))
            .layer(middleware::from_fn_with_state(self.clone(), trouble::in_plain_words))
            .layer(Extension(Documents::of(document, &self.inner.base_path)))
            .with_state(self.clone())
    }

    /// Keeps the readiness in step with PostgreSQL until the process stops.
    ///
    /// # Errors
    /// When the read model's days are those of another zone: everything would be told of the wrong days.
    pub async fn watch_readiness(self, component: Component, stopping: CancellationToken) -> anyhow::Result<()> {
        loop {
            let looked: Result<Option<String>, _> =
                sqlx::query_scalar("SELECT time_zone FROM read_model").fetch_optional(&self.inner.pool).await;
            match &looked {
                Ok(Some(zone)) if zone != self.inner.zone.name() => bail!(
                    "the read model was made for the time zone {zone}, and this is {}: set --time-zone \
                     (FOOTFALL_TIME_ZONE) to {zone}, or make it anew with `footfall rebuild`",
                    self.inner.zone.name()
                ),
                Ok(Some(_)) => component.ready(),
                Ok(None) => component.not_ready("the read model is empty: no projector has run yet"),
                Err(error) => component.not_ready(why_away(&self.inner.pool, error).await),
            }
            let pause = if matches!(looked, Ok(Some(_))) { LOOK_EVERY } else { LOOK_AGAIN };
            if stopping.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Scheme and host of the request and the base path.
    pub(crate) fn base_url(&self, request: &Request) -> String {
        site_url(request) + &self.inner.base_path
    }
}

/// What is answered, and its description.
fn endpoints() -> Endpoints<QueryApi> {
    let mut endpoints = Endpoints::default().get("/", lists::root, lists::described::root());
    for resource in Resource::ALL {
        let list = move |State(api), request| lists::list(resource, api, request);
        let detail = move |State(api), path, request| lists::detail(resource, api, path, request);
        let (one, all) = (format!("/{}/{{id}}/", resource.path()), format!("/{}/", resource.path()));
        endpoints = endpoints.get(&all, list, lists::described::list(resource)).get(
            &one,
            detail,
            lists::described::detail(resource),
        );
    }
    endpoints
        .get("/report/", report::page, report::described::page())
        .get("/report/data/", report::numbers, report::described::data())
        .get("/report/csv/", report::csv, report::described::csv())
        .get("/sign-in/", sign_in::form, sign_in::described::form())
        .post("/sign-in/", sign_in::submit, sign_in::described::submit())
        .post("/sign-out/", sign_in::sign_out, sign_in::described::sign_out())
        .get("/status/", freshness::status, freshness::described())
        .get("/openapi.json", docs::document, docs::described::document())
        .get("/docs/", docs::page, docs::described::page())
        .get("/assets/footfall.css", stylesheet, docs::described::stylesheet())
        .get("/assets/icon.svg", icon, docs::described::icon())
        .get("/assets/report.js", report::script, docs::described::script())
}

/// query-api's part of the description in OpenAPI.
pub fn openapi() -> OpenApi {
    let mut part = openapi::part(endpoints().into_paths(), lists::described::schemas(), docs::described::tags());
    let further = report::described::schemas().into_iter().chain(freshness::schemas());
    part.components.get_or_insert_default().schemas.extend(further);
    part
}

/// `http://host`, as the client knows this site.
pub(crate) fn site_url(request: &Request) -> String {
    request.extensions().get::<Site>().map_or_else(|| "http://localhost".to_owned(), Site::url)
}

/// Middleware: a cookie is good only while its account is there and it has not been signed out; the account's role of
/// today counts. A good one is renewed.
async fn look_behind_the_cookie(State(api): State<QueryApi>, mut request: Request, next: Next) -> Response {
    let cookie =
        request.extensions().get::<Identity>().and_then(|identity| Some((identity.name.clone()?, identity.cookie?)));
    // anybody may have them, also while the database is away: what says so is to be readable
    let is_asset = request.uri().path().starts_with("/assets/");
    if let Some((name, cookie)) = cookie.filter(|_| !is_asset) {
        let identity = match crate::accounts::role_of_cookie(&api.inner.accounts, &name, cookie).await {
            Ok(Some(role)) => Identity { role, name: Some(name), cookie: Some(cookie) },
            Ok(None) => Identity::default(),
            Err(error) => return QueryError::from(error).into_response(),
        };
        let site = request.extensions().get::<Site>().cloned();
        request.extensions_mut().insert(identity.clone());
        let mut response = next.run(request).await;
        response.extensions_mut().insert(identity.clone());
        return sign_in::renewed(response, &api.inner.keys, &identity, site.as_ref(), Utc::now());
    }
    next.run(request).await
}

/// Middleware: gives up on a database that is connected and says nothing, as after a cut in the network. The server
/// ends statements that take too long, but somebody has to hear of it.
async fn answer_in_time(State(api): State<QueryApi>, request: Request, next: Next) -> Response {
    let patience = ACQUIRE_TIMEOUT + api.inner.settings.statement_timeout() + AIR;
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => QueryError::TooLate.into_response(),
    }
}

async fn icon() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, "max-age=86400")];
    (StatusCode::OK, headers, include_str!("../assets/icon.svg"))
}

async fn stylesheet() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (StatusCode::OK, headers, include_str!("../assets/footfall.css"))
}
