//! How a body is written: its `Content-Type`, or 415.

use crate::{charset::Charset, settings::Parser};
use axum::http::{HeaderMap, StatusCode, header};
use service::http::Problem;

/// How the body is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MediaType {
    /// JSON; also `text/plain`, so that a browser's `sendBeacon` needs no preflight.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`, with what its header gives as `boundary`.
    Multipart { boundary: Option<String> },
}

/// How a batch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BatchForm {
    /// `{"events": […]}`
    Document,
    /// One event a line.
    Lines,
}

/// A `Content-Type` header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContentType {
    /// As it was sent.
    given: String,
    /// In lower case, without parameters.
    essence: String,
    pub charset: Charset,
    boundary: Option<String>,
}

impl ContentType {
    /// The header's, or that of no header at all.
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Self::parse(given.unwrap_or_default().into_owned())
    }

    fn parse(given: String) -> Self {
        let (essence, parameters) = parameters(&given);
        let charset = parameter(&parameters, "charset");
        Self {
            essence: essence.to_ascii_lowercase(),
            charset: Charset::named(charset.unwrap_or_default()),
            boundary: parameter(&parameters, "boundary").map(str::to_owned),
            given,
        }
    }

    /// For one resource, whose setting names the parsers. Wildcards match, as in the original.
    pub fn of_event(&self, parsers: &[Parser]) -> Result<MediaType, Problem> {
        let parser = match self.essence.as_str() {
            "application/json" | "*/json" | "text/plain" => Some(Parser::Json),
            "application/x-www-form-urlencoded" => Some(Parser::Form),
            "multipart/form-data" | "multipart/*" => Some(Parser::Multipart),
            "*/*" => parsers.first().copied(),
            "application/*" => parsers.iter().copied().find(|parser| *parser != Parser::Multipart),
            _ => None,
        };
        match parser.filter(|parser| parsers.contains(parser)) {
            Some(Parser::Json) => Ok(MediaType::Json),
            Some(Parser::Form) => Ok(MediaType::Form),
            Some(Parser::Multipart) => Ok(MediaType::Multipart { boundary: self.boundary.clone() }),
            None => Err(self.unsupported()),
        }
    }

    /// For a batch, which is JSON whatever the parsers are.
    pub fn of_batch(&self) -> Result<BatchForm, Problem> {
        match self.essence.as_str() {
            "application/json" | "text/plain" | "application/*" | "*/*" => Ok(BatchForm::Document),
            "application/x-ndjson" | "application/ndjson" => Ok(BatchForm::Lines),
            _ => Err(self.unsupported()),
        }
    }

    fn unsupported(&self) -> Problem {
        let detail = format!("Unsupported media type \"{}\" in request.", self.given);
        Problem::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }
}

/// A header's value and its parameters, their names in lower case: `form-data; name="a"`. A value may be quoted, or
/// written as RFC 8187 has it (`name*=utf-8''a%20b`), which is taken for UTF-8 whatever it says.
pub(crate) fn parameters(header: &str) -> (&str, Vec<(String, String)>) {
    let (value, mut rest) = header.split_once(';').unwrap_or((header, ""));
    let mut parameters = Vec::new();
    while !rest.trim().is_empty() {
        let (parameter, next) = cut(rest);
        rest = next;
        let (name, text) = parameter.split_once('=').unwrap_or((parameter, ""));
        let (name, text) = (name.trim().to_ascii_lowercase(), text.trim());
        let unquoted = match text.strip_prefix('"') {
            Some(quoted) => unescaped(quoted.strip_suffix('"').unwrap_or(quoted)),
            None => text.to_owned(),
        };
        parameters.push(match name.strip_suffix('*') {
            Some(name) => {
                let encoded = unquoted.rsplit('\'').next().unwrap_or_default();
                let decoded = percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned();
                (name.to_owned(), decoded)
            }
            None => (name, unquoted),
        });
    }
    (value.trim(), parameters)
}

/// The text before the next semicolon that stands in no quotes, and what is behind it.
fn cut(text: &str) -> (&str, &str) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        // browsers write a backslash of a file's path as it is: only these two are escapes
        match (c, chars.as_str().chars().next()) {
            ('\\', Some(next @ ('"' | '\\'))) => {
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out
}

/// The value of a parameter; the last one counts, as in the original.
pub(crate) fn parameter<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const ALL: &[Parser] = &[Parser::Json, Parser::Multipart, Parser::Form];

    fn multipart(boundary: Option<&str>) -> MediaType {
        MediaType::Multipart { boundary: boundary.map(str::to_owned) }
    }

    #[rstest]
    #[case("application/json", Some(MediaType::Json))]
    #[case("Application/JSON ; charset=utf-8", Some(MediaType::Json))]
    #[case("application/json;", Some(MediaType::Json))]
    #[case("text/plain;charset=UTF-8", Some(MediaType::Json))]
    #[case("*/*", Some(MediaType::Json))]
    #[case("application/*", Some(MediaType::Json))]
    #[case("application/x-www-form-urlencoded", Some(MediaType::Form))]
    #[case("multipart/form-data; boundary=x", Some(multipart(Some("x"))))]
    #[case("Multipart/Form-Data; Boundary=\"a;b\"; x=y", Some(multipart(Some("a;b"))))]
    #[case("multipart/form-data", Some(multipart(None)))]
    #[case("multipart/form-data; boundary=", Some(multipart(Some(""))))]
    #[case("multipart/mixed; boundary=x", None)]
    #[case("application/x-ndjson", None)]
    #[case("text/json", None)]
    #[case("application/jsonx", None)]
    #[case("garbage", None)]
    #[case("", None)]
    fn media_types_are_told_apart(#[case] given: &str, #[case] expected: Option<MediaType>) {
        let found = ContentType::parse(given.to_owned()).of_event(ALL);
        let told = format!("Unsupported media type \"{given}\" in request.");
        match (found, expected) {
            (Ok(found), Some(expected)) => assert_eq!(found, expected),
            (Err(problem), None) => {
                assert_eq!((problem.status.as_u16(), problem.body["detail"].as_str()), (415, Some(told.as_str())));
            }
            (found, expected) => panic!("{given}: {found:?} instead of {expected:?}"),
        }
    }

    #[rstest]
    #[case("application/json", &[Parser::Form, Parser::Multipart], None)]
    #[case("text/plain", &[Parser::Form], None)]
    #[case("*/*", &[Parser::Form], Some(MediaType::Form))]
    #[case("application/*", &[Parser::Multipart, Parser::Form], Some(MediaType::Form))]
    #[case("multipart/form-data; boundary=x", &[Parser::Json], None)]
    fn a_parser_that_is_switched_off_takes_nothing(
        #[case] given: &str,
        #[case] parsers: &[Parser],
        #[case] expected: Option<MediaType>,
    ) {
        assert_eq!(ContentType::parse(given.to_owned()).of_event(parsers).ok(), expected);
    }

    #[rstest]
    #[case("application/json", Some(BatchForm::Document))]
    #[case("text/plain;charset=UTF-8", Some(BatchForm::Document))]
    #[case("Application/X-NDJSON; charset=utf-8", Some(BatchForm::Lines))]
    #[case("application/x-www-form-urlencoded", None)]
    #[case("", None)]
    fn a_batch_is_json_in_one_of_two_forms(#[case] given: &str, #[case] expected: Option<BatchForm>) {
        assert_eq!(ContentType::parse(given.to_owned()).of_batch().ok(), expected);
    }

    #[test]
    fn a_parameter_is_read_in_every_form() {
        let (value, found) =
            parameters(r#"form-data; name="a \"b\\; c" ; FileName*=utf-8'de'%C3%A9%20x;;y; path="C:\x""#);
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(value, "form-data");
        assert_eq!(found, [("name", r#"a "b\; c"#), ("filename", "é x"), ("", ""), ("y", ""), ("path", r"C:\x")]);
    }
}
