//! People come in: a form, a one-time link, a way out. Contract § 8.

use crate::{accounts, error::QueryError, routes::QueryApi};
use askama::Template;
use axum::{
    extract::{Form, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use chrono::{TimeDelta, Utc};
use serde::Deserialize;
use service::{
    access::{Identity, Keys, Purpose, Role, SESSION_COOKIE, cookie, same_origin},
    http::Problem,
};
use uuid::Uuid;

/// How long somebody stays signed in.
const LIFETIME: TimeDelta = TimeDelta::hours(12);

/// The cookie that a form's token must fit.
const FORM_COOKIE: &str = "footfall_form";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    base: &'a str,
    token: &'a str,
    next: &'a str,
    name: &'a str,
    message: &'a str,
}

/// What a sign-in's address may say.
#[derive(Deserialize)]
pub(crate) struct Arrival {
    link: Option<String>,
    next: Option<String>,
}

/// What is typed.
#[derive(Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
}

/// `GET /sign-in/`: the form, or the way in for a one-time link.
pub(crate) async fn form(
    State(api): State<QueryApi>,
    Query(arrival): Query<Arrival>,
    headers: HeaderMap,
) -> Result<Response, QueryError> {
    let next = arrival.next.unwrap_or_default();
    let Some(link) = arrival.link else { return Ok(show(&api, &headers, &next, "", "")) };
    match accounts::spend_link(&api.inner.accounts, &api.inner.keys, &link, Utc::now()).await? {
        Some(claims) => {
            tracing::info!(account = claims.sub, "signed in by link");
            Ok(enter(&api, &headers, &claims.sub, claims.role, &next))
        }
        None => Ok(show(
            &api,
            &headers,
            &next,
            "",
            "This link has been used or has expired. Start Footfall again for a new one, or sign in with an account.",
        )),
    }
}

/// `POST /sign-in/`.
pub(crate) async fn submit(
    State(api): State<QueryApi>,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Result<Response, QueryError> {
    if !is_from_our_form(&api.inner.keys, &headers, &typed.token) {
        return Ok(show(&api, &headers, &typed.next, &typed.name, "The form had expired. Please try again."));
    }
    let _turn = api.inner.password_checks.acquire().await;
    match accounts::check_password(&api.inner.accounts, &typed.name, typed.password).await? {
        Some(role) => {
            tracing::info!(account = typed.name, "signed in");
            Ok(enter(&api, &headers, &typed.name, role, &typed.next))
        }
        None => Ok(show(&api, &headers, &typed.next, &typed.name, "There is no account with this name and password.")),
    }
}

/// `POST /sign-out/`.
pub(crate) async fn sign_out(State(api): State<QueryApi>, request: Request) -> Result<Response, QueryError> {
    // to take the cookie away is enough to sign somebody out: a page of another site must not even do that
    if !same_origin(request.headers()) {
        let detail = "You do not have permission to perform this action.";
        return Err(Problem::detail(StatusCode::FORBIDDEN, detail).into());
    }
    let identity = request.extensions().get::<Identity>().cloned().unwrap_or_default();
    if let Some(id) = identity.cookie {
        accounts::spend(&api.inner.accounts, id, (Utc::now() + LIFETIME).timestamp()).await?;
    }
    let mut response = Redirect::to(&format!("{}/sign-in/", api.inner.base_path)).into_response();
    set_cookie(&mut response, SESSION_COOKIE, "", 0, false);
    Ok(response)
}

fn enter(api: &QueryApi, headers: &HeaderMap, name: &str, role: Role, next: &str) -> Response {
    let token = api.inner.keys.issue(Purpose::Cookie, name, role, Utc::now(), LIFETIME);
    let target = if is_local(next) { next.to_owned() } else { format!("{}/report/", api.inner.base_path) };
    let mut response = Redirect::to(&target).into_response();
    set_cookie(&mut response, SESSION_COOKIE, &token, LIFETIME.num_seconds(), is_secure(headers));
    response
}

fn show(api: &QueryApi, headers: &HeaderMap, next: &str, name: &str, message: &str) -> Response {
    let nonce = cookie(headers, FORM_COOKIE).filter(|nonce| Uuid::parse_str(nonce).is_ok());
    let nonce = nonce.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
    let token = api.inner.keys.issue(Purpose::Form, &nonce, Role::Anonymous, Utc::now(), TimeDelta::hours(1));
    let page = SignIn {
        base: &api.inner.base_path,
        token: &token,
        next: if is_local(next) { next } else { "" },
        name,
        message,
    };
    let status = if message.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut response = page_response(status, page.render());
    set_cookie(&mut response, FORM_COOKIE, &nonce, 3_600, is_secure(headers));
    response
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
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(page)).into_response()
}

fn is_from_our_form(keys: &Keys, headers: &HeaderMap, token: &str) -> bool {
    let claims = keys.check(Purpose::Form, token, Utc::now());
    same_origin(headers) && claims.is_ok_and(|claims| cookie(headers, FORM_COOKIE) == Some(claims.sub.as_str()))
}

/// A path of this very site: no other host, however it is written, and nothing that a header cannot hold.
fn is_local(next: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
    next.starts_with('/') && !next.starts_with("//") && next.bytes().all(plain)
}

fn is_secure(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|proto| proto == "https")
}

fn set_cookie(response: &mut Response, name: &str, value: &str, seconds: i64, secure: bool) {
    let secure = if secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/report/?days=7", true)]
    #[case("", false)]
    #[case("//evil.example", false)]
    #[case("/\\evil.example", false)]
    #[case("https://evil.example", false)]
    #[case("/\t/evil.example", false)]
    #[case("/\u{1}", false)]
    #[case("/gr\u{fc}n", false)]
    #[case("/gr%C3%BCn", true)]
    fn one_comes_back_to_this_site_alone(#[case] next: &str, #[case] local: bool) {
        assert_eq!(is_local(next), local);
    }
}
