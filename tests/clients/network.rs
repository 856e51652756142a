//! A network that loses answers: what was sent arrives, and its sender hears of a 503.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use test_support::http::exchange;

/// What an answer that got lost tells its sender to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Between clients and a Footfall. It loses the first answer to each path that is posted to.
pub struct Network {
    /// `127.0.0.1:port`, in place of Footfall's own.
    pub address: String,
    inner: Arc<Inner>,
}

struct Inner {
    footfall: String,
    lost: AtomicUsize,
    sent: Mutex<Vec<Sent>>,
    gate: Mutex<()>,
}

struct Sent {
    path: String,
    body: String,
    at: Instant,
}

impl Network {
    pub fn before(footfall: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let inner = Arc::new(Inner {
            footfall: footfall.to_owned(),
            lost: AtomicUsize::default(),
            sent: Mutex::default(),
            gate: Mutex::default(),
        });
        let network = Self { address, inner: Arc::clone(&inner) };
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, inner) = (client.unwrap(), Arc::clone(&inner));
                std::thread::spawn(move || inner.carry(client));
            }
        });
        network
    }

    /// Nothing arrives as long as the value lives.
    pub fn jam(&self) -> MutexGuard<'_, ()> {
        self.inner.gate.lock().unwrap()
    }

    /// How often something was posted.
    pub fn posts(&self) -> usize {
        self.inner.sent.lock().unwrap().len()
    }

    /// How many answers were lost. Each must have been followed by the same event to the same path, and not too early.
    pub fn lost(&self) -> usize {
        let sent = self.inner.sent.lock().unwrap();
        for (at, first) in sent.iter().enumerate() {
            let same = |later: &&Sent| later.path == first.path && event_ids(&later.body) == event_ids(&first.body);
            if let Some(again) = sent[at + 1..].iter().find(same) {
                let waited = again.at - first.at;
                assert!(waited >= RETRY_AFTER, "{} again after {waited:?}", first.path);
            }
        }
        self.inner.lost.load(Ordering::SeqCst)
    }
}

/// All ids in a body, whatever stands around them.
fn event_ids(body: &str) -> Vec<&str> {
    let values = body.split("\"event_id\"").skip(1);
    values.map(|rest| rest.trim_start_matches([':', ' ', '"']).split('"').next().unwrap()).collect()
}

impl Inner {
    fn carry(&self, mut client: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(client.try_clone().ok()?);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            // nobody there any more, or it is over
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let lower = line.to_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
            if !lower.starts_with("connection:") && !lower.starts_with("expect:") {
                head += &line;
            }
        }
        head += "connection: close\r\n\r\n";
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        drop(self.gate.lock().unwrap());
        let answer = exchange(&self.footfall, &[head.as_bytes(), &body].concat()).ok()?;
        let mut answer_head = answer.head.clone();
        if let Some(path) = head.strip_prefix("POST ").and_then(|rest| rest.split(' ').next()) {
            let mut sent = self.sent.lock().unwrap();
            if answer.status == 202 && sent.iter().all(|before| before.path != path) {
                self.lost.fetch_add(1, Ordering::SeqCst);
                let seconds = RETRY_AFTER.as_secs();
                answer_head = answer_head.replacen(
                    "202 Accepted\r\n",
                    &format!("503 Service Unavailable\r\nretry-after: {seconds}\r\n"),
                    1,
                );
            }
            let body = String::from_utf8_lossy(&body).into_owned();
            sent.push(Sent { path: path.to_owned(), body, at: Instant::now() });
        }
        client.write_all(answer_head.as_bytes()).and_then(|()| client.write_all(&answer.body)).ok()
    }
}
