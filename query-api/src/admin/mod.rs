//! The admin: staff look things up and correct them. Contract § 10. A change is an event on the log like any other.
//!
//! A request goes through `guard`; a list is `list` with its `panel`, an object's page `object`, and what was typed
//! into it goes through `typed` and `wanted` to `write`, which appends and waits. `journey` and `history` are parts of
//! an object's page.

mod dead_letters;
mod dead_letters_read;
mod fields;
mod guard;
mod history;
mod index;
mod journey;
mod kinds;
mod list;
mod object;
mod origin;
mod panel;
mod partitions;
mod pretty;
mod raw;
mod remove;
mod save;
mod session_names;
mod shell;
mod show;
mod sorted;
mod trouble;
mod typed;
mod wanted;
mod write;

pub(crate) use trouble::{trouble, typed_as};

use crate::routes::QueryApi;
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, header},
    middleware,
    response::IntoResponse,
    routing::{any, get, post},
};
use schema::limits::MAX_BODY_BYTES;
use service::resource::Resource;

/// Largest form: what ingest takes at most, with every byte written as `%XX`, and room for the rest.
pub(crate) const FORM_BYTES: usize = 3 * MAX_BODY_BYTES + 256 * 1024;

/// The admin's routes.
#[expect(
    clippy::disallowed_methods,
    reason = "pages for people alone are no part of the API, and not described with it"
)]
pub(crate) fn routes(api: &QueryApi) -> Router<QueryApi> {
    let mut routes = Router::new()
        .route("/admin/", get(index::page))
        .route("/admin/partitions/", get(partitions::page))
        .route("/admin/session-names/", get(session_names::matching))
        .route("/admin/dead-letters/", get(dead_letters::list))
        .route("/admin/dead-letters/{partition}/{offset}/", get(dead_letters::detail).post(dead_letters::act));
    for resource in Resource::ALL {
        let path = format!("/admin/{}/", resource.path());
        let list = move |State(api), request| list::page(resource, api, request);
        let empty = move |State(api), identity, request| save::empty(resource, api, identity, request);
        let add = move |State(api), identity, uri, form| save::add(resource, api, identity, uri, form);
        let show = move |State(api), identity, id, request| object::page(resource, api, identity, id, request);
        let change = move |State(api), identity, id, uri, form| save::change(resource, api, identity, id, uri, form);
        let ask = move |State(api), identity, id, uri| remove::ask(resource, api, identity, id, uri);
        let remove = move |State(api), identity, id, uri, form| remove::remove(resource, api, identity, id, uri, form);
        routes = routes
            .route(&path, get(list))
            .route(&format!("{path}add/"), get(empty).post(add))
            .route(&format!("{path}{{id}}/"), get(show).post(change))
            .route(&format!("{path}{{id}}/delete/"), get(ask).merge(post(remove)));
    }
    routes
        // forms have been read by the layer around all pages, which goes by the limit above
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(api.clone(), guard::staff_only))
        .route("/admin/{*nothing}", any(guard::nothing))
        .route("/assets/admin.css", get(stylesheet))
        .route("/assets/admin.js", get(script))
}

async fn stylesheet() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (StatusCode::OK, headers, include_str!("../../assets/admin.css"))
}

async fn script() -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (StatusCode::OK, headers, include_str!("../../assets/admin.js"))
}
