//! `application/x-www-form-urlencoded` bodies and query strings.

use super::{Form, Value};
use crate::{charset::Charset, fields::Fields};
use percent_encoding::percent_decode;
use service::http::Problem;
use std::borrow::Cow;

/// Reads a form. `form_urlencoded` reads UTF-8 alone; the original knows charsets, and takes bytes that are no UTF-8
/// for Latin-1 when they are not percent-encoded.
pub(crate) fn parse(body: &[u8], charset: Charset, names: &'static [&'static str]) -> Result<Fields<'static>, Problem> {
    let body = match charset {
        Charset::Utf8 if std::str::from_utf8(body).is_err() => encoding_rs::mem::decode_latin1(body),
        // the ASCII in which a form is written is not that of UTF-16 and the like
        Charset::Other(encoding) if !encoding.is_ascii_compatible() => charset.lossy(body),
        _ => return pairs(body, charset, names),
    };
    pairs(body.as_bytes(), Charset::Utf8, names)
}

fn pairs(body: &[u8], charset: Charset, names: &'static [&'static str]) -> Result<Fields<'static>, Problem> {
    let mut form = Form::new(names);
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let at = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = at.map_or((pair, &[][..]), |at| (&pair[..at], &pair[at + 1..]));
        form.add(&decode(name, charset), Value::Text(decode(value, charset).into()))?;
    }
    Ok(form.finish())
}

fn decode(text: &[u8], charset: Charset) -> String {
    let text: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    let bytes: Cow<'_, [u8]> = percent_decode(&text).into();
    charset.lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"element=a&element=b", "", Some("\"b\""))]
    #[case(b"element=+a%20b+", "", Some("\" a b \""))]
    #[case(b"%65lement=a=b", "", Some("\"a=b\""))]
    #[case(b"element", "", Some("\"\""))]
    #[case(b"&&=x&Element=a;element=b", "", None)]
    #[case(b"element=%zz%4%", "", Some("\"%zz%4%\""))]
    #[case(b"element=%C3%A9", "utf-8", Some("\"é\""))]
    #[case(b"element=%E9", "", Some("\"\u{fffd}\""))]
    #[case(b"element=\xe9", "", Some("\"é\""))]
    #[case(b"element=%E9", "latin-1", Some("\"é\""))]
    #[case(b"element=%00", "", Some("\"\\u0000\""))]
    #[case(b"", "", None)]
    fn a_form_is_read_as_the_original_does(#[case] body: &[u8], #[case] charset: &str, #[case] element: Option<&str>) {
        let fields = parse(body, Charset::named(charset), &["element"]).unwrap();
        assert_eq!(fields.get("element"), element);
    }
}
