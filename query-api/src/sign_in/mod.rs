//! People come in: a form, a one-time link, a way out. Contract § 8.

pub(crate) mod described;
mod form_token;
mod page;
mod session;

pub(crate) use form_token::{form_token, of_form};
pub(crate) use page::{Errand, address, interrupted, once_more, page_response, way_in};
pub(crate) use session::renewed;

use crate::{accounts, error::QueryError, routes::QueryApi};
use axum::{
    Extension,
    extract::{Form, FromRequestParts, Query, State, rejection::FormRejection, rejection::QueryRejection},
    http::{Extensions, HeaderMap, Method, StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use chrono::Utc;
use serde::Deserialize;
use service::{
    access::{Identity, is_from_own_page},
    client_address::ClientAddress,
    http::Problem,
    site::Site,
};
use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

/// Largest form that is kept for somebody whose sign-in has ended.
pub(crate) const KEPT_BYTES: usize = 16 * 1024;

/// How long somebody waits for others whose passwords are being checked.
const TURN: Duration = Duration::from_secs(10);

/// What a sign-in's address may say.
#[derive(Default, Deserialize)]
pub(crate) struct Arrival {
    link: Option<String>,
    next: Option<String>,
}

/// What is typed.
#[derive(Default, Deserialize)]
pub(crate) struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    token: String,
    #[serde(default)]
    next: String,
    #[serde(default)]
    kept: String,
}

/// Who stands at the door.
pub(crate) struct Visitor {
    headers: HeaderMap,
    address: IpAddr,
    /// The site as they know it.
    site: Option<Site>,
}

impl Visitor {
    pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions) -> Self {
        let address = extensions.get::<ClientAddress>().map_or(Ipv4Addr::UNSPECIFIED.into(), |client| client.0);
        Self { headers: headers.clone(), address, site: extensions.get::<Site>().cloned() }
    }

    /// Whether they came by TLS.
    fn is_secure(&self) -> bool {
        self.site.as_ref().is_some_and(|site| site.https)
    }

    pub(crate) fn is_from_own_page(&self) -> bool {
        is_from_own_page(&self.headers, self.site.as_ref())
    }
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers, &parts.extensions))
    }
}

/// `GET /sign-in/`: the form, or the way in for a one-time link. `HEAD` asks how the form would be answered: programs
/// that look at an address before a person does must not use up the link.
pub(crate) async fn form(
    State(api): State<QueryApi>,
    method: Method,
    visitor: Visitor,
    arrival: Result<Query<Arrival>, QueryRejection>,
) -> Result<Response, QueryError> {
    let Query(arrival) = arrival.unwrap_or_default();
    let next = arrival.next.unwrap_or_default();
    let errand = Errand { next: &next, kept: "" };
    let Some(link) = arrival.link.filter(|_| method != Method::HEAD) else {
        return Ok(page::form(&api, &visitor, errand, "", ""));
    };
    match accounts::spend_link(&api.inner.accounts, &api.inner.keys, &link, Utc::now()).await? {
        Some(claims) => {
            tracing::info!(account = claims.sub, "signed in by link");
            Ok(session::enter(&api, &visitor, &claims.sub, claims.role, errand))
        }
        None => Ok(page::form(
            &api,
            &visitor,
            errand,
            "",
            "This link has been used or has expired. Start Footfall again for a new one, or sign in with an account.",
        )),
    }
}

/// `POST /sign-in/`.
pub(crate) async fn submit(
    State(api): State<QueryApi>,
    visitor: Visitor,
    typed: Result<Form<Typed>, FormRejection>,
) -> Result<Response, QueryError> {
    let Form(typed) = typed.unwrap_or_default();
    let errand = Errand { next: &typed.next, kept: &typed.kept };
    if !page::is_from_our_form(&api, &visitor, &typed.token) {
        let message = "The form had expired. Please try again.";
        return Ok(page::form(&api, &visitor, errand, &typed.name, message));
    }
    if let Err(seconds) = api.inner.attempts.begin(&typed.name, visitor.address) {
        tracing::warn!(address = %visitor.address, "too many attempts to sign in failed");
        return Ok(page::wait(&api, &visitor, errand, &typed.name, seconds));
    }
    let did_not_fail = || api.inner.attempts.did_not_fail(&typed.name, visitor.address);
    let Ok(_turn) = tokio::time::timeout(TURN, api.inner.password_checks.acquire()).await else {
        did_not_fail();
        return Err(Problem::unavailable("Too many people are signing in now. Try again.", 5).into());
    };
    // a database that is away must not keep people out when it is back
    let checked = accounts::check_password(&api.inner.accounts, &typed.name, typed.password).await;
    let Some(role) = checked.inspect_err(|_| did_not_fail())? else {
        // without the name: people type passwords there
        tracing::info!(address = %visitor.address, "an attempt to sign in failed");
        let message = "There is no account with this name and password.";
        return Ok(page::form(&api, &visitor, errand, &typed.name, message));
    };
    did_not_fail();
    tracing::info!(account = typed.name, "signed in");
    Ok(session::enter(&api, &visitor, &typed.name, role, errand))
}

/// What the form says that signs somebody out.
#[derive(Default, Deserialize)]
pub(crate) struct Leaving {
    #[serde(default)]
    token: String,
}

/// `POST /sign-out/`.
pub(crate) async fn sign_out(
    State(api): State<QueryApi>,
    visitor: Visitor,
    Extension(identity): Extension<Identity>,
    leaving: Result<Form<Leaving>, FormRejection>,
) -> Result<Response, QueryError> {
    let Form(Leaving { token }) = leaving.unwrap_or_default();
    // to take the cookie away is enough to sign somebody out: a page of another site must not even do that
    let ours = identity.cookie.is_none() || of_form(&api, &identity, &token).is_some();
    if !ours || !visitor.is_from_own_page() {
        let detail =
            "You are still signed in: this button had expired, or was not given to you here. Sign out once more.";
        return Err(Problem::detail(StatusCode::FORBIDDEN, detail).into());
    }
    if let Some(cookie) = identity.cookie {
        accounts::spend(&api.inner.accounts, cookie.id, (Utc::now() + session::LIFETIME).timestamp()).await?;
    }
    let mut response = Redirect::to(&format!("{}/sign-in/", api.inner.base_path)).into_response();
    session::leave(&mut response, &visitor);
    Ok(response)
}
