//! URLs. The crates of the field normalise what they read, and accept more and less than the contract: a small own
//! function, then, with a table of cases.

use crate::python::Kind;
use crate::{BLANK, Messages, NUL, NULL, REQUIRED, message, string, surrogate_message, text};
use schema::limits::MAX_URL_CHARS;
use std::net::{Ipv4Addr, Ipv6Addr};

/// What software that normalises hosts takes for `/`, `?`, `#`, `@` or `:`, and then goes to another one.
const SEPARATORS_IN_DISGUISE: [char; 19] = [
    '\u{2047}', '\u{2048}', '\u{2049}', '\u{2100}', '\u{2101}', '\u{2105}', '\u{2106}', '\u{2a74}', '\u{fe13}',
    '\u{fe16}', '\u{fe55}', '\u{fe56}', '\u{fe5f}', '\u{fe6b}', '\u{ff03}', '\u{ff0f}', '\u{ff1a}', '\u{ff1f}',
    '\u{ff20}',
];

const INVALID: &str = "Enter a valid URL.";

/// A URL, stored as sent but for surrounding whitespace (contract § 3).
pub fn required(json: Option<&str>) -> Result<String, Messages> {
    let json = json.ok_or_else(|| vec![REQUIRED.to_owned()])?;
    match Kind::of(json) {
        Kind::Null => return message(NULL),
        Kind::Str => {}
        _ => return message(INVALID),
    }
    let (url, surrogate) = string(json);
    let url = text::trimmed(url);
    if url.is_empty() {
        return message(BLANK);
    }
    if url.contains('\0') {
        return message(NUL);
    }
    let mut messages = Vec::new();
    if url.len() > MAX_URL_CHARS && url.chars().count() > MAX_URL_CHARS {
        messages.push(text::too_long(MAX_URL_CHARS));
    }
    messages.extend(surrogate.map(surrogate_message));
    if !is_url(&url) {
        messages.push(INVALID.to_owned());
    }
    if messages.is_empty() { Ok(url) } else { Err(messages) }
}

fn is_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let known = ["http", "https", "ftp", "ftps"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if !known || url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains(SEPARATORS_IN_DISGUISE) {
        return false;
    }
    let (user, host_and_port) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    user.is_none_or(is_user) && is_host_and_port(host_and_port)
}

fn is_user(user: &str) -> bool {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    !name.is_empty() && !name.contains('@') && !password.contains([':', '@'])
}

fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => return address.parse::<Ipv6Addr>().is_ok() && is_port(port),
        None => text.split_once(':').map_or((text, ""), |(host, _)| (host, &text[host.len()..])),
    };
    is_port(port) && (host.parse::<Ipv4Addr>().is_ok() || is_domain(host))
}

/// Nothing, or a colon and one to five digits.
fn is_port(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(':') else { return text.is_empty() };
    (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_domain(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut labels = host.rsplit('.');
    let Some(top) = labels.next() else { return false };
    // a single label is an intranet's host; behind a dot stands a top level, which has no digits and two letters
    let single = !host.contains('.');
    host.chars().count() <= 253 && is_label(top) && (single || is_top_level(top)) && labels.all(is_label)
}

fn is_label(label: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || ('\u{a1}'..='\u{ffff}').contains(&c);
    (1..=63).contains(&label.chars().count())
        && label.chars().all(inside)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_top_level(label: &str) -> bool {
    let letters = |c: char| !c.is_ascii_digit() && c != '_';
    label.chars().count() >= 2 && (label.chars().all(letters) || label.to_ascii_lowercase().starts_with("xn--"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    fn these_are_urls(
        #[values(
            "http://shop.example/",
            "HTTPS://SHOP.EXAMPLE",
            "ftp://a.example/x",
            "ftps://a.example",
            "http://bücher.example/ä?q=ü#é",
            "http://xn--bcher-kva.example/",
            "http://example.xn--p1ai/",
            "http://shop.example./",
            "http://localhost:8000/",
            "http://intranet/",
            "http://my_host.example/",
            "http://192.0.2.1:65535/",
            "http://[2001:db8::1]:80/",
            "http://ann:secret@shop.example/",
            "http://ann@shop.example/",
            "http://shop.example?query",
            "http://shop.example#fragment",
            "http://shop.example/<\"%zz\\>",
            "http://shop.example/?at=a@b:c",
            "http://shop.example/?q=[",
            "http://shop.example:0/",
            "http://ann:@shop.example/",
            "http://a.b-c/",
            "http://0.0.0.0/",
            "http://[::ffff:1.2.3.4]/",
            "http://LOCALHOST:1/x",
            "http://shop.example/\u{ff0f}"
        )]
        url: &str,
    ) {
        assert!(is_url(url), "{url}");
    }

    #[rstest]
    fn these_are_none(
        #[values(
            "shop.example",
            "//shop.example/",
            "/relative",
            "javascript:alert(1)",
            "ws://shop.example/",
            "http://",
            "http:///path",
            "http://shop example/",
            "http://shop.example/a b",
            "http://shop.example/\u{7}",
            "http://shop.example/\u{a0}",
            "http://-shop.example/",
            "http://shop-.example/",
            "http://a..example/",
            "http://.example/",
            "http://a.b/",
            "http://1.2.3/",
            "http://256.1.1.1/",
            "http://shop.example:/",
            "http://shop.example:123456/",
            "http://shop.example:80a/",
            "http://[::1/",
            "http://[1.2.3.4]/",
            "http://@shop.example/",
            "http://a:b:c@shop.example/",
            "http://a@b@shop.example/",
            "http://shop.example@/",
            "http://:secret@shop.example/",
            "http://shop.example:80:90/",
            "http://shop.example\\x",
            "http://shop.example;x",
            "http://shop.example../",
            "http://a%20b.example/",
            "http://01.2.3.4/",
            "http://1.2.3.4./",
            "http://a.c0m/",
            "http://a.bc-/",
            "http://ä.ö/",
            "http://😀.example/",
            "http://[fe80::1%eth0]/",
            "http://[::1]x/",
            "http://[::1]:/",
            "http://user:pa/ss@shop.example/",
            "http://shop.example?a b",
            "http://shop.example\u{ff0f}x",
            "http://shop\u{ff20}evil.example/",
            "http:/shop.example/"
        )]
        url: &str,
    ) {
        assert!(!is_url(url), "{url}");
    }

    #[test]
    fn labels_and_hosts_have_their_lengths() {
        assert!(is_url(&format!("http://{}.example/", "a".repeat(63))));
        assert!(!is_url(&format!("http://{}.example/", "a".repeat(64))));
        assert!(!is_url(&format!("http://{}example/", "a.".repeat(130))));
    }

    #[test]
    fn two_thousand_characters_of_four_bytes_pass() {
        let url = format!("\"http://a.example/{}\"", "😀".repeat(2_000 - 17));
        assert_eq!(required(Some(&url)).unwrap().chars().count(), 2_000);
        let longer = url.replacen("😀", "😀😀", 1);
        assert_eq!(required(Some(&longer)), message("Ensure this field has no more than 2000 characters."));
    }

    #[rstest]
    #[case("5", INVALID)]
    #[case("true", INVALID)]
    #[case("[]", INVALID)]
    #[case("{}", INVALID)]
    #[case("\" \"", BLANK)]
    #[case("\"http://a.example/\\u0000\"", NUL)]
    #[case("\"http://a.example/\\ud800\"", "Surrogate characters are not allowed: U+D800.")]
    fn the_reason_is_told(#[case] json: &str, #[case] expected: &str) {
        assert_eq!(required(Some(json)), message(expected));
    }
}
