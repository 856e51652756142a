//! The report: roll-ups in; a page, its numbers or a table out. Contract § 9. It reads roll-ups alone, so it costs the
//! same whatever the number of events.
//!
//! `state` is what the address asks for. `rows` adds up the days of that, each of which `day` reads once and `kept` keeps;
//! `model` puts it into the shape of `object`; `page` shows that with `plots` (drawn by `chart`) and `cards`. What can be long is sent as it is read: `stream`, `numbers`, `csv`.

mod cards;
mod chart;
mod csv;
mod day;
pub(crate) mod described;
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
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::Utc;
use rows::Rows;
use service::{
    access::{AccessLevel, Identity},
    http::Problem,
};
use state::Problems;
use std::time::Duration;

/// URLs that the page embeds of each day of a week, and in all.
const URLS_A_DAY: usize = 100;
const URLS: usize = 700;

/// How long the page waits for the log to tell where it ends.
const LOG_PATIENCE: Duration = Duration::from_millis(300);

/// How long a page counts as the same, in seconds, though its token gets older: half of what the token is good for.
const TOKEN_KEPT: i64 = 6 * 60 * 60;

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
    now: chrono::DateTime<Utc>,
    today: chrono::NaiveDate,
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
    let seconds = behind.seconds.unwrap_or(-1).clamp(-1, 600);
    // the page holds a token that is good for this sign-in, and not for ever; staff see a way into the admin
    let who = (name.unwrap_or_default(), identity.role, identity.cookie.map(|cookie| cookie.id));
    let sign_in = (who, moment.now.timestamp() / TOKEN_KEPT);
    let tag = tag::of(&api, &state, moment.today, &(seconds, sign_in)).await?;
    if problems.is_empty() && tag::is_known(request.headers(), &tag) {
        return Ok(tag::not_modified(&tag));
    }
    let window = state.window(moment.today);
    let urls_a_day = (URLS / usize::from(window.length())).clamp(1, URLS_A_DAY);
    let mut snapshot = rows::snapshot(&api.inner.pool).await?;
    let rows = Rows::read(&api.inner.report_days, &mut snapshot, &state, window, urls_a_day).await;
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

/// `GET /assets/report.js`.
pub(crate) async fn script() -> impl IntoResponse {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/javascript; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("max-age=3600"));
    (headers, include_str!("../../assets/report.js"))
}
