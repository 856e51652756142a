//! The page that says what went wrong, and how to go on.

use super::{Asked, kept::Kept};
use crate::{
    admin,
    error::ForPeople,
    routes::QueryApi,
    sign_in::{self, form_token, page_response},
};
use askama::Template;
use axum::{
    body::to_bytes,
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use serde_json::Value;
use service::access::{AccessLevel, Identity};

/// More of a refusal than this is none of ours.
const REFUSAL_BYTES: usize = 64 * 1024;

/// What is said.
pub(crate) struct Trouble {
    pub title: &'static str,
    pub text: String,
    /// Where the same can be asked for, or sent, once more; empty where that would not help.
    pub again: String,
    /// The form that was sent, to be sent again.
    pub kept: Option<Kept>,
    /// Whether it goes away by itself.
    pub passing: bool,
    /// Other ways to go on.
    pub ways: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct Page<'a> {
    base: &'a str,
    trouble: &'a Trouble,
    /// Who is in, with the token of the form that signs out.
    account: Option<(&'a str, String)>,
    /// Whether they may see the report, and the admin.
    report: bool,
    admin: bool,
}

/// The answer, with a page in the place of an error in JSON.
pub(super) async fn of(api: &QueryApi, asked: &Asked, response: Response) -> Response {
    let status = response.status();
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (head, body) = response.into_parts();
    let text = match head.extensions.get::<ForPeople>() {
        Some(ForPeople(text)) => (*text).to_owned(),
        None => detail(&to_bytes(body, REFUSAL_BYTES).await.unwrap_or_default(), status),
    };
    // as it was looked up, where the database could say
    let identity = head.extensions.get::<Identity>().unwrap_or(&asked.identity);
    let page = if asked.path == "/sign-in/" && !asked.form.is_empty() {
        sign_in::once_more(api, &asked.visitor, status, &asked.form, &text)
    } else {
        let trouble = trouble(api, asked, identity, status, text);
        if asked.path.starts_with("/admin/") && is_admins(api, identity) {
            admin::trouble(api, identity, status, &trouble)
        } else {
            general(api, identity, status, &trouble)
        }
    };
    with_headers_of(&head.headers, page)
}

/// Whether there is an admin for them.
fn is_admins(api: &QueryApi, identity: &Identity) -> bool {
    api.inner.settings.admin.admin && AccessLevel::Staff.check(identity).is_ok()
}

/// What a refusal says to programs.
fn detail(body: &[u8], status: StatusCode) -> String {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    match told.get("detail").and_then(Value::as_str) {
        Some("Not found.") => "There is no page at this address.".to_owned(),
        Some(detail) => detail.to_owned(),
        None => format!("This did not work: {status}."),
    }
}

fn trouble(api: &QueryApi, asked: &Asked, identity: &Identity, status: StatusCode, mut text: String) -> Trouble {
    let passing = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
    if passing && asked.path == "/sign-out/" {
        text.push_str(" You may still be signed in: sign out again in a moment.");
    }
    // other forms change nothing that has to be kept
    let kept = if passing && asked.path.starts_with("/admin/") { Kept::of(&asked.form) } else { None };
    // a form that is gone cannot be sent again from here
    let again = kept.is_some() || (passing && asked.method != Method::POST);
    let base = &api.inner.base_path;
    let mut ways = Vec::new();
    if is_admins(api, identity) {
        ways.push(("To the first page", format!("{base}/admin/")));
    }
    if api.inner.settings.report_access.check(identity).is_ok() {
        ways.push(("To the report", format!("{base}/report/")));
    }
    if identity.name.is_none() {
        ways.push(("To the sign-in", format!("{base}/sign-in/")));
    }
    Trouble {
        title: match status {
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::METHOD_NOT_ALLOWED => "Switched off",
            StatusCode::REQUEST_TIMEOUT => "Not received",
            StatusCode::PAYLOAD_TOO_LARGE => "Too large",
            status if status.is_server_error() => "Not now",
            _ => "This did not work",
        },
        text,
        again: if again { asked.address.clone() } else { String::new() },
        kept,
        passing,
        ways,
    }
}

fn general(api: &QueryApi, identity: &Identity, status: StatusCode, trouble: &Trouble) -> Response {
    let account = identity.name.as_deref().filter(|_| identity.cookie.is_some());
    let page = Page {
        base: &api.inner.base_path,
        trouble,
        account: account.map(|name| (name, form_token(api, identity))),
        report: api.inner.settings.report_access.check(identity).is_ok(),
        admin: is_admins(api, identity),
    };
    page_response(status, page.render())
}

/// `Retry-After`, cookies and the rest stay; a page's own headers are stricter than those of an answer to a program.
fn with_headers_of(told: &HeaderMap, mut page: Response) -> Response {
    let own: Vec<_> = page.headers().keys().cloned().collect();
    for (name, value) in told {
        if *name == header::SET_COOKIE || !(own.contains(name) || *name == header::CONTENT_LENGTH) {
            page.headers_mut().append(name, value.clone());
        }
    }
    page
}
