use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{self, SendRequest},
    header::RETRY_AFTER,
};
use hyper_util::rt::TokioIo;
use std::{future::poll_fn, io, pin::Pin, pin::pin, task::Poll, time::Duration};
use tokio::net::TcpStream;

/// Most bytes of an answer that are kept: the results of a full batch take a tenth of it.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub status: StatusCode,
    /// When to ask again, if the server says so.
    pub retry_after: Option<Duration>,
    /// Empty when the answer is a 202: nothing in it matters then.
    pub body: Vec<u8>,
}

/// A connection that carries one request at a time.
///
/// The side that speaks HTTP is driven from within [`exchange`](Self::exchange), by the same task: one wake-up a
/// request instead of three.
pub(crate) struct Connection {
    requests: SendRequest<Full<Bytes>>,
    driver: Driver,
}

struct Driver {
    http: Pin<Box<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>>,
    over: bool,
}

impl Connection {
    /// Connects to `host:port`.
    pub async fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (requests, http) = http1::Builder::new()
            // requests are small: copied together they leave in one write without a list of buffers
            .writev(false)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Self { requests, driver: Driver { http: Box::pin(http), over: false } })
    }

    /// Whether a request can be sent; not when the server has closed the connection since the last one.
    pub async fn is_open(&mut self) -> bool {
        self.driver.drive(self.requests.ready()).await.is_ok()
    }

    /// Sends a request and reads the answer. After an error, or when it is dropped half-way, the connection is of no
    /// more use.
    pub async fn exchange(&mut self, request: Request<Full<Bytes>>) -> hyper::Result<Answer> {
        let answer = self.requests.send_request(request);
        let answer = async {
            let (head, mut rest) = answer.await?.into_parts();
            let mut body = Vec::new();
            while let Some(frame) = rest.frame().await {
                let data = frame?.into_data().unwrap_or_default();
                if head.status != StatusCode::ACCEPTED && body.len() + data.len() <= MAX_ANSWER_BYTES {
                    body.extend_from_slice(&data);
                }
            }
            let retry_after = head.headers.get(RETRY_AFTER);
            let seconds = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            Ok(Answer { status: head.status, retry_after: seconds.map(Duration::from_secs), body })
        };
        self.driver.drive(answer).await
    }
}

impl Driver {
    /// Lets the connection work until `wanted` is there. An error of the connection reaches `wanted` as well.
    async fn drive<F: Future>(&mut self, wanted: F) -> F::Output {
        let mut wanted = pin!(wanted);
        poll_fn(|context| {
            if !self.over {
                self.over = self.http.as_mut().poll(context).is_ready();
            }
            match wanted.as_mut().poll(context) {
                Poll::Pending if self.over => {
                    // what the connection handed over when it ended
                    wanted.as_mut().poll(context)
                }
                polled => polled,
            }
        })
        .await
    }
}
