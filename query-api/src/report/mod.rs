//! The report: roll-ups in; a page, its numbers or a table out. Contract § 9. It reads roll-ups alone, so it costs the
//! same whatever the number of events.
//!
//! `state` is what the address asks for. `rows` adds up the days of that, each of which `day` reads once and `kept` keeps;
//! `model` puts it into the shape of `object`; `page` shows that with `tiles`, `plots` (drawn by `chart`), `by_day` and
//! `cards`, and has of it what `embed` lets in. What can be long is sent as it is read: `stream`, `numbers`, `csv`.

mod by_day;
mod cards;
mod chart;
mod csv;
mod day;
pub(crate) mod described;
mod embed;
mod entry;
mod format;
mod kept;
mod links;
mod model;
mod numbers;
mod object;
mod page;
mod plots;
mod ranking;
mod rows;
mod state;
mod tag;
mod tiles;
mod totals;
mod window;

pub(crate) use csv::csv;
pub(crate) use format::grouped;
pub(crate) use kept::Kept;
pub(crate) use numbers::numbers;
pub use object::Report;

use crate::{
    error::QueryError,
    freshness::Behind,
    paging::Parameters,
    routes::{QueryApi, site_url},
    sign_in::{address, form_token, page_response},
    trouble::forbidden,
};
use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use embed::Most;
use rows::Rows;
use service::{
    access::{AccessLevel, Identity},
    http::Problem,
};
use state::Problems;
use std::time::Duration;

/// How long the page waits for the log to tell where it ends.
const LOG_PATIENCE: Duration = Duration::from_millis(300);

/// How long a page counts as the same, in seconds, though its token gets older: half of what the token is good for.
const TOKEN_KEPT: i64 = 6 * 60 * 60;

/// Of a page that is still good: the time that it says of itself, newly.
const AS_OF: HeaderName = HeaderName::from_static("footfall-as-of");

const TOO_SLOW: &str = "Adding this up took too long. Ask again, as what is added up is kept; or for fewer days.";

/// What the request asks for, today; what it asks for in vain.
fn asked(api: &QueryApi, request: &Request) -> (Result<state::State, Problems>, Moment) {
    let now = Utc::now();
    let today = window::today(now, api.inner.zone);
    let parameters = Parameters::parse(request.uri().query());
    (state::State::parse(&parameters, today), Moment { now, today })
}

/// When a report is made.
#[derive(Clone, Copy)]
struct Moment {
    now: DateTime<Utc>,
    today: NaiveDate,
}

/// For programs: staff alone, and 400 for what makes no sense.
fn asked_by_program(api: &QueryApi, request: &Request) -> Result<(state::State, Moment), QueryError> {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    api.inner.settings.report_access.check(&identity)?;
    let (state, moment) = asked(api, request);
    let refused = |problems: Problems| Problem {
        status: StatusCode::BAD_REQUEST,
        body: serde_json::json!(problems),
        headers: Vec::new(),
    };
    Ok((state.map_err(refused)?, moment))
}

/// `GET /report/`.
pub(crate) async fn page(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    if api.inner.settings.report_access.check(&identity).is_err() {
        // all of the address, so that one comes back to the days and the filter that one wanted to see
        let least = api.inner.settings.report_access;
        return Ok(forbidden(&api, &identity, "report", least, &address(&request)));
    }
    let (state, moment) = asked(&api, &request);
    let (state, problems) = match state {
        Ok(state) => (state, Problems::new()),
        Err(problems) => (state::State::default(), problems),
    };
    let behind = Behind::find(&api, moment.now, LOG_PATIENCE).await?;
    let name = identity.name.as_deref();
    // the page holds a token that is good for this sign-in, and not for ever; staff see a way into the admin
    let who = (name.unwrap_or_default(), identity.role, identity.cookie.map(|cookie| cookie.id));
    let sign_in = (who, moment.now.timestamp() / TOKEN_KEPT);
    let tag = tag::of(&api, &state, moment, &(page::in_words(behind), sign_in)).await?;
    if problems.is_empty() && tag::is_known(request.headers(), &tag) {
        return Ok(still_good(&tag, moment.now, api.inner.zone));
    }
    let window = state.window(moment.today);
    let mut snapshot = rows::snapshot(&api.inner.pool).await?;
    let rows = Rows::read(&api.inner.report_days, &mut snapshot, &state, window, Most::of(window)).await;
    let rows = rows.map_err(|error| QueryError::of_question(error, TOO_SLOW))?;
    snapshot.commit().await?;
    let (days, before) = (rows.days.clone(), rows.before.clone());
    let report = Report::of(rows, &state, window, api.inner.zone, moment.now);
    let site = site_url(&request);
    let page = page::Page::new(&page::Given {
        report: &report,
        days: &days,
        before: before.as_ref(),
        state: &state,
        problems: &problems,
        window,
        today: moment.today,
        now: moment.now,
        zone: api.inner.zone,
        behind,
        base: &api.inner.base_path,
        site: &site,
        name,
        admin: api.inner.settings.admin.admin && AccessLevel::Staff.check(&identity).is_ok(),
        token: form_token(&api, &identity),
    });
    let status = if problems.is_empty() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let mut response = page_response(status, page.render());
    tag::put(response.headers_mut(), &tag);
    Ok(response)
}

/// The page that the client has is still the right one, and this is as of when.
fn still_good(tag: &HeaderValue, now: DateTime<Utc>, zone: Tz) -> Response {
    let mut response = tag::not_modified(tag);
    if let Ok(as_of) = HeaderValue::from_str(&format::time(now, now, zone)) {
        response.headers_mut().insert(AS_OF, as_of);
    }
    response
}

/// `GET /assets/report.js`.
pub(crate) async fn script() -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600"));
    (headers, include_str!("../../assets/report.js"))
}
