//! Connections: how many, how long each may say nothing or take nothing, and how they end.

use crate::{client_address::Peer, http::Problem, lifecycle::Shutdown};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, Version, header},
    response::{IntoResponse, Response},
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::task::TaskTracker;
use tower::Service;

/// Connections that a listener holds at most; further ones wait in the kernel's queue. With [`HEADER_BYTES`] this
/// bounds what idle connections can take: 10,000 × 64 KiB at the very worst.
const CONNECTIONS: usize = 10_000;

/// Files that are not for connections: the database's, the log's, the libraries'.
const OTHER_FILES: usize = 200;

/// Request heads larger than this are refused with 431.
const HEADER_BYTES: usize = 64 * 1024;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// To send a request head, or to begin with the next one.
    head: Duration,
    /// To take something of an answer that waits for it.
    answer: Duration,
}

const PATIENCE: Patience = Patience { head: Duration::from_secs(30), answer: Duration::from_secs(30) };

/// How long a connection may take, once the process is to stop, to send the rest of a request head or to read the rest
/// of an answer. Requests that are being answered are waited for.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Answers connections until the shutdown begins, then finishes the requests that are under way. From when it is
/// announced, each answer asks for the next request to go over another connection.
pub(crate) async fn serve(listener: TcpListener, app: Router, shutdown: Shutdown) -> anyhow::Result<()> {
    serve_within(PATIENCE, listener, app, shutdown).await
}

async fn serve_within(
    patience: Patience,
    listener: TcpListener,
    app: Router,
    shutdown: Shutdown,
) -> anyhow::Result<()> {
    let stopping = shutdown.token();
    let (connections, places) = (TaskTracker::new(), Arc::new(Semaphore::new(places())));
    loop {
        let Some(place) = stopping.run_until_cancelled(places.clone().acquire_owned()).await else { break };
        let Some(accepted) = stopping.run_until_cancelled(listener.accept()).await else { break };
        match accepted {
            Ok((stream, peer)) => {
                let (app, shutdown) = (app.clone(), shutdown.clone());
                connections.spawn(async move {
                    answer(patience, stream, peer, app, &shutdown).await;
                    drop(place);
                });
            }
            Err(error) => {
                // out of file descriptors, or the client is gone already: neither is a reason to end
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// As many connections as there may be open files, after asking for as many as are allowed: a shell's first limit is
/// often 1,024, and then a thousand silent connections would keep the service from its own database.
fn places() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { raised } else { limit };
    let files = limit.current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    let places = files.saturating_sub(OTHER_FILES).clamp(files / 2, CONNECTIONS).max(1);
    if places < CONNECTIONS {
        tracing::warn!(files, connections = places, "the limit of open files (ulimit -n) leaves few connections");
    }
    places
}

async fn answer(patience: Patience, stream: TcpStream, peer: SocketAddr, app: Router, shutdown: &Shutdown) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY");
    }
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(patience.answer));
    let answering = Arc::new(AtomicUsize::new(0));
    let (counter, leaving) = (Arc::clone(&answering), shutdown.leaving().clone());
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer.ip()));
        let (mut app, counter, leaving) = (app.clone(), Arc::clone(&counter), leaving.clone());
        async move {
            if let Some(refused) = without_one_host(&request) {
                return Ok::<_, Infallible>(refused);
            }
            counter.fetch_add(1, Ordering::Relaxed);
            let mut answer = app.call(request).await;
            counter.fetch_sub(1, Ordering::Relaxed);
            if leaving.is_cancelled()
                && let Ok(answer) = &mut answer
            {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            answer
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.head)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.token().cancelled() => {
            connection.as_mut().graceful_shutdown();
            loop {
                match tokio::time::timeout(LAST_MOMENT, connection.as_mut()).await {
                    Ok(ended) => break ended,
                    Err(_) if answering.load(Ordering::Relaxed) == 0 => break Ok(()),
                    Err(_) => {}
                }
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

/// RFC 9112, 3.2: a request that leaves it open for whom it is, is refused; two proxies could read it in two ways. The
/// HTTP library leaves this to its users.
fn without_one_host(request: &Request) -> Option<Response> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts == 1 || (hosts == 0 && request.version() < Version::HTTP_11) {
        return None;
    }
    let problem = Problem::detail(StatusCode::BAD_REQUEST, "The request has no host, or more than one.");
    Some(problem.with(header::CONNECTION, HeaderValue::from_static("close")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LARGE: usize = 64 << 20;
    const LONG: Duration = Duration::from_mins(10);

    /// A server whose only page is large.
    async fn server(patience: Patience) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "no part of the API")]
        let app = Router::new().route("/", axum::routing::get(|| async { vec![b'x'; LARGE] }));
        tokio::spawn(serve_within(patience, listener, app, Shutdown::new(LONG)));
        address
    }

    async fn said_after(address: SocketAddr, request: &str) -> Vec<u8> {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn who_says_nothing_or_half_a_request_is_not_waited_for() {
        let patience = Duration::from_millis(300);
        let address = server(Patience { head: patience, answer: LONG }).await;
        for said in ["", "GET / HTTP/1.1\r\nHost: a\r\nX", "GET /none/ HTTP/1.1\r\nHost: a\r\n\r\n"] {
            let started = Instant::now();
            let answer = said_after(address, said).await;
            assert!(started.elapsed() >= patience, "{said:?}: {:?}", started.elapsed());
            let told = answer.is_empty() || answer.starts_with(b"HTTP/1.1 40");
            assert!(told, "{:?}", String::from_utf8_lossy(&answer));
        }
    }

    #[tokio::test]
    async fn who_takes_nothing_of_his_answer_loses_his_place() {
        let address = server(Patience { head: LONG, answer: Duration::from_millis(300) }).await;
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        // when a byte more cannot be sent, nobody is there to take it
        while client.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let mut taken = Vec::new();
        drop(client.read_to_end(&mut taken).await);
        assert!(taken.len() < LARGE, "{} bytes", taken.len());
        // and who does take it gets all of it
        let whole = said_after(address, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        assert!(whole.len() > LARGE);
    }

    #[tokio::test]
    async fn a_request_names_one_host() {
        let address = server(PATIENCE).await;
        for (head, status) in [
            ("GET /none/ HTTP/1.1\r\n", "400"),
            ("GET /none/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "400"),
            ("GET /none/ HTTP/1.0\r\nHost: a\r\nHost: b\r\n", "400"),
            ("GET /none/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", "404"),
            ("GET /none/ HTTP/1.0\r\n", "404"),
        ] {
            let answer = said_after(address, &format!("{head}\r\n")).await;
            assert_eq!(std::str::from_utf8(&answer[9..12]), Ok(status), "{head}");
        }
    }
}
