//! What a stack is put under while something happens to it: events through the proxy, and somebody who reads.

use super::stack::{LOADS, Stack};
use anyhow::Context;
use serde_json::Value;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// Events a second.
const RATE: &str = "200";
const READ_EVERY: Duration = Duration::from_millis(50);
const READ_WITHIN: Duration = Duration::from_secs(30);

/// Traffic that goes on until it is ended.
pub(crate) struct Traffic {
    stack: Stack,
    container: String,
    reader: JoinHandle<Reads>,
    enough: Arc<Notify>,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) requests: u64,
    /// Answered 503 in the service's own words: not taken now.
    pub(crate) refused: u64,
    /// No answer, or any other that is no success.
    pub(crate) failed: u64,
    /// Events that were sent at least once.
    pub(crate) sent: i64,
    pub(crate) acknowledged: i64,
    /// What failed, for whoever reads the table.
    pub(crate) troubles: Vec<String>,
}

#[derive(Default)]
struct Reads {
    requests: u64,
    refused: u64,
    failed: u64,
    last: Option<String>,
}

impl Traffic {
    /// Begins; what is acknowledged is written into the file of this name in the stack's volume of loads.
    pub(crate) async fn begin(stack: &Stack, address: &str, name: &str) -> anyhow::Result<Self> {
        let file = format!("/load/{name}");
        let volume = format!("{LOADS}:/load");
        let arguments = [
            &["run", "-d", "--no-deps", "--user=0:0", "-v", &volume, "tools", "load", "--url", "http://proxy:8080"][..],
            &["--events=100000000", "--rate", RATE, "--connections=16", "--json", "--acknowledged", &file],
        ];
        let said = stack.compose(&arguments.concat()).await?;
        let container = said.lines().last().context("no container for the load")?.trim().to_owned();
        let enough = Arc::new(Notify::new());
        let reader = tokio::spawn(read(address.to_owned(), Arc::clone(&enough)));
        Ok(Self { stack: stack.clone(), container, reader, enough })
    }

    /// Ends it, and counts.
    pub(crate) async fn end(self) -> anyhow::Result<Outcome> {
        self.enough.notify_one();
        self.stack.docker(&["stop", &self.container]).await?;
        let said = self.stack.docker(&["logs", &self.container]).await?;
        self.stack.docker(&["rm", &self.container]).await?;
        let start = said.find('{').with_context(|| format!("the load says {said:?}"))?;
        let summary: Value = serde_json::from_str(&said[start..]).with_context(|| format!("the load says {said:?}"))?;
        let number = |name: &str| summary[name].as_u64().unwrap_or_default();
        let mut outcome = Outcome {
            requests: number("requests"),
            sent: number("events_sent").try_into()?,
            acknowledged: number("events_acknowledged").try_into()?,
            ..Outcome::default()
        };
        for (status, count) in summary["answers"].as_object().into_iter().flatten() {
            let count = count.as_u64().unwrap_or_default();
            match status.as_str() {
                "202" => {}
                "503" => {
                    outcome.refused += count;
                    outcome.troubles.push(format!("{count} × 503, {}", summary["last_trouble"]));
                }
                _ => {
                    outcome.failed += count;
                    outcome.troubles.push(format!("{count} × {status}"));
                }
            }
        }
        for trouble in ["connection_errors", "timeouts"] {
            outcome.failed += number(trouble);
            if number(trouble) > 0 {
                outcome.troubles.push(format!("{} {trouble}, {}", number(trouble), summary["last_trouble"]));
            }
        }
        let reads = self.reader.await?;
        outcome.requests += reads.requests;
        outcome.refused += reads.refused;
        outcome.failed += reads.failed;
        if let Some(last) = reads.last {
            outcome.troubles.push(format!("{} reads refused, {} failed, {last}", reads.refused, reads.failed));
        }
        Ok(outcome)
    }
}

/// Asks for lists until it is enough.
async fn read(address: String, enough: Arc<Notify>) -> Reads {
    let mut reads = Reads::default();
    for path in ["/pageviews/?count=none", "/sessions/?limit=1&count=none", "/status/"].iter().cycle() {
        reads.requests += 1;
        match timeout(READ_WITHIN, status_of(&address, path)).await {
            Ok(Ok(200)) => {}
            Ok(Ok(503)) => {
                reads.refused += 1;
                reads.last = Some(format!("{path}: 503"));
            }
            other => {
                reads.failed += 1;
                reads.last = Some(format!("{path}: {other:?}"));
            }
        }
        if timeout(READ_EVERY, enough.notified()).await.is_ok() {
            break;
        }
    }
    reads
}

/// The status of the answer to a GET.
pub(crate) async fn status_of(address: &str, path: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let head = String::from_utf8_lossy(&answer[..answer.len().min(100)]).into_owned();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::other(format!("no answer but {head:?}")))
}

/// Lets traffic flow for so long.
pub(crate) async fn a_while(seconds: u64) -> Instant {
    sleep(Duration::from_secs(seconds)).await;
    Instant::now()
}
