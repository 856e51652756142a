//! Bytes on a connection, and the answers that come back on it.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// Longer than the service's own timeouts, which close what says nothing.
const PATIENCE: Duration = Duration::from_mins(1);

/// A connection that gives up at last.
pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// An answer, as far as it matters here.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
}

/// Sends everything at once and reads until the service closes the connection. Whoever is refused in the middle cannot
/// send the rest, and may not see the answer either.
pub fn converse(address: &str, bytes: &[u8]) -> Vec<Answer> {
    let mut stream = connect(address);
    drop(stream.write_all(bytes));
    all_answers(&mut stream)
}

/// All answers until the connection ends.
pub fn all_answers(stream: &mut TcpStream) -> Vec<Answer> {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        let closed = matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        assert!(closed, "neither answered nor closed: {error}, after {:?}", String::from_utf8_lossy(&bytes));
    }
    let mut rest = String::from_utf8_lossy(&bytes).into_owned();
    let mut answers = Vec::new();
    while let Some((head, behind)) = rest.split_once("\r\n\r\n") {
        assert!(head.starts_with("HTTP/1.1 "), "no answer begins so: {head:?}");
        let status: u16 = head[9..12].parse().unwrap();
        let length = head.lines().filter_map(|line| line.split_once(": "));
        let mut length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length: usize = length.next().map_or(0, |(_, length)| length.parse().unwrap()).min(behind.len());
        // an answer to HEAD has none of the body that it announces
        let length = if behind.starts_with("HTTP/1.1 ") { 0 } else { length };
        let (body, behind) = behind.split_at(length);
        if status != 100 {
            answers.push(Answer { status, body: body.to_owned() });
        }
        rest = behind.to_owned();
    }
    answers
}

/// Whether everything was a refusal: a clear one, or none at all because the connection was closed.
pub fn refused(answers: &[Answer]) -> bool {
    answers.len() <= 1 && answers.iter().all(|answer| (400..500).contains(&answer.status))
}
