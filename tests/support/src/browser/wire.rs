use crate::http;
use serde_json::Value;
use std::{io, net::TcpListener};

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

    pub(super) fn send(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let json = [("Content-Type", "application/json; charset=utf-8")];
        Ok(http::send(&self.address, method, path, &json, body.as_bytes())?.json())
    }
}

/// A port that nobody listens on at the moment.
pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there are free ports").port()
}
