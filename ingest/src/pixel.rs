//! `GET /pixel.gif`: an event from a page without scripts.
//!
//! The query parameters are the fields of a page view, or of an interaction when they have an `event_type` or an
//! `element`; they are read like a form's. The page of a page view without `url` is the one that shows the pixel, as
//! `Referer` tells it. The answer is an image when the event is on the log, and else what a `POST` would have been
//! answered: a browser shows nothing either way, and whoever looks sees why nothing was recorded.

use crate::{
    charset::Charset,
    events::{Kind, validate},
    forms::urlencoded,
    routes::Ingest,
};
use axum::{
    extract::Request,
    http::{HeaderName, Method, header, request::Parts},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use service::{http::Problem, resource::Resource, target::pixel_resource};

/// One transparent pixel.
const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

impl Ingest {
    /// Answers a request for the pixel. `HEAD` only looks: it records nothing.
    pub(crate) async fn draw(&self, request: Request) -> Result<Response, Response> {
        let (head, _) = request.into_parts();
        let query = head.uri.query().unwrap_or_default();
        let kind = match pixel_resource(query) {
            Resource::Interactions => Kind::Interaction,
            Resource::Sessions | Resource::PageViews => Kind::PageView,
        };
        self.admit(&head, kind.resource()).map_err(Problem::into_response)?;
        let mut fields =
            urlencoded::parse(query.as_bytes(), Charset::Utf8, kind.fields()).map_err(Problem::into_response)?;
        if kind == Kind::PageView
            && fields.get("url").is_none()
            && let Some(page) = referer(&head)
        {
            fields.set_text("url", &page);
        }
        let valid =
            validate(kind, &fields, self.clock(false, TimeDelta::zero())).map_err(IntoResponse::into_response)?;
        if head.method != Method::HEAD {
            self.store(valid, &head).await.map_err(Problem::into_response)?;
        }
        let headers = [
            (header::CONTENT_TYPE, "image/gif"),
            (header::CACHE_CONTROL, "no-store"),
            // for pages that embed nothing which does not allow it
            (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
        ];
        Ok((headers, GIF).into_response())
    }
}

fn referer(head: &Parts) -> Option<String> {
    head.headers.get(header::REFERER).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
