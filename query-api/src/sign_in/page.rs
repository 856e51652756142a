//! The sign-in form, and the headers that every page of ours has.

use super::{
    Visitor,
    session::{is_local, set_cookie},
};
use crate::routes::QueryApi;
use askama::Template;
use axum::{
    extract::{OriginalUri, Request},
    http::{HeaderName, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use chrono::{TimeDelta, Utc};
use service::access::{Purpose, Role, cookie};
use uuid::Uuid;

/// The cookie that a form's token must fit.
const FORM_COOKIE: &str = "footfall_form";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    base: &'a str,
    token: &'a str,
    errand: Errand<'a>,
    name: &'a str,
    message: &'a str,
}

/// What somebody is up to who has to sign in first.
#[derive(Clone, Copy, Default)]
pub(crate) struct Errand<'a> {
    /// Where they go on.
    pub next: &'a str,
    /// The form that they sent there while they were signed out, as its body; empty for none.
    pub kept: &'a str,
}

#[derive(Template)]
#[template(path = "again.html")]
struct Again<'a> {
    base: &'a str,
    action: &'a str,
    fields: Vec<(String, String)>,
}

/// The page that brings somebody who is signed in again back to their form. It is sent by their own hand, and asked for
/// once more there: its token is of the sign-in before.
pub(super) fn again(api: &QueryApi, errand: Errand<'_>) -> Response {
    let fields = url::form_urlencoded::parse(errand.kept.as_bytes()).into_owned().collect();
    let page = Again { base: &api.inner.base_path, action: errand.next, fields };
    page_response(StatusCode::OK, page.render())
}

/// The form for somebody whose sign-in had ended when they sent another one.
pub(crate) fn interrupted(api: &QueryApi, visitor: &Visitor, errand: Errand<'_>) -> Response {
    let message = "Your sign-in has ended, so nothing was saved. Sign in again: what you typed comes back.";
    show(api, visitor, StatusCode::FORBIDDEN, errand, "", message)
}

/// The form for somebody who could not be signed in, through no fault of theirs: as they sent it, but for the password.
pub(crate) fn once_more(api: &QueryApi, visitor: &Visitor, status: StatusCode, sent: &[u8], why: &str) -> Response {
    let typed = |wanted: &str| {
        let found = url::form_urlencoded::parse(sent).filter(|(name, _)| name == wanted).last();
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let (next, kept) = (typed("next"), typed("kept"));
    let message = format!("You are not signed in yet. {why}");
    show(api, visitor, status, Errand { next: &next, kept: &kept }, &typed("name"), &message)
}

/// Where one signs in, and comes back from to an address of this site.
pub(crate) fn way_in(api: &QueryApi, address: &str) -> String {
    let back: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
    format!("{}/sign-in/?next={back}", api.inner.base_path)
}

/// What was asked for, as who asked knows it, with its query.
pub(crate) fn address(request: &Request) -> String {
    let uri = request.extensions().get::<OriginalUri>().map_or_else(|| request.uri(), |original| &original.0);
    uri.path_and_query().map_or("/", |whole| whole.as_str()).to_owned()
}

/// The form; 422 when there is a message.
pub(super) fn form(api: &QueryApi, visitor: &Visitor, errand: Errand<'_>, name: &str, message: &str) -> Response {
    let status = if message.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    show(api, visitor, status, errand, name, message)
}

/// The form for somebody who has to wait for so many seconds.
pub(super) fn wait(api: &QueryApi, visitor: &Visitor, errand: Errand<'_>, name: &str, seconds: u64) -> Response {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let message = format!("Too many attempts have failed. Please try again in {seconds} {unit}.");
    let mut response = show(api, visitor, StatusCode::TOO_MANY_REQUESTS, errand, name, &message);
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

fn show(
    api: &QueryApi,
    visitor: &Visitor,
    status: StatusCode,
    errand: Errand<'_>,
    name: &str,
    message: &str,
) -> Response {
    let nonce = cookie(&visitor.headers, FORM_COOKIE).filter(|nonce| Uuid::parse_str(nonce).is_ok());
    let nonce = nonce.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let token = api.inner.keys.issue(Purpose::Form, &nonce, Role::Anonymous, Utc::now(), TimeDelta::hours(1));
    let errand = if is_local(errand.next) { errand } else { Errand::default() };
    let page = SignIn { base: &api.inner.base_path, token: &token, errand, name, message };
    let mut response = page_response(status, page.render());
    set_cookie(&mut response, FORM_COOKIE, &nonce, 3_600, visitor.is_secure());
    response
}

/// Whether what was typed comes from a form that this browser was given: the token fits the cookie, and the page is
/// ours.
pub(super) fn is_from_our_form(api: &QueryApi, visitor: &Visitor, token: &str) -> bool {
    let claims = api.inner.keys.check(Purpose::Form, token, Utc::now());
    let fits = claims.is_ok_and(|claims| cookie(&visitor.headers, FORM_COOKIE) == Some(claims.sub.as_str()));
    fits && visitor.is_from_own_page()
}

/// A page of ours, with the headers that all of them have.
pub(crate) fn page_response(status: StatusCode, page: askama::Result<String>) -> Response {
    let page = match page {
        Ok(page) => page,
        Err(error) => {
            tracing::error!(%error, "a page could not be written");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        ),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(page)).into_response()
}
