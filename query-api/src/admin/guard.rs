//! Who comes in: staff alone; others to the sign-in and back to where they were.

use crate::{
    routes::QueryApi,
    sign_in::{Errand, KEPT_BYTES, Visitor, address, interrupted, way_in},
    trouble::forbidden,
};
use axum::{
    body::to_bytes,
    extract::{OriginalUri, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use service::{
    access::{AccessLevel, Identity},
    http::{Problem, not_found},
};

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
        return forbidden(&api, &identity, "admin", AccessLevel::Staff, &address(&request));
    }
    // a handler can ask for it, whoever put it there
    request.extensions_mut().insert(identity.clone());
    next.run(request).await
}

/// What no page is.
pub(super) async fn nothing(request: Request) -> Response {
    let uri = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri(), |original| &original.0);
    not_found(request.method().clone(), OriginalUri(uri.clone())).await
}

/// To the sign-in; a form that was filled in on a page of ours goes along, as far as it is not too long.
async fn to_sign_in(api: &QueryApi, request: Request) -> Response {
    let next = address(&request);
    let there = Redirect::to(&way_in(api, &next)).into_response();
    if request.method() != Method::POST {
        return there;
    }
    let (head, body) = request.into_parts();
    let visitor = Visitor::of(&head.headers, &head.extensions);
    let form = to_bytes(body, KEPT_BYTES).await.ok().and_then(|form| String::from_utf8(form.to_vec()).ok());
    match form.filter(|form| !form.is_empty() && visitor.is_from_own_page()) {
        Some(form) => interrupted(api, &visitor, Errand { next: &next, kept: &form }),
        None => there,
    }
}
