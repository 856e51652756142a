use serde_json::Value;
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// No answer takes longer than this.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Answer {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("not JSON ({error}): {self:?}"))
    }
}

pub async fn get(address: SocketAddr, path: &str) -> Answer {
    request(address, "GET", path, None).await
}

pub async fn post(address: SocketAddr, path: &str, body: &Value) -> Answer {
    request(address, "POST", path, Some(body)).await
}

/// # Panics
/// When there is no answer.
pub async fn request(address: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> Answer {
    let headers = if body.is_some() { "Content-Type: application/json\r\n" } else { "" };
    let body = body.map(Value::to_string).unwrap_or_default();
    send(address, method, path, headers, &body).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

/// One request over a connection of its own. `headers` are whole lines.
pub async fn send(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> io::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text: io::Result<String> = timeout(PATIENCE, exchange).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()));
    let text = text?;
    let broken = || io::Error::other(format!("half an answer: {text:?}"));
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    let body = test_support::http::joined(head, body.as_bytes()).ok_or_else(broken)?;
    Ok(Answer { status, head: head.to_owned(), body: String::from_utf8_lossy(&body).into_owned() })
}
