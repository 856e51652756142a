//! `/`, the three lists and their details: contract § 1, 2, 5, 6.

mod count;
pub(crate) mod cursor;
pub(crate) mod described;
mod frame;
mod interactions;
mod large;
pub(crate) mod order;
mod page;
mod page_views;
pub(crate) mod question;
mod sessions;
mod shown;

use crate::{
    error::QueryError,
    filters::Narrowing,
    negotiation,
    paging::{Parameters, integer},
    resolve,
    routes::QueryApi,
};
use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use service::{access::Identity, http::Problem, resource::Resource};

pub(crate) use count::Count;
pub(crate) use order::Order;
pub(crate) use page::list;
pub(crate) use question::{Rows, one};

pub(crate) const TOO_SLOW: &str = "Finding what matches took too long. Ask for less: a shorter time, one session, a smaller offset \
                        (cursor= walks deep lists), a longer word to search for.";

/// `GET /`.
pub(crate) async fn root(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    let parameters = Parameters::parse(request.uri().query());
    let methods = HeaderValue::from_static("GET, HEAD, OPTIONS");
    negotiation::json(request.headers(), &parameters)
        .map_err(|problem| problem.with(header::ALLOW, methods.clone()))?;
    let base = api.base_url(&request);
    // the format goes with the links, as in the original; it is one of two that are accepted
    let format = parameters.get("format").map(|format| format!("?format={format}")).unwrap_or_default();
    let [sessions, pageviews, interactions] =
        Resource::ALL.map(|resource| format!("{base}/{}/{format}", resource.path()));
    let body = format!(r#"{{"sessions":"{sessions}","pageviews":"{pageviews}","interactions":"{interactions}"}}"#);
    let mut response = json(body.into_bytes());
    response.headers_mut().insert(header::ALLOW, methods);
    Ok(response)
}

/// `GET /sessions/{id}/` and the other two. Filters and searches count here as well.
pub(crate) async fn detail(
    resource: Resource,
    api: QueryApi,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, QueryError> {
    let settings = &api.inner.settings;
    let parameters = check(&api, resource, &request, settings.allow_retrieve.get(resource))?;
    let narrowing = narrowed(&api, resource, &parameters).await?;
    // what is no text at all is no integer either
    let id = id.ok().and_then(|Path(id)| integer(&id)).ok_or_else(Problem::not_found)?;
    let pool = &api.inner.pool;
    let conditions = resolve::all(pool, narrowing.conditions, settings.statement_timeout()).await?;
    let Some(row) = question::one(pool, resource, id, &conditions).await.map_err(too_slow)? else {
        let detail = format!("No {} matches the given query.", original_name(resource));
        return Err(Problem::detail(StatusCode::NOT_FOUND, detail).into());
    };
    Ok(json(frame::object(resource, &row, api.inner.zone, settings.fields.shown(resource))?))
}

/// Access, whether the action is on, and what the client takes; in the order of contract § 4.
fn check(api: &QueryApi, resource: Resource, request: &Request, allowed: bool) -> Result<Parameters, QueryError> {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    api.inner.settings.read_access.get(resource).check(&identity)?;
    if !allowed {
        return Err(switched_off(request.method()).into());
    }
    let parameters = Parameters::parse(request.uri().query());
    negotiation::json(request.headers(), &parameters)?;
    Ok(parameters)
}

fn switched_off(method: &Method) -> Problem {
    let detail =
        format!("The method \"{method}\" is currently disabled for this endpoint. It can be changed in the settings.");
    Problem::detail(StatusCode::METHOD_NOT_ALLOWED, detail)
        .with(header::ALLOW, HeaderValue::from_static("GET, POST, HEAD, OPTIONS"))
}

/// What filters and search say; 400 with all errors of the filters at once, or with those of the search.
async fn narrowed(api: &QueryApi, resource: Resource, parameters: &Parameters) -> Result<Narrowing, QueryError> {
    let settings = &api.inner.settings;
    let (filters, searched) = (settings.filters.get(resource), settings.fields.searchable(resource));
    let mut found = Narrowing::of(resource, parameters, filters, searched, api.inner.zone);
    if let Some(session) = found.session.take()
        && !resolve::session_exists(&api.inner.pool, session.id).await?
    {
        found.refuse_session(session);
    }
    if found.errors.is_empty() { Ok(found) } else { Err(QueryError::Parameters(found.errors)) }
}

fn too_slow(error: sqlx::Error) -> QueryError {
    QueryError::of_question(error, TOO_SLOW)
}

/// What the original calls a resource when it is not there.
fn original_name(resource: Resource) -> &'static str {
    match resource {
        Resource::Sessions => "UserSession",
        Resource::PageViews => "PageView",
        Resource::Interactions => "UserInteraction",
    }
}

fn json(body: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::VARY, "Accept, Cookie")];
    (headers, body).into_response()
}
