//! Which path is which file, and what all handlers share.

use crate::{error::QueryError, freshness, lists, report, settings::QuerySettings, sign_in};
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use chrono_tz::Tz;
use event_log::EventReader;
use schema::migrations::{ACCOUNTS_SCHEMA, READ_MODEL_SCHEMA};
use service::{
    access::{Identity, Keys},
    client_address::{Peer, TrustedProxies},
    database::{ACQUIRE_TIMEOUT, Database},
    ops::Component,
    resource::Resource,
};
use sqlx::PgPool;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Passwords that are checked at once: each check takes 19 MiB for a few milliseconds.
const PASSWORD_CHECKS: usize = 4;

/// What a request may take beyond one connection and one statement.
const AIR: Duration = Duration::from_secs(2);

/// How often the readiness is looked at while it is good, and while it is not.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Answers from the read model. Clones share everything.
#[derive(Clone)]
pub struct QueryApi {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub settings: QuerySettings,
    pub zone: Tz,
    pub pool: PgPool,
    pub accounts: PgPool,
    pub keys: Keys,
    pub proxies: TrustedProxies,
    pub base_path: String,
    pub log: Option<Arc<dyn EventReader>>,
    pub password_checks: Semaphore,
}

impl QueryApi {
    /// `zone` is that of the read model's days; `log` tells how far the log is, for `/status/`.
    pub fn new(
        settings: QuerySettings,
        zone: Tz,
        database: &Database,
        keys: Keys,
        proxies: TrustedProxies,
        base_path: &str,
        log: Option<Arc<dyn EventReader>>,
    ) -> Self {
        let (connections, timeout) = (settings.query_connections, settings.statement_timeout());
        let pool = database.read_only_pool(READ_MODEL_SCHEMA, "footfall query-api", connections, timeout);
        let accounts = database.pool(ACCOUNTS_SCHEMA, "footfall query-api accounts", 2);
        let base_path = base_path.to_owned();
        let password_checks = Semaphore::new(PASSWORD_CHECKS);
        Self {
            inner: Arc::new(Inner { settings, zone, pool, accounts, keys, proxies, base_path, log, password_checks }),
        }
    }

    /// The routes, without a fallback: they can be merged with those of ingest.
    pub fn routes(&self) -> Router {
        let mut routes = Router::new().route("/", get(lists::root));
        for resource in Resource::ALL {
            let list = move |State(api), request| lists::list(resource, api, request);
            let detail = move |State(api), path, request| lists::detail(resource, api, path, request);
            routes = routes.route(&format!("/{}/", resource.path()), get(list));
            routes = routes.route(&format!("/{}/{{id}}/", resource.path()), get(detail));
        }
        routes
            .route("/report/", get(report::page))
            .route("/report/data/", get(report::data))
            .route("/sign-in/", get(sign_in::form).post(sign_in::submit))
            .route("/sign-out/", axum::routing::post(sign_in::sign_out))
            .route("/status/", get(freshness::status))
            .route("/assets/footfall.css", get(stylesheet))
            .layer(middleware::from_fn_with_state(self.clone(), look_behind_the_cookie))
            .layer(middleware::from_fn_with_state(self.clone(), answer_in_time))
            .with_state(self.clone())
    }

    /// Keeps the readiness in step with PostgreSQL until the process stops.
    pub async fn watch_readiness(self, component: Component, stopping: CancellationToken) -> anyhow::Result<()> {
        loop {
            let looked = sqlx::query("SELECT time_zone FROM read_model").fetch_optional(&self.inner.pool).await;
            match &looked {
                Ok(Some(_)) => component.ready(),
                Ok(None) => component.not_ready("the read model is empty: no projector has run yet"),
                Err(error) => component.not_ready(error.to_string()),
            }
            let pause = if matches!(looked, Ok(Some(_))) { LOOK_EVERY } else { LOOK_AGAIN };
            if stopping.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Scheme and host of the request and the base path.
    pub(crate) fn base_url(&self, headers: &HeaderMap, peer: Option<&Peer>) -> String {
        crate::base_url::of(headers, peer, &self.inner.proxies) + &self.inner.base_path
    }
}

/// Middleware: a cookie is good only while its account is there and it has not been signed out; the account's role of
/// today counts.
async fn look_behind_the_cookie(State(api): State<QueryApi>, mut request: Request, next: Next) -> Response {
    let cookie =
        request.extensions().get::<Identity>().and_then(|identity| Some((identity.name.clone()?, identity.cookie?)));
    if let Some((name, id)) = cookie {
        let identity = match crate::accounts::role_of_cookie(&api.inner.accounts, &name, id).await {
            Ok(Some(role)) => Identity { role, name: Some(name), cookie: Some(id) },
            Ok(None) => Identity::default(),
            Err(error) => return QueryError::from(error).into_response(),
        };
        request.extensions_mut().insert(identity);
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

async fn stylesheet() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (StatusCode::OK, headers, include_str!("../assets/footfall.css"))
}
