//! The least that a server can do: 202 to whatever comes. Measures what the client can do:
//!
//! ```text
//! taskset -c 0 cargo run --release -p load --example sink -- 127.0.0.1:8090
//! taskset -c 1 cargo run --release -p load --example drive -- --url http://127.0.0.1:8090 --events 1000000
//! ```

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8090".into());
    let listener = TcpListener::bind(&address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let served = http1::Builder::new()
                .pipeline_flush(true)
                .serve_connection(TokioIo::new(stream), service_fn(accept))
                .await;
            if let Err(error) = served {
                eprintln!("{error}");
            }
        });
    }
}

async fn accept(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let mut response = Response::new(Full::new(Bytes::from_static(b"{\"id\":1,\"session_id\":\"s\"}")));
    *response.status_mut() = StatusCode::ACCEPTED;
    Ok(response)
}
