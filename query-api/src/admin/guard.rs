//! Who comes in, and what stands around every page: staff alone; others to the sign-in and back to where they were.

use super::shell::Shell;
use crate::{
    routes::QueryApi,
    sign_in::{Errand, Visitor, interrupted, page_response},
};
use askama::Template;
use axum::{
    body::to_bytes,
    extract::{FromRequestParts, OriginalUri, Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use serde_json::Value;
use service::{
    access::{AccessLevel, Identity},
    http::{Problem, not_found},
};

/// Largest form that is kept for somebody whose sign-in has ended.
const KEPT_BYTES: usize = 16 * 1024;

/// More of a refusal than this is none of ours.
const REFUSAL_BYTES: usize = 64 * 1024;

#[derive(Template)]
#[template(path = "admin/trouble.html")]
struct Trouble<'a> {
    shell: &'a Shell,
    title: &'a str,
    text: &'a str,
}

/// Middleware.
pub(super) async fn staff_only(State(api): State<QueryApi>, mut request: Request, next: Next) -> Response {
    if !api.inner.settings.admin.admin {
        return Problem::not_found().into_response();
    }
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    if let Err(refused) = AccessLevel::Staff.check(&identity) {
        if refused.status == StatusCode::UNAUTHORIZED {
            return to_sign_in(&api, request).await;
        }
        return trouble(&api, &identity, StatusCode::FORBIDDEN, "The admin is for staff. Your account is not.");
    }
    // a handler can ask for it, whoever put it there
    request.extensions_mut().insert(identity.clone());
    in_plain_words(&api, &identity, next.run(request).await).await
}

/// What no page is: for staff, who has mistyped an address, a page all the same.
pub(super) async fn nothing(State(api): State<QueryApi>, request: Request) -> Response {
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    let uri = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri(), |original| &original.0);
    let refused = not_found(request.method().clone(), OriginalUri(uri.clone())).await;
    let is_theirs = api.inner.settings.admin.admin && AccessLevel::Staff.check(&identity).is_ok();
    if is_theirs { in_plain_words(&api, &identity, refused).await } else { refused }
}

/// To the sign-in; a form that was filled in on a page of ours goes along, as far as it is not too long.
async fn to_sign_in(api: &QueryApi, request: Request) -> Response {
    let way = sign_in(api, &request);
    let there = Redirect::to(&way).into_response();
    if request.method() != Method::POST {
        return there;
    }
    let next = address(&request);
    let (mut parts, body) = request.into_parts();
    let Ok(visitor) = Visitor::from_request_parts(&mut parts, &()).await;
    let form = to_bytes(body, KEPT_BYTES).await.ok().and_then(|form| String::from_utf8(form.to_vec()).ok());
    match form.filter(|form| !form.is_empty() && visitor.is_from_own_page()) {
        Some(form) => interrupted(api, &visitor, Errand { next: &next, kept: &form }),
        None => there,
    }
}

/// What was asked for, with its query.
fn address(request: &Request) -> String {
    let uri = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri(), |original| &original.0);
    uri.path_and_query().map_or("/admin/", |whole| whole.as_str()).to_owned()
}

/// Where one signs in, and comes back from.
fn sign_in(api: &QueryApi, request: &Request) -> String {
    let back = address(request);
    let back: String = url::form_urlencoded::byte_serialize(back.as_bytes()).collect();
    format!("{}/sign-in/?next={back}", api.inner.base_path)
}

/// Refusals are JSON everywhere else; here they are pages.
async fn in_plain_words(api: &QueryApi, identity: &Identity, response: Response) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let status = response.status();
    if !is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (head, body) = response.into_parts();
    let body = to_bytes(body, REFUSAL_BYTES).await.unwrap_or_default();
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    let told = told.get("detail").and_then(Value::as_str).unwrap_or("This did not work.");
    let mut page = trouble(api, identity, status, told);
    if let Some(retry) = head.headers.get(header::RETRY_AFTER) {
        page.headers_mut().insert(header::RETRY_AFTER, retry.clone());
    }
    page
}

fn trouble(api: &QueryApi, identity: &Identity, status: StatusCode, text: &str) -> Response {
    let title = match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::FORBIDDEN => "Not allowed",
        StatusCode::METHOD_NOT_ALLOWED => "Switched off",
        StatusCode::PAYLOAD_TOO_LARGE => "Too large",
        status if status.is_server_error() => "Not now",
        _ => "This did not work",
    };
    let text = if text == "Not found." { "There is no page at this address." } else { text };
    let shell = Shell::of(api, identity);
    page_response(status, Trouble { shell: &shell, title, text }.render())
}
