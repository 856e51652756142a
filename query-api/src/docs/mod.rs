//! `GET /openapi.json` and `GET /docs/`: the description of everything, for programs and for people. The page is
//! written from the document, so both say the same.

pub(crate) mod described;
mod model;

use crate::{error::QueryError, routes::QueryApi, sign_in::page_response};
use askama::Template;
use axum::{
    Extension,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use std::sync::Arc;
use utoipa::openapi::{OpenApi, Server};

/// The address that stands in the document for the one under which the client knows this site. That one has characters
/// alone that mean nothing in JSON and HTML: see `service::site` and the setting of the base path.
pub const SERVER: &str = "http://127.0.0.1:8080";

/// Both, ready but for the site's address. Made once.
#[derive(Clone)]
pub(crate) struct Documents(Arc<Inner>);

struct Inner {
    json: String,
    page: Result<String, String>,
}

impl Documents {
    /// Of a whole description; `base` is what the site's own addresses begin with.
    pub fn of(document: &OpenApi, base: &str) -> Self {
        let mut document = document.clone();
        document.servers = Some(vec![Server::new(SERVER)]);
        let json = document.to_json().unwrap_or_default();
        let value: Value = serde_json::from_str(&json).unwrap_or_default();
        let page = model::Page::of(&value, base).render().map_err(|error| error.to_string());
        Self(Arc::new(Inner { json, page }))
    }
}

/// `GET /openapi.json`.
pub(crate) async fn document(
    State(api): State<QueryApi>,
    Extension(documents): Extension<Documents>,
    request: Request,
) -> Response {
    let json = documents.0.json.replace(SERVER, &api.base_url(&request));
    // whoever wants to show it may, from wherever: it says nothing that is not the same everywhere
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, json).into_response()
}

/// `GET /docs/`.
pub(crate) async fn page(
    State(api): State<QueryApi>,
    Extension(documents): Extension<Documents>,
    request: Request,
) -> Result<Response, QueryError> {
    let page = documents.0.page.as_ref().map(|page| page.replace(SERVER, &api.base_url(&request)));
    Ok(page_response(StatusCode::OK, page.map_err(|error| askama::Error::Custom(error.clone().into()))))
}
