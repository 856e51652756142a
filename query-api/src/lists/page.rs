//! `GET /sessions/` and the other two: one page of a list, by offset or by cursor.

use super::{
    check,
    count::{Count, Counted},
    cursor::Cursor,
    frame::{self, Frame},
    json, large, narrowed,
    order::Order,
    question::Rows,
    too_slow,
};
use crate::{
    error::QueryError,
    paging::{Page, Parameters},
    resolve,
    routes::{QueryApi, site_url},
};
use axum::{
    extract::{OriginalUri, Request},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use service::{http::Problem, resource::Resource};
use sqlx::postgres::PgRow;

/// Beyond this offset an answer shows the way to go on by cursors.
const DEEP: i64 = 10_000;

/// Says that a count is not the whole.
const COUNT_HEADER: HeaderName = HeaderName::from_static("footfall-count");

/// `GET /sessions/` and the other two.
pub(crate) async fn list(resource: Resource, api: QueryApi, request: Request) -> Result<Response, QueryError> {
    let (settings, pool) = (&api.inner.settings, &api.inner.pool);
    let parameters = check(&api, resource, &request, settings.allow_list.get(resource))?;
    let page = Page::of(&parameters, settings.page_sizes(resource));
    let narrowing = narrowed(&api, resource, &parameters).await?;
    let order = Order::of(parameters.get("ordering"), settings.fields.orderable(resource), resource);
    let walk =
        Walk { api: &api, url: url(&request), parameters, page, bound: bound(resource, &order, narrowing.used), order };
    let place = walk.place()?;

    let conditions = resolve::all(pool, narrowing.conditions, settings.statement_timeout()).await?;
    let counted = Count::of(&walk.parameters).run(pool, resource, &conditions).await?;
    let (offset, cursor) = match &place {
        Place::Offset => (page.offset, None),
        Place::Start => (0, None),
        Place::Cursor(cursor) => (0, Some(cursor)),
    };
    let beyond = !counted.capped && cursor.is_none() && counted.count.is_some_and(|count| offset >= count);
    // one more than asked for, which tells whether there is a page behind this one
    let limit = page.limit + 1;
    let question = Rows { resource, conditions: &conditions, order: &walk.order, limit, offset, cursor };
    let mut rows = if beyond { Vec::new() } else { question.fetch(pool).await.map_err(too_slow)? };
    let more = rows.len() > usize::try_from(page.limit).unwrap_or(usize::MAX);
    if more {
        let surplus = if cursor.is_none_or(|cursor| cursor.forward) { rows.len() - 1 } else { 0 };
        rows.remove(surplus);
    }

    let (next, previous) = walk.links(&place, &rows, more, counted)?;
    let onwards = if matches!(place, Place::Offset) && page.offset > DEEP && more { walk.behind(&rows)? } else { None };
    let frame = Frame { count: counted.count, next: next.as_deref(), previous: previous.as_deref() };
    let mut response = if large::is_large(&rows)? {
        large::list(&api, resource, rows, frame).await?
    } else {
        json(frame::list(resource, &rows, api.inner.zone, settings.fields.shown(resource), frame)?)
    };
    if counted.capped {
        response.headers_mut().insert(COUNT_HEADER, HeaderValue::from_static("capped"));
    }
    if let Some(link) = onwards.and_then(|url| HeaderValue::from_str(&format!("<{url}>; rel=\"next\"")).ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// Where a page begins.
enum Place {
    Offset,
    /// The first page of a walk by cursors.
    Start,
    Cursor(Cursor),
}

/// A list as one client walks over it.
struct Walk<'a> {
    api: &'a QueryApi,
    /// Its address, without parameters.
    url: String,
    parameters: Parameters,
    page: Page,
    order: Order,
    /// What its cursors are good for.
    bound: String,
}

impl Walk<'_> {
    fn place(&self) -> Result<Place, Problem> {
        match self.parameters.get("cursor").map(crate::text::trimmed) {
            None => Ok(Place::Offset),
            Some("") => Ok(Place::Start),
            Some(text) => match Cursor::open(text, &self.bound, &self.order, &self.api.inner.keys) {
                Some(cursor) => Ok(Place::Cursor(cursor)),
                None => Err(Problem::detail(StatusCode::BAD_REQUEST, "Invalid cursor.")),
            },
        }
    }

    /// The addresses of the pages behind and before this one.
    fn links(
        &self,
        place: &Place,
        rows: &[PgRow],
        more: bool,
        counted: Counted,
    ) -> sqlx::Result<(Option<String>, Option<String>)> {
        let Place::Cursor(cursor) = place else {
            if matches!(place, Place::Start) {
                return Ok((if more { self.behind(rows)? } else { None }, None));
            }
            // an exact count decides, as in the original; otherwise the row that was one too many
            let count = match counted.count.filter(|_| !counted.capped) {
                Some(count) => count,
                None if more => i64::MAX,
                None => 0,
            };
            let next = self.page.next(&self.url, &self.parameters, count);
            return Ok((next, self.page.previous(&self.url, &self.parameters)));
        };
        // whoever came forward has left a page behind, and the other way round
        let next = if !cursor.forward || more { self.behind(rows)? } else { None };
        let previous = if cursor.forward || more { self.before(rows)? } else { None };
        Ok((next, previous))
    }

    fn behind(&self, rows: &[PgRow]) -> sqlx::Result<Option<String>> {
        rows.last().map(|row| Ok(self.link(&Cursor::at(row, &self.order, true)?))).transpose()
    }

    fn before(&self, rows: &[PgRow]) -> sqlx::Result<Option<String>> {
        rows.first().map(|row| Ok(self.link(&Cursor::at(row, &self.order, false)?))).transpose()
    }

    fn link(&self, cursor: &Cursor) -> String {
        let cursor = cursor.seal(&self.bound, &self.api.inner.keys);
        // the place is in the cursor, so there is no offset
        let parameters = self.parameters.clone().with("offset", None::<&str>).with("limit", Some(self.page.limit));
        format!("{}?{}", self.url, parameters.with("cursor", Some(cursor)).to_query())
    }
}

fn url(request: &Request) -> String {
    let path = request.extensions().get::<OriginalUri>().map_or(request.uri().path(), |uri| uri.path());
    site_url(request) + path
}

/// What a cursor of this list is good for, as one text.
fn bound(resource: Resource, order: &Order, mut used: Vec<(String, String)>) -> String {
    used.sort_unstable();
    serde_json::json!([resource.path(), order.name(), used]).to_string()
}
