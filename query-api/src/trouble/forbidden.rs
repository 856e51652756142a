//! What somebody reads who may not see a page: who they are here, what they may see, and how to be somebody else.

use crate::{
    routes::QueryApi,
    sign_in::{form_token, page_response, way_in},
};
use askama::Template;
use axum::{http::StatusCode, response::Response};
use service::access::{AccessLevel, Identity};

#[derive(Template)]
#[template(path = "forbidden.html")]
struct Forbidden<'a> {
    base: &'a str,
    /// "report" or "admin".
    part: &'a str,
    /// Whether an account is enough.
    for_accounts: bool,
    sign_in: String,
    /// Who is in, if somebody is.
    name: Option<&'a str>,
    /// Of the form that signs out; nothing for those who came with a token of a program.
    token: Option<&'a str>,
    /// Whether they may see the report.
    report: bool,
}

/// 403 for a part of the site that takes another account; `address` is what was asked for.
pub(crate) fn forbidden(
    api: &QueryApi,
    identity: &Identity,
    part: &str,
    least: AccessLevel,
    address: &str,
) -> Response {
    let token = identity.cookie.map(|_| form_token(api, identity));
    let page = Forbidden {
        base: &api.inner.base_path,
        part,
        for_accounts: least == AccessLevel::User,
        sign_in: way_in(api, address),
        name: identity.name.as_deref(),
        token: token.as_deref(),
        report: api.inner.settings.report_access.check(identity).is_ok(),
    };
    page_response(StatusCode::FORBIDDEN, page.render())
}
