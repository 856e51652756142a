//! IP addresses.

use crate::python::Kind;
use crate::{BLANK, Messages, NUL, NULL, REQUIRED, message, string, surrogate_message, text::trimmed};
use std::net::{IpAddr, Ipv6Addr};

const INVALID: &str = "Enter a valid IPv4 or IPv6 address.";

/// An address: IPv6 shortened, IPv4-mapped as IPv4, a zone id dropped (contract § 3).
pub fn required(json: Option<&str>) -> Result<IpAddr, Messages> {
    let json = json.ok_or_else(|| vec![REQUIRED.to_owned()])?;
    match Kind::of(json) {
        Kind::Null => return message(NULL),
        Kind::Str => {}
        _ => return message(INVALID),
    }
    let (text, surrogate) = string(json);
    let text = trimmed(text);
    if text.is_empty() {
        return message(BLANK);
    }
    if let Some(address) = parse(&text).filter(|_| surrogate.is_none()) {
        return Ok(address);
    }
    // with a colon the original looks for an IPv6 address first, and at nothing more when it is none
    let mut messages = Vec::new();
    if !text.contains(':') {
        messages.extend(text.contains('\0').then(|| NUL.to_owned()));
        messages.extend(surrogate.map(surrogate_message));
    }
    messages.push(INVALID.to_owned());
    Err(messages)
}

/// An address as it is kept, out of a text without blanks around it.
pub fn parse(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        Some((address, zone)) if !zone.is_empty() && !zone.contains(['%', '/']) => {
            address.parse::<Ipv6Addr>().ok().map(|address| IpAddr::V6(address).to_canonical())
        }
        Some(_) => None,
        None => text.parse::<IpAddr>().ok().map(|address| address.to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("\"192.0.2.1\"", Ok("192.0.2.1"))]
    #[case("\" 192.0.2.1 \"", Ok("192.0.2.1"))]
    #[case("\"2001:DB8:0:0::4\"", Ok("2001:db8::4"))]
    #[case("\"::ffff:1.2.3.4\"", Ok("1.2.3.4"))]
    #[case("\"fe80::1%eth0\"", Ok("fe80::1"))]
    #[case("\"01.2.3.4\"", Err(INVALID))]
    #[case("\"1.2.3\"", Err(INVALID))]
    #[case("\"1.2.3.4/8\"", Err(INVALID))]
    #[case("\"1.2.3.4:80\"", Err(INVALID))]
    #[case("\"[::1]\"", Err(INVALID))]
    #[case("\"1.2.3.4%eth0\"", Err(INVALID))]
    #[case("\"\"", Err(BLANK))]
    #[case("\"::1\\u0000\"", Err(INVALID))]
    #[case("\"::\\ud800\"", Err(INVALID))]
    #[case("\"::1.2.3.4\"", Ok("::102:304"))]
    #[case("\"::ffff:1.2.3\"", Err(INVALID))]
    #[case("\"fe80::1%\"", Err(INVALID))]
    #[case("\"fe80::1%a%b\"", Err(INVALID))]
    #[case("\"::1/64\"", Err(INVALID))]
    #[case("\"fe80::1%eth0/64\"", Err(INVALID))]
    #[case("\"1.2.3.\u{661}\"", Err(INVALID))]
    #[case("true", Err(INVALID))]
    #[case("{}", Err(INVALID))]
    #[case("null", Err(NULL))]
    #[case("16909060", Err(INVALID))]
    #[case("[]", Err(INVALID))]
    fn an_address_is_taken_or_the_reason_is_told(#[case] json: &str, #[case] expected: Result<&str, &str>) {
        let found = required(Some(json)).map(|address| address.to_string());
        assert_eq!(found, expected.map(str::to_owned).map_err(|message| vec![message.to_owned()]));
    }

    #[test]
    fn what_is_written_otherwise_is_the_same_address() {
        for written in ["2001:DB8:0::4", "2001:db8::4", "2001:0db8::0004", "2001:db8::4%eth0"] {
            assert_eq!(parse(written), Some("2001:db8::4".parse().unwrap()), "{written}");
        }
        assert_eq!(parse("::ffff:1.2.3.4"), parse("1.2.3.4"));
        assert_eq!(parse(" 1.2.3.4"), None, "blanks are for who reads the text");
    }

    #[test]
    fn every_reason_is_told_at_once() {
        let nul = required(Some("\"1.2.3.4\\u0000\"")).unwrap_err();
        assert_eq!(nul, [NUL, INVALID]);
        let surrogate = required(Some("\"1.2.3.4\\ud800\"")).unwrap_err();
        assert_eq!(surrogate, ["Surrogate characters are not allowed: U+D800.", INVALID]);
    }
}
