//! What pages of other origins may do (contract § 12).
//!
//! An allowed origin may read answers and send cookies along. With `*` every page may ask, but its cookies do not
//! count: else any page could act as whoever is signed in.

use crate::target::Target;
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use std::time::Duration;
use tower::{Layer, Service};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};
use url::Url;

/// How long a browser may keep what a preflight said.
const MAX_AGE: Duration = Duration::from_hours(1);

/// What a page may read besides the plain headers.
const EXPOSED: [HeaderName; 8] = [
    header::RETRY_AFTER,
    header::LINK,
    header::ALLOW,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("footfall-count"),
    HeaderName::from_static("footfall-stored"),
    HeaderName::from_static("footfall-position"),
];

/// One entry of `FOOTFALL_ALLOWED_ORIGINS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `*`: every origin, without cookies.
    Any,
    /// This one, as browsers write it.
    One(HeaderValue),
}

/// The origins whose pages may use the API.
#[derive(Clone, Debug, Default)]
pub struct AllowedOrigins {
    any: bool,
    named: Vec<HeaderValue>,
}

impl FromIterator<AllowedOrigin> for AllowedOrigins {
    fn from_iter<T: IntoIterator<Item = AllowedOrigin>>(origins: T) -> Self {
        let mut all = Self::default();
        for origin in origins {
            match origin {
                AllowedOrigin::Any => all.any = true,
                AllowedOrigin::One(origin) => all.named.push(origin),
            }
        }
        all
    }
}

impl AllowedOrigins {
    /// Whether cookies count that come from a page of this origin: it has to be named.
    pub fn is_named(&self, origin: &HeaderValue) -> bool {
        self.named.contains(origin)
    }

    /// The layer for a request of this origin; none where nothing is allowed.
    fn layer(&self, origin: Option<&HeaderValue>) -> Option<CorsLayer> {
        if !self.any && self.named.is_empty() {
            return None;
        }
        let layer = CorsLayer::new()
            .allow_methods([Method::GET, Method::POST, Method::HEAD, Method::OPTIONS])
            // whatever the client of the original sends along, `X-CSRFToken` for instance
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(EXPOSED)
            .max_age(MAX_AGE);
        let named = origin.is_some_and(|origin| self.is_named(origin));
        Some(if named || !self.any {
            layer.allow_origin(AllowOrigin::list(self.named.iter().cloned())).allow_credentials(true)
        } else {
            // an answer without credentials is not for a page that may have them
            let varies = (!self.named.is_empty()).then_some(header::ORIGIN);
            let varies = varies
                .into_iter()
                .chain([header::ACCESS_CONTROL_REQUEST_METHOD, header::ACCESS_CONTROL_REQUEST_HEADERS]);
            layer.allow_origin(AllowOrigin::any()).vary(varies.collect::<Vec<_>>())
        })
    }
}

/// Reads an origin in a setting.
///
/// # Errors
/// When it is neither `*` nor scheme, host and port alone.
pub fn parse_origin(text: &str) -> Result<AllowedOrigin, String> {
    if text == "*" {
        return Ok(AllowedOrigin::Any);
    }
    let wrong = || format!("{text:?} is no origin; for example https://shop.example, or * for every one");
    let url = Url::parse(text).map_err(|_| wrong())?;
    let alone = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    // part of a host cannot be left open
    let whole = url.host_str().is_some_and(|host| !host.contains('*'));
    if !matches!(url.scheme(), "http" | "https") || !alone || !whole || url.password().is_some() {
        return Err(wrong());
    }
    HeaderValue::from_str(&url.origin().ascii_serialization()).map(AllowedOrigin::One).map_err(|_| wrong())
}

/// What [`answer`] goes by.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Who may.
    pub origins: AllowedOrigins,
    /// What everything is below.
    pub base_path: String,
}

/// Middleware: answers preflights, and marks answers for pages of allowed origins. A preflight costs nothing of a
/// budget and asks for no credentials: browsers send none with it.
pub async fn answer(State(cors): State<Cors>, request: Request, next: Next) -> Response {
    // what redirects to the path with its slash is read by the same pages: without this the redirect stops them
    let path = request.uri().path().strip_prefix(cors.base_path.as_str());
    let target = path.and_then(|path| Target::of(path, None).or_else(|| Target::of(&format!("{path}/"), None)));
    let layer = target.and_then(|_| cors.origins.layer(request.headers().get(header::ORIGIN)));
    let (Some(target), Some(layer)) = (target, layer) else { return next.run(request).await };
    let preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if request.method() == Method::OPTIONS && !preflight {
        return next.run(request).await;
    }
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = match layer.layer(next).call(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    if is_preflight {
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(target.allow()));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("*", "*")]
    #[case("https://shop.example", "https://shop.example")]
    #[case("HTTPS://Shop.Example:443/", "https://shop.example")]
    #[case("http://localhost:3000", "http://localhost:3000")]
    #[case("https://bücher.example", "https://xn--bcher-kva.example")]
    fn an_origin_is_written_as_browsers_do(#[case] text: &str, #[case] origin: &str) {
        let read = match parse_origin(text).unwrap() {
            AllowedOrigin::Any => "*".to_owned(),
            AllowedOrigin::One(origin) => origin.to_str().unwrap().to_owned(),
        };
        assert_eq!(read, origin);
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for wrong in
            ["", "null", "shop.example", "https://shop.example/x", "https://a@shop.example", "ftp://x", "https://*.x"]
        {
            assert!(parse_origin(wrong).is_err(), "{wrong}");
        }
    }
}
