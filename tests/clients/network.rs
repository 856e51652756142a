//! A network that loses answers, and a Footfall that is busy: each sender has to send again, and each event counts once.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use test_support::http::{Answer, exchange};

/// What an answer that got lost tells its sender to wait.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What becomes of a request to a path that is posted to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// What was sent arrives, and its sender hears of a 503.
    Lost,
    /// It is one too many: 429, and nothing arrives.
    Throttled,
    /// The batch arrives, and of its last event the sender hears `retry`: 207.
    Partly,
}

/// Between clients and a Footfall. The first requests to each path that are taken get into trouble.
pub struct Network {
    /// `127.0.0.1:port`, in place of Footfall's own.
    pub address: String,
    inner: Arc<Inner>,
}

struct Inner {
    footfall: String,
    troubles: Vec<Trouble>,
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
    /// The first answer to each path gets lost.
    pub fn before(footfall: &str) -> Self {
        Self::troubled(footfall, &[Trouble::Lost])
    }

    /// The first requests to each path get into these troubles, one after the other.
    pub fn troubled(footfall: &str, troubles: &[Trouble]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let inner = Arc::new(Inner {
            footfall: footfall.to_owned(),
            troubles: troubles.to_vec(),
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

    /// How many events were posted, time by time. Nobody who was told to wait came too early.
    pub fn events(&self) -> Vec<usize> {
        let sent = self.inner.sent.lock().unwrap();
        for pair in sent.windows(2) {
            let waited = pair[1].at - pair[0].at;
            assert!(waited >= RETRY_AFTER, "{} again after {waited:?}", pair[1].path);
            let (before, again) = (event_ids(&pair[0].body), event_ids(&pair[1].body));
            let fewer = again.len() < before.len();
            assert!(!fewer || before.ends_with(&again), "{again:?} are not what is left of {before:?}");
        }
        sent.iter().map(|sent| event_ids(&sent.body).len()).collect()
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
        let Some(path) = head.strip_prefix("POST ").and_then(|rest| rest.split(' ').next()) else {
            let answer = exchange(&self.footfall, &[head.as_bytes(), &body].concat()).ok()?;
            return write(&mut client, &answer.head, &answer.body);
        };
        let trouble = self.trouble(path);
        let (answer_head, answer_body) = if trouble == Some(Trouble::Throttled) {
            throttled()
        } else {
            let answer = exchange(&self.footfall, &[head.as_bytes(), &body].concat()).ok()?;
            changed(trouble.filter(|_| answer.status == 202), answer)
        };
        if trouble == Some(Trouble::Lost) && answer_head.starts_with("HTTP/1.1 503") {
            self.lost.fetch_add(1, Ordering::SeqCst);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        self.sent.lock().unwrap().push(Sent { path: path.to_owned(), body, at: Instant::now() });
        write(&mut client, &answer_head, &answer_body)
    }

    /// What happens to the next request to this path.
    fn trouble(&self, path: &str) -> Option<Trouble> {
        let before = self.sent.lock().unwrap().iter().filter(|sent| sent.path == path).count();
        self.troubles.get(before).copied()
    }
}

fn write(client: &mut TcpStream, head: &str, body: &[u8]) -> Option<()> {
    client.write_all(head.as_bytes()).and_then(|()| client.write_all(body)).ok()
}

/// As Footfall says it.
fn throttled() -> (String, Vec<u8>) {
    let seconds = RETRY_AFTER.as_secs();
    let body = format!(r#"{{"detail":"Request was throttled. Expected available in {seconds} second."}}"#);
    let head = format!(
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: {seconds}\r\ncontent-type: application/json\r\n\
         access-control-allow-origin: *\r\naccess-control-expose-headers: retry-after\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    (head, body.into_bytes())
}

/// An answer as its trouble has left it.
fn changed(trouble: Option<Trouble>, answer: Answer) -> (String, Vec<u8>) {
    let retry_after = format!("retry-after: {}\r\n", RETRY_AFTER.as_secs());
    let results = |body: &Value| body["results"].as_array().map_or(0, Vec::len);
    let status = |text: &str| answer.head.replacen("202 Accepted\r\n", &format!("{text}\r\n{retry_after}"), 1);
    match trouble {
        Some(Trouble::Lost) => (status("503 Service Unavailable"), answer.body),
        // all of it again would be a 503
        Some(Trouble::Partly) if results(&answer.json()) > 1 => {
            let mut body = answer.json();
            let last = results(&body) - 1;
            body["results"][last] = json!({"status": "retry", "stored": "unknown"});
            let body = body.to_string().into_bytes();
            let (before, after) = ("content-length: ", answer.body.len());
            let head = status("207 Multi-Status");
            let head = head.replacen(&format!("{before}{after}"), &format!("{before}{}", body.len()), 1);
            (head, body)
        }
        Some(Trouble::Partly | Trouble::Throttled) | None => (answer.head, answer.body),
    }
}
