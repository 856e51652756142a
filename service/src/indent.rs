//! Answers with one value a line, for people who look at them: `Accept: application/json; indent=4`, as Django REST
//! framework has it (contract § 1).

use crate::http::Problem;
use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::Request,
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The largest answer that is written otherwise. Nobody looks at more.
const MOST_BYTES: usize = 128 * 1024;

/// The largest that becomes of it: what is nested deep would grow a thousandfold.
const MOST_WRITTEN: usize = 1024 * 1024;

/// What is taken of an answer at once: with 8 blanks for each of 128 levels, a piece becomes a megabyte at most.
const PIECE: usize = 1024;

/// Blanks at most.
const MOST: i64 = 8;

/// Middleware: answers as the client wants to see them.
pub(crate) async fn answer(request: Request, next: Next) -> Response {
    let blanks = wanted(request.headers());
    let response = next.run(request).await;
    match blanks {
        Some(blanks) => indented(response, blanks).await,
        None => response,
    }
}

/// How many blanks the client wants for each level. Of the ranges that take JSON the most definite one counts, and of
/// those the first.
fn wanted(headers: &HeaderMap) -> Option<usize> {
    let is_asked = |line: &[u8]| line.windows(6).any(|part| part.eq_ignore_ascii_case(b"indent"));
    // hardly anybody
    if !headers.get_all(header::ACCEPT).iter().any(|line| is_asked(line.as_bytes())) {
        return None;
    }
    let lines = headers.get_all(header::ACCEPT).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    let lines: Vec<_> = lines.collect();
    let ranges = lines.iter().flat_map(|line| line.split(',')).filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let essence = parts.next()?.to_ascii_lowercase();
        let parameters: Vec<(&str, &str)> =
            parts.filter_map(|part| part.split_once('=')).map(|(name, value)| (name.trim(), value.trim())).collect();
        let rank = match essence.as_str() {
            "application/json" if parameters.iter().any(|(name, _)| *name != "q") => 3,
            "application/json" => 2,
            "application/*" => 1,
            "*/*" | "*/json" => 0,
            _ => return None,
        };
        Some((rank, parameters))
    });
    // of several that are the greatest, this gives the last one
    let (_, parameters) = ranges.collect::<Vec<_>>().into_iter().rev().max_by_key(|(rank, _)| *rank)?;
    let (_, indent) = parameters.into_iter().rfind(|(name, _)| name.eq_ignore_ascii_case("indent"))?;
    let indent: i64 = indent.trim_matches('"').parse().ok()?;
    usize::try_from(indent.min(MOST)).ok().filter(|indent| *indent > 0)
}

/// The same answer, one value a line; other things than JSON, and what is large or read as it is sent, as they are.
async fn indented(response: Response, blanks: usize) -> Response {
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if !is_json || response.body().size_hint().exact().is_none_or(|size| size == 0 || size > MOST_BYTES as u64) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let compact = match to_bytes(body, MOST_BYTES).await {
        Ok(compact) => compact,
        Err(error) => {
            tracing::warn!(%error, "an answer broke off while it was indented");
            return Problem::unavailable("The answer broke off. Try again.", 1).into_response();
        }
    };
    let (mut writer, mut written) = (Writer { blanks, ..Writer::default() }, Vec::with_capacity(2 * compact.len()));
    for piece in compact.chunks(PIECE) {
        writer.write(piece, &mut written);
        if written.len() > MOST_WRITTEN {
            return Response::from_parts(head, Body::from(compact));
        }
    }
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(written))
}

/// Writes compact JSON, piece by piece, with each value on a line.
#[derive(Debug, Default)]
struct Writer {
    blanks: usize,
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    /// An object or a list has just begun: it may be empty.
    has_begun: bool,
}

impl Writer {
    fn write(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        for &byte in piece {
            if self.in_text {
                self.in_text = self.is_escaped || byte != b'"';
                self.is_escaped = byte == b'\\' && !self.is_escaped;
                out.push(byte);
                continue;
            }
            match byte {
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if !std::mem::take(&mut self.has_begun) {
                        self.line(out);
                    }
                    out.push(byte);
                }
                b',' => {
                    out.push(byte);
                    self.line(out);
                }
                b':' => out.extend(b": "),
                b' ' | b'\n' | b'\t' | b'\r' => {}
                _ => {
                    if std::mem::take(&mut self.has_begun) {
                        self.line(out);
                    }
                    out.push(byte);
                    self.in_text = byte == b'"';
                    if matches!(byte, b'{' | b'[') {
                        self.has_begun = true;
                        self.depth += 1;
                    }
                }
            }
        }
    }

    fn line(&self, out: &mut Vec<u8>) {
        out.push(b'\n');
        out.resize(out.len() + self.blanks * self.depth, b' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use futures::stream;
    use rstest::rstest;
    use std::convert::Infallible;

    #[rstest]
    #[case("application/json; indent=4", Some(4))]
    #[case("application/json;indent=\"2\"", Some(2))]
    #[case("*/*; indent=1", Some(1))]
    #[case("application/*;indent=3", Some(3))]
    #[case("application/json; indent = 4", Some(4))]
    #[case("application/json; indent=99", Some(8))]
    #[case("application/json; indent=x", None)]
    #[case("application/json; indent=0", None)]
    #[case("application/json;indent=-1", None)]
    #[case("application/json", None)]
    #[case("text/html, application/json;indent=1", Some(1))]
    #[case("text/html;indent=1, application/json", None)]
    #[case("*/*;indent=1, application/json", None)]
    #[case("application/json, */*;indent=1", None)]
    #[case("application/json;version=1, application/json;indent=1", None)]
    #[case("application/json;q=0.5, application/json;indent=1", Some(1))]
    fn the_most_definite_range_says_how_many_blanks(#[case] accept: &str, #[case] blanks: Option<usize>) {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(accept).unwrap())]);
        assert_eq!(wanted(&headers), blanks);
    }

    async fn written(body: impl Into<Body>, kind: &'static str) -> String {
        let response = ([(header::CONTENT_TYPE, kind)], body.into()).into_response();
        let body = to_bytes(indented(response, 4).await.into_body(), usize::MAX).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_written_with_one_value_a_line() {
        let value = serde_json::json!({
            "a": [1, {}, [], [[]], {"b": null}], "t": "{\"x\": [1, 2],\\", "é\"": {"n": -1.5e3, "l": [true, false]}, "e": ""
        });
        let mut expected = Vec::new();
        let pretty = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut serializer = serde_json::Serializer::with_formatter(&mut expected, pretty);
        serde::Serialize::serialize(&value, &mut serializer).unwrap();
        assert_eq!(written(value.to_string(), "application/json").await, String::from_utf8(expected).unwrap());
        // where a piece ends makes no difference
        let long = serde_json::json!(vec!["\\\"é[".repeat(100); 20]);
        let text = written(long.to_string(), "application/json").await;
        assert_eq!((serde_json::from_str::<serde_json::Value>(&text).unwrap(), text.lines().count()), (long, 22));
    }

    #[tokio::test]
    async fn what_is_large_or_something_else_is_left_as_it_is() {
        let large = format!("[{}0]", "0,".repeat(64 * 1024));
        assert_eq!(written(large.clone(), "application/json").await, large);
        let deep = format!("{}{}0{}", "[".repeat(100), "0,".repeat(4 * 1024), "]".repeat(100));
        assert_eq!(written(deep.clone(), "application/json").await, deep, "it would be of 1.6 MB");
        let shallow = format!("[{}0]", "0,".repeat(32 * 1024));
        assert_eq!(written(shallow, "application/json").await.lines().count(), 32 * 1024 + 3);
        assert_eq!(written("{\"a\":1}", "image/gif").await, "{\"a\":1}");
        let read = Body::from_stream(stream::iter([Ok::<_, Infallible>("[1,"), Ok("2]")]));
        assert_eq!(written(read, "application/json").await, "[1,2]", "what is sent as it is read");
    }
}
