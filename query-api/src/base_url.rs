//! The address under which the client knows us.

use axum::http::{HeaderMap, header};
use service::client_address::{Peer, TrustedProxies};

/// Scheme and host of a request; the forwarded ones when the peer is a trusted proxy.
pub(crate) fn of(headers: &HeaderMap, peer: Option<&Peer>, proxies: &TrustedProxies) -> String {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let trusted = peer.is_some_and(|peer| proxies.contains(peer.0));
    let forwarded = |name| text(name).filter(|_| trusted).and_then(|value| value.rsplit(',').next()).map(str::trim);
    let scheme = if forwarded("x-forwarded-proto") == Some("https") { "https" } else { "http" };
    let host = forwarded("x-forwarded-host").or_else(|| text(header::HOST.as_str())).filter(|host| is_host(host));
    format!("{scheme}://{}", host.unwrap_or("localhost"))
}

/// Nothing that could lead out of the place of a host.
fn is_host(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::direct("a.example:81", None, None, false, "http://a.example:81")]
    #[case::untrusted("a.example", Some("https"), Some("evil.example"), false, "http://a.example")]
    #[case::trusted("inner", Some("https"), Some("a.example"), true, "https://a.example")]
    #[case::rubbish("a.example/<script>", None, None, false, "http://localhost")]
    fn forwarded_headers_count_from_trusted_proxies(
        #[case] host: &str,
        #[case] proto: Option<&str>,
        #[case] forwarded: Option<&str>,
        #[case] trusted: bool,
        #[case] expected: &str,
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in [("host", Some(host)), ("x-forwarded-proto", proto), ("x-forwarded-host", forwarded)] {
            if let Some(value) = value {
                headers.insert(name, value.parse().unwrap());
            }
        }
        let peer = Peer([192, 0, 2, 1].into());
        let networks = trusted.then(|| "192.0.2.0/24".parse().unwrap());
        assert_eq!(of(&headers, Some(&peer), &TrustedProxies::new(networks)), expected);
    }
}
