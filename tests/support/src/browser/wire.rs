use serde_json::Value;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    time::Duration,
};

/// No command takes longer, a page that loads included.
const PATIENCE: Duration = Duration::from_mins(2);

/// Commands to a driver on this machine.
#[derive(Debug)]
pub(super) struct Wire {
    address: String,
}

impl Wire {
    pub(super) fn new(port: u16) -> Self {
        Self { address: format!("127.0.0.1:{port}") }
    }

    /// Whether the driver takes commands.
    pub(super) fn is_ready(&self) -> bool {
        self.send("GET", "/status", &Value::Null).is_ok_and(|answer| answer["value"]["ready"] == true)
    }

    /// What a command gives.
    ///
    /// # Panics
    /// When it fails.
    pub(super) fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.send(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let value = &answer["value"];
        assert!(value["error"].is_null(), "{method} {path} {body}: {} {}", value["error"], value["message"]);
        value.clone()
    }

    /// One request. The driver leaves the connection open, whatever it is asked for: the length says where its answer ends.
    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (address, length) = (&self.address, body.len());
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n{body}")?;
        let (mut reader, mut line, mut length) = (BufReader::new(stream), String::new(), 0);
        while line != "\r\n" {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Err(io::Error::other("the driver's answer broke off"));
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer)?;
        serde_json::from_slice(&answer).map_err(io::Error::other)
    }
}

/// A port that nobody listens on at the moment.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there are free ports").port()
}
