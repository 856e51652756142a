//! What people read when they do not get the page that they asked for. Handlers and layers answer in JSON, whatever went
//! wrong, and this layer around all of them is the one place that makes a page of it where people look: status and
//! headers stay, the words are plain, and there is a way on. A form that was sent comes back with what was typed.

mod forbidden;
mod form;
mod kept;
mod page;

pub(crate) use forbidden::forbidden;
pub(crate) use page::Trouble;

use crate::{
    admin, negotiation,
    routes::QueryApi,
    sign_in::{self, Visitor},
};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use service::{
    access::{AccessLevel, Identity},
    http::Problem,
};
use std::time::Duration;

/// Largest form of the sign-in: with one that somebody sent while they were signed out.
const SIGN_IN_BYTES: usize = 64 * 1024;

/// How long a form may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who looks at what an address answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// People alone.
    Person,
    /// Programs, and people who click on a link to it.
    Either,
    /// Programs.
    Program,
}

impl Reader {
    /// `path` is below the base path.
    fn of(path: &str) -> Self {
        match path {
            "/report/" | "/sign-in/" | "/sign-out/" => Self::Person,
            "/report/csv/" => Self::Either,
            // the small script of a form asks for them
            "/admin/session-names/" => Self::Program,
            _ if path.starts_with("/admin/") => Self::Person,
            _ => Self::Program,
        }
    }
}

/// What somebody asked for.
struct Asked {
    /// Below the base path.
    path: String,
    /// As they know it, with its query.
    address: String,
    method: Method,
    visitor: Visitor,
    /// Who they say they are: their cookie or token is signed, but may have been given back since.
    identity: Identity,
    /// The form that they sent, if it is one that can come back.
    form: Bytes,
}

/// Middleware: comes before everything that can go wrong.
pub(crate) async fn in_plain_words(State(api): State<QueryApi>, request: Request, next: Next) -> Response {
    match Reader::of(request.uri().path()) {
        Reader::Program => next.run(request).await,
        Reader::Either => or_to_the_sign_in(&api, request, next).await,
        Reader::Person => page_or_trouble(&api, request, next).await,
    }
}

async fn page_or_trouble(api: &QueryApi, request: Request, next: Next) -> Response {
    let mut asked = Asked {
        path: request.uri().path().to_owned(),
        address: sign_in::address(&request),
        method: request.method().clone(),
        visitor: Visitor::of(request.headers(), request.extensions()),
        identity: request.extensions().get::<Identity>().cloned().unwrap_or_default(),
        form: Bytes::new(),
    };
    // here, and not where it is used: an error on the way there must not lose it, and who sends it slowly is not told
    // that the database is slow
    let request = if asked.method == Method::POST {
        match with_its_form(request, &mut asked).await {
            Ok(request) => request,
            Err(problem) => return page::of(api, &asked, problem.into_response()).await,
        }
    } else {
        request
    };
    let response = next.run(request).await;
    page::of(api, &asked, response).await
}

/// The request with its form read to the end.
async fn with_its_form(request: Request, asked: &mut Asked) -> Result<Request, Problem> {
    let (head, body) = request.into_parts();
    let is_admins = asked.path.starts_with("/admin/");
    let form = if is_admins && AccessLevel::Staff.check(&asked.identity).is_err() {
        // they have to sign in first; it comes back to them afterwards as far as it can be kept
        let received = form::receive(&head.headers, body, sign_in::KEPT_BYTES, PATIENCE).await;
        match received {
            Err(problem) if problem.status == StatusCode::PAYLOAD_TOO_LARGE => Bytes::new(),
            received => received?,
        }
    } else {
        let limit = if is_admins { admin::FORM_BYTES } else { SIGN_IN_BYTES };
        form::receive(&head.headers, body, limit, PATIENCE).await?
    };
    asked.form = form.clone();
    Ok(Request::from_parts(head, Body::from(form)))
}

/// Numbers and tables are for programs, but a person's sign-in may have ended when they click on a link to them.
async fn or_to_the_sign_in(api: &QueryApi, request: Request, next: Next) -> Response {
    let is_link = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_person = is_link && negotiation::is_of_a_person(request.headers());
    let way = is_person.then(|| sign_in::way_in(api, &sign_in::address(&request)));
    let mut response = next.run(request).await;
    match way {
        Some(way) if response.status() == StatusCode::UNAUTHORIZED => {
            let mut response = Redirect::to(&way).into_response();
            response.headers_mut().insert(header::VARY, header::ACCEPT.into());
            response
        }
        _ => {
            if response.status() == StatusCode::UNAUTHORIZED {
                response.headers_mut().insert(header::VARY, header::ACCEPT.into());
            }
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("/report/", Reader::Person)]
    #[case("/admin/", Reader::Person)]
    #[case("/admin/sessions/7/delete/", Reader::Person)]
    #[case("/admin/session-names/", Reader::Program)]
    #[case("/report/csv/", Reader::Either)]
    #[case("/report/data/", Reader::Program)]
    #[case("/sessions/", Reader::Program)]
    #[case("/assets/admin.css", Reader::Program)]
    #[case("/", Reader::Program)]
    fn an_address_is_for_people_or_for_programs(#[case] path: &str, #[case] reader: Reader) {
        assert_eq!(Reader::of(path), reader);
    }
}
