//! A server that answers as a test wants it to, on a real socket, and remembers what it was sent.

#![expect(dead_code, reason = "every test uses a part of it")]

use bytes::Bytes;
use clap::Parser;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap, Request, Response,
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use load::{LoadSettings, Summary};
use serde_json::Value;
use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};
use test_support::eventually;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
    /// Whether a whole answer was sent with this status.
    pub answered: Option<u16>,
}

impl Received {
    pub fn text(&self, key: &str) -> String {
        self.body[key].as_str().unwrap().to_owned()
    }
}

/// What the server does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    RetryAfter(u16, u64),
    Body(u16, String),
    Slow(Duration),
    Never,
    /// Close without an answer.
    Break,
    /// Close in the middle of a 202.
    BreakHalfway,
}

type Behaviour = Arc<dyn Fn(&Received) -> Reply + Send + Sync>;

pub struct Server {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    behaviour: Behaviour,
    running: JoinHandle<()>,
}

impl Server {
    pub async fn start(behaviour: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received, behaviour): (_, Behaviour) = (Arc::default(), Arc::new(behaviour));
        let running = tokio::spawn(serve(listener, Arc::clone(&received), behaviour.clone()));
        Self { address, received, behaviour, running }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    /// Goes away: no more listener, every connection cut.
    pub async fn stop(&mut self) {
        self.running.abort();
        let _ = (&mut self.running).await;
    }

    /// Comes back on the same port.
    pub async fn start_again(&mut self) {
        let bound = || async { TcpListener::bind(self.address).await.ok() };
        let listener = eventually("the port is free again", Duration::from_secs(10), bound).await;
        self.running = tokio::spawn(serve(listener, self.received.clone(), self.behaviour.clone()));
    }
}

async fn serve(listener: TcpListener, received: Arc<Mutex<Vec<Received>>>, behaviour: Behaviour) {
    // dropped with this task, and the connections with it
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (received, behaviour) = (received.clone(), behaviour.clone());
        connections.spawn(async move {
            let service = service_fn(|request| answer(request, &received, &behaviour));
            // an error is what the test wanted
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    received: &Mutex<Vec<Received>>,
    behaviour: &Behaviour,
) -> io::Result<Response<Answer>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let body = serde_json::from_slice(&body).unwrap();
    let request = Received { path: head.uri.path().to_owned(), headers: head.headers, body, answered: None };
    let place = {
        let mut received = received.lock().unwrap();
        received.push(request.clone());
        received.len() - 1
    };
    let reply = behaviour(&request);
    let (status, body) = match reply {
        Reply::Status(status) | Reply::RetryAfter(status, _) => (status, Answer::whole("{}")),
        Reply::Body(status, ref body) => (status, Answer::whole(body)),
        Reply::Slow(time) => {
            tokio::time::sleep(time).await;
            (202, Answer::whole("{}"))
        }
        Reply::Never => std::future::pending().await,
        Reply::Break => return Err(io::Error::other("broken on purpose")),
        Reply::BreakHalfway => (202, Answer { part: Some(Bytes::from_static(b"{\"id\":")), promised: 100 }),
    };
    if !matches!(reply, Reply::BreakHalfway) {
        received.lock().unwrap()[place].answered = Some(status);
    }
    let mut response = Response::builder().status(status);
    if let Reply::RetryAfter(_, seconds) = reply {
        response = response.header("retry-after", seconds);
    }
    Ok(response.body(body).unwrap())
}

struct Answer {
    part: Option<Bytes>,
    promised: u64,
}

impl Answer {
    fn whole(text: &str) -> Self {
        Self { part: Some(text.to_owned().into()), promised: text.len() as u64 }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Some(part) = self.part.take() else {
            let broken = self.promised > 0;
            return Poll::Ready(broken.then(|| Err(io::Error::other("broken on purpose"))));
        };
        self.promised -= part.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.part.is_none() && self.promised == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    load: LoadSettings,
}

/// Settings as they are typed.
pub fn settings(url: &str, arguments: &[&str]) -> LoadSettings {
    Command::parse_from(["load", "--url", url].iter().chain(arguments)).load
}

/// A run that nobody stops.
pub async fn run(url: &str, arguments: &[&str]) -> Summary {
    load::run(settings(url, arguments), CancellationToken::new()).await.unwrap()
}

/// The lines of the file of acknowledged events.
pub fn acknowledged(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The events of each session in the order of their first arrival, without what comes from a clock.
pub fn sessions(received: &[Received]) -> HashMap<String, Vec<Value>> {
    let mut sessions: HashMap<_, Vec<Value>> = HashMap::new();
    for request in received {
        let mut event = request.body.clone();
        if let Some(end) = event.get_mut("end_time") {
            *end = Value::Null;
        }
        let session = sessions.entry(request.text("session_id")).or_default();
        if !session.iter().any(|seen| seen["event_id"] == event["event_id"]) {
            session.push(event);
        }
    }
    sessions
}
