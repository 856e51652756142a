//! `multipart/form-data` bodies.
//!
//! A small own reader: the crates of the field refuse what the original takes (a body without its last boundary,
//! one without any) and know nothing of `Content-Transfer-Encoding`. The body is in memory, bounded, before it is read.

use super::{Form, Value};
use crate::{
    charset::Charset,
    content_type::{parameter, parameters},
    fields::Fields,
};
use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_STANDARD};
use service::http::Problem;

/// A part's header may be so long, in bytes.
const MAX_HEADER_BYTES: usize = 1_024;

/// Longest boundary, in characters.
const MAX_BOUNDARY: usize = 200;

/// Reads a form.
pub(crate) fn parse<'a>(
    body: &'a [u8],
    boundary: Option<&str>,
    charset: Charset,
    names: &'static [&'static str],
) -> Result<Fields<'a>, Problem> {
    let Some(boundary) = boundary.filter(|boundary| is_boundary(boundary)) else {
        return Err(parse_error(&format!("Invalid boundary in multipart: {}", boundary.unwrap_or("None"))));
    };
    let separator = format!("--{boundary}");
    let mut form = Form::new(names);
    let parts = Parts { rest: Some(body), separator: separator.as_bytes() };
    for part in parts {
        if let Some((name, value)) = read(part, charset)? {
            form.add(&name, value)?;
        }
    }
    Ok(form.finish())
}

fn is_boundary(text: &str) -> bool {
    (1..=MAX_BOUNDARY).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn parse_error(detail: &str) -> Problem {
    Problem::detail(StatusCode::BAD_REQUEST, format!("Multipart form parse error - {detail}"))
}

/// What stands between the separators, what is before the first and behind the last one included.
struct Parts<'a, 's> {
    rest: Option<&'a [u8]>,
    separator: &'s [u8],
}

impl<'a> Iterator for Parts<'a, '_> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let Some(at) = memchr::memmem::find(rest, self.separator) else { return Some(rest) };
        self.rest = Some(&rest[at + self.separator.len()..]);
        // the line's end belongs to the separator
        let part = &rest[..at];
        let part = part.strip_suffix(b"\n").unwrap_or(part);
        Some(part.strip_suffix(b"\r").unwrap_or(part))
    }
}

/// A part's name and value; nothing when it is none of a form's.
fn read(part: &[u8], charset: Charset) -> Result<Option<(String, Value<'_>)>, Problem> {
    let Some(end) = memchr::memmem::find(part, b"\r\n\r\n") else { return Ok(None) };
    if end > MAX_HEADER_BYTES {
        return Err(parse_error("Request max total header size exceeded."));
    }
    let (head, value) = (String::from_utf8_lossy(&part[..end]), &part[end + 4..]);
    let header = |wanted: &str| {
        let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).last().map(|(_, value)| value)
    };
    let Some(disposition) = header("content-disposition") else { return Ok(None) };
    let (_, disposition) = parameters(disposition);
    let Some(name) = parameter(&disposition, "name") else { return Ok(None) };
    let value = if let Some(file) = parameter(&disposition, "filename").filter(|file| !file.is_empty()) {
        Value::File(base_name(file).to_owned())
    } else {
        let base64 = header("content-transfer-encoding").is_some_and(|it| it.trim().eq_ignore_ascii_case("base64"));
        let decoded: Option<Vec<u8>> = if base64 { BASE64_STANDARD.decode(value.trim_ascii()).ok() } else { None };
        Value::Text(decoded.map_or_else(|| charset.lossy(value), |bytes| charset.lossy(&bytes).into_owned().into()))
    };
    Ok(Some((name.trim().to_owned(), value)))
}

fn base_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn element(body: &[u8], boundary: &str, charset: &str) -> Option<String> {
        let fields = parse(body, Some(boundary), Charset::named(charset), &["element"]).unwrap();
        fields.get("element").map(str::to_owned)
    }

    fn part(head: &str, value: &[u8]) -> Vec<u8> {
        [format!("--B\r\n{head}\r\n\r\n").as_bytes(), value, b"\r\n--B--\r\n"].concat()
    }

    #[rstest]
    #[case("Content-Disposition: form-data; name=\"element\"", b" a ", Some("\" a \""))]
    #[case("content-disposition: form-data; name=element", b"", Some("\"\""))]
    #[case("Content-Disposition: form-data; name=\" element \"", b"a\r\nb\r\n", Some("\"a\\r\\nb\\r\\n\""))]
    #[case("Content-Disposition: form-data; name*=utf-8''el%65ment", b"a", Some("\"a\""))]
    #[case("Content-Disposition: form-data; name=\"element\"; filename=\"x.txt\"", b"a", Some("{}"))]
    #[case("Content-Disposition: form-data; name=\"element\"; filename=\"\"", b"a", Some("\"a\""))]
    #[case(
        "Content-Disposition: form-data; name=\"element\"\r\nContent-Type: text/plain; charset=latin-1",
        b"\xe9",
        Some("\"\u{fffd}\"")
    )]
    #[case(
        "Content-Disposition: form-data; name=\"element\"\r\nContent-Transfer-Encoding: base64",
        b"aGVsbG8=",
        Some("\"hello\"")
    )]
    #[case(
        "Content-Disposition: form-data; name=\"element\"\r\nContent-Transfer-Encoding: base64",
        b"?",
        Some("\"?\"")
    )]
    #[case("Content-Disposition: form-data", b"a", None)]
    #[case("X: 1", b"a", None)]
    fn a_part_is_read_as_the_original_does(#[case] head: &str, #[case] value: &[u8], #[case] expected: Option<&str>) {
        assert_eq!(element(&part(head, value), "B", "").as_deref(), expected);
    }

    #[test]
    fn a_body_without_its_last_or_any_boundary_is_read_as_far_as_it_goes() {
        let whole = part("Content-Disposition: form-data; name=\"element\"", b"a");
        let expected = Some("\"a\"".to_owned());
        assert_eq!(element(&whole[..whole.len() - 4], "B", ""), expected);
        assert_eq!(element(&whole[..whole.len() - 9], "B", ""), expected);
        assert_eq!(element(&[b"preamble\r\n", &whole[..], b"epilogue"].concat(), "B", ""), expected);
        assert_eq!(element(b"garbage", "B", ""), None);
        let lines = String::from_utf8(whole).unwrap().replace("\r\n", "\n");
        assert_eq!(element(lines.as_bytes(), "B", ""), None);
    }

    #[test]
    fn the_charset_of_the_body_holds_for_its_parts() {
        let body = part("Content-Disposition: form-data; name=\"element\"", b"\xe9");
        assert_eq!(element(&body, "B", "latin-1").as_deref(), Some("\"é\""));
    }

    #[rstest]
    #[case(None, "Invalid boundary in multipart: None")]
    #[case(Some(""), "Invalid boundary in multipart: ")]
    #[case(Some("é"), "Invalid boundary in multipart: é")]
    fn a_boundary_is_needed(#[case] boundary: Option<&str>, #[case] detail: &str) {
        let problem = parse(b"x", boundary, Charset::Utf8, &[]).unwrap_err();
        assert_eq!(problem.status, 400);
        assert_eq!(problem.body["detail"], format!("Multipart form parse error - {detail}"));
    }

    #[test]
    fn a_header_without_end_is_refused() {
        let head = format!("Content-Disposition: form-data; name=\"{}\"", "a".repeat(2_000));
        assert_eq!(parse(&part(&head, b""), Some("B"), Charset::Utf8, &[]).unwrap_err().status, 400);
    }
}
