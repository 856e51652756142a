//! The report: roll-ups in, a page or its numbers out. Contract § 9. It reads roll-ups alone, so it costs the same
//! whatever the number of events.

mod chart;
mod model;
mod page;
mod rows;

pub(crate) use chart::grouped;
pub use model::{Report, Window};

use crate::{
    error::QueryError,
    routes::QueryApi,
    sign_in::{form_token, page_response},
};
use askama::Template;
use axum::{
    Json,
    extract::{OriginalUri, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use service::access::Identity;

/// URLs of a day that the page shows.
const URLS_ON_PAGE: i64 = 100;

#[derive(Template)]
#[template(path = "forbidden.html")]
struct Forbidden<'a> {
    base: &'a str,
    next: &'a str,
}

/// `GET /report/`.
pub(crate) async fn page(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    if api.inner.settings.report_access.check(&identity).is_err() {
        let next = request.extensions().get::<OriginalUri>().map_or("/report/", |uri| uri.path());
        let page = Forbidden { base: &api.inner.base_path, next };
        return Ok(page_response(StatusCode::FORBIDDEN, page.render()));
    }
    let report = read(&api, Some(URLS_ON_PAGE)).await?;
    let token = form_token(&api, &identity);
    let page = page::Page::new(&report, &api.inner.base_path, api.inner.zone, identity.name.as_deref(), token);
    Ok(page_response(StatusCode::OK, page.render()))
}

/// `GET /report/data/`: the same object, with every URL.
pub(crate) async fn data(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    api.inner.settings.report_access.check(&identity)?;
    let report = read(&api, None).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(report)).into_response())
}

async fn read(api: &QueryApi, urls_a_day: Option<i64>) -> Result<Report, QueryError> {
    let now = Utc::now();
    let window = Window::of_seven_days(now, api.inner.zone);
    let rows = rows::Rows::read(&api.inner.pool, window, urls_a_day).await?;
    Ok(Report::of(rows, window, api.inner.zone, now))
}
