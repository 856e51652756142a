//! The errors that all services answer alike, and what is around their routes.

use crate::{connections, lifecycle::Shutdown};
use axum::{
    Router,
    extract::{OriginalUri, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
};
use tokio::net::{TcpListener, TcpSocket};
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;

/// Connections that wait in the kernel's queue at most.
const QUEUE: u32 = 1024;

/// An error answer: contract § 4.
#[derive(Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The JSON body.
    pub body: serde_json::Value,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// `{"detail": "…"}`.
    pub fn detail(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, body: serde_json::json!({ "detail": detail.into() }), headers: Vec::new() }
    }

    /// 503 with `Retry-After` in seconds.
    pub fn unavailable(detail: impl Into<String>, retry_after_seconds: u32) -> Self {
        Self::detail(StatusCode::SERVICE_UNAVAILABLE, detail).with(header::RETRY_AFTER, retry_after_seconds.into())
    }

    /// 404 for a path or an id that is no integer.
    pub fn not_found() -> Self {
        Self::detail(StatusCode::NOT_FOUND, "Not found.")
    }

    /// The same with a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body)).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// The last touches to a service's routes: 404, 405, the missing slash at the end (301; 308 for POST), below the base
/// path, and an answer instead of a dropped connection should a handler panic.
///
/// `base_path` is empty, or begins with a slash and does not end with one.
pub fn finish(routes: Router, base_path: &str) -> Router {
    let routes = routes.fallback(not_found).method_not_allowed_fallback(other_method);
    let routes = if base_path.is_empty() { routes } else { below(base_path, routes) };
    // a layer of the router itself would come before the router adds its header
    let routes = Router::new().fallback_service(middleware::map_response(last_touches).layer(routes));
    routes.layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref().copied());
        tracing::error!(panic = text.unwrap_or("?"), "a request handler panicked");
        Problem::detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal error.").into_response()
    }))
}

/// `Router::nest` knows the root of what it nests without a slash alone, and the contract's ends in one.
fn below(base_path: &str, routes: Router) -> Router {
    let base: Arc<str> = base_path.into();
    let routes = Router::new().nest_service(base_path, routes).fallback(not_found);
    routes.layer(middleware::from_fn_with_state(base, slash_behind_the_base))
}

async fn slash_behind_the_base(State(base): State<Arc<str>>, request: Request, next: Next) -> Response {
    // what nests routes takes two slashes for one, and nobody else does
    if request.uri().path().strip_prefix(&*base).is_some_and(|rest| rest.starts_with("//")) {
        return Problem::not_found().into_response();
    }
    let redirect = if request.uri().path() == &*base { add_slash(request.method(), request.uri()) } else { None };
    match redirect {
        Some(redirect) => redirect,
        None => next.run(request).await,
    }
}

/// What is said of an address that nobody knows: where it is with a slash at its end, else 404.
pub async fn not_found(method: Method, OriginalUri(uri): OriginalUri) -> Response {
    with_slash(&method, &uri).unwrap_or_else(|| Problem::not_found().into_response())
}

/// For OPTIONS what is allowed, which stands in the header alone; else 405.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS { StatusCode::OK.into_response() } else { method_not_allowed(&method) }
}

/// 405, in the contract's words (§ 4).
pub(crate) fn method_not_allowed(method: &Method) -> Response {
    Problem::detail(StatusCode::METHOD_NOT_ALLOWED, format!("Method \"{method}\" not allowed.")).into_response()
}

/// Brings the router's `Allow` into the contract's form: `GET, POST, HEAD, OPTIONS` (contract § 1); and no browser is to
/// guess that an answer is something else than it says.
async fn last_touches(mut response: Response) -> Response {
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let Some(allowed) = response.headers().get(header::ALLOW).and_then(|value| value.to_str().ok()) else {
        return response;
    };
    let allowed: Vec<&str> = allowed.split(',').map(str::trim).collect();
    let methods = ["GET", "POST", "HEAD", "OPTIONS"];
    let in_order: Vec<&str> =
        methods.into_iter().filter(|method| *method == "OPTIONS" || allowed.contains(method)).collect();
    if let Ok(value) = HeaderValue::from_str(&in_order.join(", ")) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// A redirect to the same address with a slash at the end of its path, if it has none and one could help.
fn with_slash(method: &Method, uri: &Uri) -> Option<Response> {
    let path = uri.path();
    let last = path.rsplit('/').next()?;
    // an extension or `//host` at the front is nothing that a slash would make ours
    if last.is_empty() || last.contains('.') || path.starts_with("//") || path.contains('\\') {
        return None;
    }
    let known =
        ["sessions", "pageviews", "interactions", "report", "admin", "sign-in", "sign-out", "batch", "status", "docs"];
    if path.split('/').any(|part| known.contains(&part)) { add_slash(method, uri) } else { None }
}

/// A redirect to the same address with a slash at the end of its path.
fn add_slash(method: &Method, uri: &Uri) -> Option<Response> {
    let path = uri.path();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let location = HeaderValue::from_str(&format!("{path}/{query}")).ok()?;
    // only where the body has to survive: the original says 301 to everything (contract § 1)
    let post = *method == Method::POST;
    let status = if post { StatusCode::PERMANENT_REDIRECT } else { StatusCode::MOVED_PERMANENTLY };
    Some((status, [(header::LOCATION, location)]).into_response())
}

/// Opens a listening socket.
///
/// # Errors
/// As [`reserve`].
pub fn bind(setting: &'static str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    listen(setting, reserve(setting, address)?)
}

/// Opens a port that was taken with [`reserve`].
///
/// # Errors
/// As [`reserve`]: somebody else may have taken the same port, and opened it first.
pub fn listen(setting: &'static str, port: TcpSocket) -> anyhow::Result<TcpListener> {
    let address = port.local_addr()?;
    port.listen(QUEUE).map_err(|error| cannot_listen(setting, address, error))
}

/// Takes a port, for somebody who will listen on it later: until then whoever connects is refused, and not left waiting
/// for an answer.
///
/// # Errors
/// One line that names the setting and the way out, for instance when the port is taken.
pub fn reserve(setting: &'static str, address: SocketAddr) -> anyhow::Result<TcpSocket> {
    let take = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // a port that is free but for connections that have just ended is free
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    take().map_err(|error| cannot_listen(setting, address, error))
}

fn cannot_listen(setting: &str, address: SocketAddr, error: io::Error) -> anyhow::Error {
    let way_out = match error.kind() {
        ErrorKind::AddrInUse => "stop what uses this port, or choose another one",
        ErrorKind::PermissionDenied => "ports below 1024 are for root: choose another one",
        ErrorKind::AddrNotAvailable => "this machine has no such address: choose one that it has, or 0.0.0.0,",
        _ => "choose another address",
    };
    anyhow::Error::new(error).context(format!("cannot listen on {address}: {way_out} with {setting}"))
}

/// Serves as a worker of the process, and logs the address: the system may have chosen the port.
pub fn spawn_server(name: &'static str, listener: TcpListener, app: Router, shutdown: &Shutdown) {
    match listener.local_addr() {
        Ok(address) => tracing::info!(server = name, %address, "listening"),
        Err(error) => tracing::warn!(server = name, %error, "listening at an unknown address"),
    }
    shutdown.spawn(name, connections::serve(listener, app, shutdown.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        body::Body,
        http::HeaderMap,
        routing::{get, post},
    };
    use tower::ServiceExt;

    #[expect(clippy::disallowed_methods, reason = "the routes of no service")]
    async fn ask(base: &str, method: &str, path: &str) -> (StatusCode, HeaderMap, String) {
        let routes = Router::new()
            .route("/sessions/", get(|| async { "list" }).merge(post(|| async { "made" })))
            .route("/panic/", get(|| async { panic!("at the disco") as &'static str }));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = finish(routes, base).oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        (head.status, head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_missing_slash_is_added_and_a_body_survives_it() {
        let (status, headers, _) = ask("", "GET", "/sessions?limit=2").await;
        assert_eq!((status.as_u16(), headers["location"].to_str().unwrap()), (301, "/sessions/?limit=2"));
        let (status, headers, _) = ask("/user_behavior", "POST", "/user_behavior/sessions").await;
        assert_eq!((status.as_u16(), headers["location"].to_str().unwrap()), (308, "/user_behavior/sessions/"));
        for method in ["PUT", "DELETE", "OPTIONS", "HEAD"] {
            assert_eq!(ask("", method, "/sessions").await.0, 301, "{method}");
        }
        let (status, ..) = ask("", "GET", "//evil.example/sessions").await;
        assert_eq!(status, 404);
    }

    #[tokio::test]
    async fn an_unknown_path_and_a_wrong_method_are_told_in_json() {
        let (status, _, body) = ask("", "GET", "/nowhere/").await;
        assert_eq!((status.as_u16(), body.as_str()), (404, r#"{"detail":"Not found."}"#));
        for base in ["", "/below"] {
            let (status, headers, body) = ask(base, "PUT", &format!("{base}/sessions/")).await;
            assert_eq!((status.as_u16(), body.as_str()), (405, r#"{"detail":"Method \"PUT\" not allowed."}"#));
            assert_eq!(headers["allow"], "GET, POST, HEAD, OPTIONS");
            let (status, headers, body) = ask(base, "OPTIONS", &format!("{base}/sessions/")).await;
            assert_eq!((status.as_u16(), body.as_str()), (200, ""));
            assert_eq!(headers["allow"], "GET, POST, HEAD, OPTIONS");
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_refuses_whoever_connects_until_it_is_opened() {
        let port = reserve("--listen", "127.0.0.1:0".parse().unwrap()).unwrap();
        let address = port.local_addr().unwrap();
        let refused = tokio::net::TcpStream::connect(address).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let listener = listen("--listen", port).unwrap();
        tokio::net::TcpStream::connect(address).await.unwrap();
        let taken = format!("{:#}", bind("--listen", address).unwrap_err());
        assert!(taken.contains("stop what uses this port") && taken.contains("--listen"), "{taken}");
        drop(listener);
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_not_told_to_be_in_use() {
        // RFC 5737: nobody's
        let told = format!("{:#}", bind("--listen", "192.0.2.1:8080".parse().unwrap()).unwrap_err());
        assert!(told.contains("no such address") && !told.contains("stop what uses"), "{told}");
    }

    #[tokio::test]
    async fn a_handler_that_panics_still_answers() {
        assert_eq!(ask("", "GET", "/panic/").await.0, 500);
    }
}
