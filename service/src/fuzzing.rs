//! What must hold for any bytes, for the fuzz targets in `fuzz/` and the test that replays what they found.

use crate::{
    client_address::{TrustedProxies, parse_hop},
    site::Site,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use ipnet::IpNet;
use std::net::IpAddr;

const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 9));

/// Headers, one a line. Whatever they claim: somebody who comes directly is who he is; behind a trusted proxy the one
/// whom it names is the client; and the site's own address stays in its place.
///
/// # Panics
/// When it does not hold.
pub fn forwarded_headers(data: &[u8]) {
    let headers = headers(data);
    let proxies = TrustedProxies::new([IpNet::from(PROXY), "10.1.0.0/16".parse().expect("a network")]);
    let found = proxies.client(PROXY, &headers);
    assert_eq!(found, found.to_canonical());
    assert!(found == PROXY || !proxies.contains(found) || named(&headers, found), "{found} is an invention");

    // who comes directly
    assert_eq!(proxies.client(CLIENT, &headers), CLIENT);
    assert_eq!(TrustedProxies::default().client(PROXY, &headers), PROXY);
    let direct = Site::of(&headers, Some(CLIENT), &proxies);
    let mut unclaimed = headers.clone();
    for name in ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"] {
        unclaimed.remove(name);
    }
    assert_eq!(direct, Site::of(&unclaimed, Some(CLIENT), &proxies));

    // through a proxy that adds to the last line, or a line of its own
    let mut appended = headers.clone();
    appended.append("x-forwarded-for", CLIENT.to_string().parse().expect("an address is a header's value"));
    assert_eq!(proxies.client(PROXY, &appended), CLIENT);
    if let Some(last) = headers.get_all("x-forwarded-for").iter().next_back() {
        let mut lines: Vec<HeaderValue> = headers.get_all("x-forwarded-for").iter().cloned().collect();
        let line = [last.as_bytes(), b", ", CLIENT.to_string().as_bytes()].concat();
        lines.pop();
        lines.push(HeaderValue::from_bytes(&line).expect("what was a value still is"));
        let mut appended = headers.clone();
        appended.remove("x-forwarded-for");
        for line in lines {
            appended.append("x-forwarded-for", line);
        }
        // a line that is no text names nobody, and nobody left of it
        let expected = if last.to_str().is_ok() { CLIENT } else { PROXY };
        assert_eq!(proxies.client(PROXY, &appended), expected);
    }

    for site in [direct, Site::of(&headers, Some(PROXY), &proxies), Site::of(&headers, None, &proxies)] {
        let url = site.url() + "/sessions/";
        if let Ok(url) = url.parse::<Uri>() {
            assert_eq!(url.path(), "/sessions/", "{url}");
        }
        assert!(url.is_ascii() && !url.contains(['"', '\\', '<', '>', '@', '?', '#', ' ']), "{url}");
        assert!(url.bytes().filter(|byte| *byte == b'/').count() == 4, "{url}");
    }
}

fn headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(100) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(&line[..colon]);
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii())) {
            headers.append(name, value);
        }
    }
    headers
}

/// Whether a hop of the headers is this address.
fn named(headers: &HeaderMap, address: IpAddr) -> bool {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .filter_map(|hop| parse_hop(hop.trim()))
        .any(|hop| hop.to_canonical() == address)
}
