//! What staff read when a page of the admin cannot be shown: within the admin, so that they can go on.

use super::{kinds::Kind, shell::Shell, show};
use crate::{routes::QueryApi, sign_in::page_response, trouble::Trouble};
use askama::Template;
use axum::{http::StatusCode, response::Response};
use service::access::Identity;

/// Characters of a value that is told; the form that comes back has the whole.
const CUT: usize = 300;

/// The fields of the forms that people type something into.
const TYPED: [&str; 10] = [
    "session_id",
    "user_agent",
    "ip_address",
    "user_id",
    "end_time",
    "session",
    "url",
    "event_type",
    "element",
    "metadata",
];

#[derive(Template)]
#[template(path = "admin/trouble.html")]
struct Page<'a> {
    shell: &'a Shell,
    trouble: &'a Trouble,
}

/// The page.
pub(crate) fn trouble(api: &QueryApi, identity: &Identity, status: StatusCode, trouble: &Trouble) -> Response {
    let shell = Shell::of(api, identity);
    page_response(status, Page { shell: &shell, trouble }.render())
}

/// A field that somebody typed into, by the name that they know; nothing for what a form carries along.
pub(crate) fn typed_as(name: &str, value: &str) -> Option<(&'static str, String)> {
    let name = TYPED.into_iter().find(|known| *known == name)?;
    Some((Kind::label(name), show::cut(value, CUT).0))
}
