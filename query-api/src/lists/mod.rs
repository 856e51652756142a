//! `/`, the three lists and their details: contract § 1, 2, 5.

mod interactions;
mod order;
mod page_views;
mod sessions;

use crate::{
    error::QueryError,
    negotiation,
    paging::{Page, Parameters, integer},
    routes::QueryApi,
};
use axum::{
    extract::{OriginalUri, Path, Request, State, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono_tz::Tz;
use order::Order;
use serde::Serialize;
use service::{access::Identity, client_address::Peer, http::Problem};
use sqlx::{PgPool, postgres::PgRow};

/// The three resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Sessions,
    PageViews,
    Interactions,
}

impl Resource {
    pub const ALL: [Self; 3] = [Self::Sessions, Self::PageViews, Self::Interactions];

    /// Its part of the address.
    pub fn path(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::PageViews => "pageviews",
            Self::Interactions => "interactions",
        }
    }

    /// What the original calls it when it is not there.
    fn original_name(self) -> &'static str {
        match self {
            Self::Sessions => "UserSession",
            Self::PageViews => "PageView",
            Self::Interactions => "UserInteraction",
        }
    }

    /// Its counter in `row_count`.
    fn counter(self) -> &'static str {
        match self {
            Self::Sessions => "session",
            Self::PageViews => "page_view",
            Self::Interactions => "interaction",
        }
    }

    /// The column of its default order, newest first.
    fn time(self) -> &'static str {
        match self {
            Self::Sessions => "start_time",
            Self::PageViews | Self::Interactions => "timestamp",
        }
    }

    /// The fields that it can be ordered by.
    fn orderable(self) -> &'static [&'static str] {
        match self {
            Self::Sessions => &["start_time", "end_time"],
            Self::PageViews | Self::Interactions => &["timestamp"],
        }
    }

    async fn page(self, pool: &PgPool, order: &Order, page: Page) -> sqlx::Result<Vec<PgRow>> {
        let sql = match self {
            Self::Sessions => sessions::page_sql(order),
            Self::PageViews => page_views::page_sql(order),
            Self::Interactions => interactions::page_sql(order),
        };
        sqlx::query(&sql).bind(page.limit).bind(page.offset).fetch_all(pool).await
    }

    async fn one(self, pool: &PgPool, id: i64) -> sqlx::Result<Option<PgRow>> {
        let sql = match self {
            Self::Sessions => sessions::BY_ID,
            Self::PageViews => page_views::BY_ID,
            Self::Interactions => interactions::BY_ID,
        };
        sqlx::query(sql).bind(id).fetch_optional(pool).await
    }

    /// The JSON of rows, as a list or, for a detail, as its only object.
    fn show(self, rows: &[PgRow], zone: Tz, frame: Frame<'_>) -> sqlx::Result<Vec<u8>> {
        fn write<T: Serialize>(objects: sqlx::Result<Vec<T>>, frame: Frame<'_>) -> sqlx::Result<Vec<u8>> {
            let objects = objects?;
            let written = match frame {
                Frame::Object => serde_json::to_vec(&objects.first()),
                Frame::List { count, next, previous } => {
                    serde_json::to_vec(&List { count, next, previous, results: &objects })
                }
            };
            written.map_err(|error| sqlx::Error::Decode(error.into()))
        }
        match self {
            Self::Sessions => write(rows.iter().map(|row| sessions::Session::of(row, zone)).collect(), frame),
            Self::PageViews => write(rows.iter().map(|row| page_views::PageView::of(row, zone)).collect(), frame),
            Self::Interactions => {
                write(rows.iter().map(|row| interactions::Interaction::of(row, zone)).collect(), frame)
            }
        }
    }
}

/// What stands around the objects.
#[derive(Clone, Copy)]
enum Frame<'a> {
    Object,
    List { count: i64, next: Option<&'a str>, previous: Option<&'a str> },
}

#[derive(Serialize)]
struct List<'a, T> {
    count: i64,
    next: Option<&'a str>,
    previous: Option<&'a str>,
    results: &'a [T],
}

/// `GET /`.
pub(crate) async fn root(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let parameters = Parameters::parse(request.uri().query());
    negotiation::json(request.headers(), &parameters)?;
    let base = api.base_url(request.headers(), request.extensions().get::<Peer>());
    let [sessions, pageviews, interactions] = Resource::ALL.map(|resource| format!("{base}/{}/", resource.path()));
    let body = format!(r#"{{"sessions":"{sessions}","pageviews":"{pageviews}","interactions":"{interactions}"}}"#);
    Ok(json(body.into_bytes()))
}

/// `GET /sessions/` and the other two.
pub(crate) async fn list(resource: Resource, api: QueryApi, request: Request) -> Result<Response, QueryError> {
    let parameters = check(&api, &request)?;
    let page = Page::of(&parameters, api.inner.settings.page_sizes());
    let order = Order::of(parameters.get("ordering"), resource.orderable(), resource.time());
    let count: i64 = sqlx::query_scalar("SELECT coalesce(sum(rows), 0)::bigint FROM row_count WHERE resource = $1")
        .bind(resource.counter())
        .fetch_one(&api.inner.pool)
        .await?;
    let rows = if page.offset < count { resource.page(&api.inner.pool, &order, page).await? } else { Vec::new() };
    let path = request.extensions().get::<OriginalUri>().map_or(request.uri().path(), |uri| uri.path());
    let base = crate::base_url::of(request.headers(), request.extensions().get::<Peer>(), &api.inner.proxies);
    let url = base + path;
    let (next, previous) = (page.next(&url, &parameters, count), page.previous(&url, &parameters));
    let frame = Frame::List { count, next: next.as_deref(), previous: previous.as_deref() };
    Ok(json(resource.show(&rows, api.inner.zone, frame)?))
}

/// `GET /sessions/{id}/` and the other two.
pub(crate) async fn detail(
    resource: Resource,
    api: QueryApi,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, QueryError> {
    check(&api, &request)?;
    // what is no text at all is no integer either
    let id = id.ok().and_then(|Path(id)| integer(&id)).ok_or_else(Problem::not_found)?;
    let Some(row) = resource.one(&api.inner.pool, id).await? else {
        let detail = format!("No {} matches the given query.", resource.original_name());
        return Err(Problem::detail(StatusCode::NOT_FOUND, detail).into());
    };
    Ok(json(resource.show(&[row], api.inner.zone, Frame::Object)?))
}

fn check(api: &QueryApi, request: &Request) -> Result<Parameters, QueryError> {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    api.inner.settings.read_access.check(&identity)?;
    let parameters = Parameters::parse(request.uri().query());
    negotiation::json(request.headers(), &parameters)?;
    Ok(parameters)
}

fn json(body: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::VARY, "Accept, Cookie")];
    (headers, body).into_response()
}
