//! The address under which the client knows this very site.

use crate::client_address::TrustedProxies;
use axum::http::{HeaderMap, header};
use std::net::IpAddr;

/// Scheme and host of a request; the forwarded ones when the peer is a trusted proxy. A request extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Whether the client came by TLS, as far as a trusted proxy says so.
    pub https: bool,
    /// Host and port, if any were sent that can be such.
    pub host: Option<String>,
}

impl Site {
    /// The site of a request.
    pub fn of(headers: &HeaderMap, peer: Option<IpAddr>, proxies: &TrustedProxies) -> Self {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let trusted = peer.is_some_and(|peer| proxies.contains(peer.to_canonical()));
        let forwarded = |name| text(name).filter(|_| trusted).and_then(|value| value.rsplit(',').next()).map(str::trim);
        let https = forwarded("x-forwarded-proto").is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        let host = forwarded("x-forwarded-host").or_else(|| text(header::HOST.as_str())).filter(|host| is_host(host));
        Self { https, host: host.map(str::to_owned) }
    }

    /// `http://host`, without a slash at the end.
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.host.as_deref().unwrap_or("localhost"))
    }

    /// Whether an `Origin` is this site. One without TLS is not when the client came by TLS: whoever is in between
    /// could have written such a page.
    pub fn is_own(&self, origin: &str) -> bool {
        let Some((scheme, host)) = origin.split_once("://") else { return false };
        let same_host = self.host.as_deref().is_some_and(|own| without_default_port(own).eq_ignore_ascii_case(host));
        match scheme {
            "https" => same_host,
            "http" => same_host && !self.https,
            _ => false,
        }
    }
}

/// Browsers leave the scheme's own port out of an origin.
fn without_default_port(host: &str) -> &str {
    host.strip_suffix(":443").or_else(|| host.strip_suffix(":80")).unwrap_or(host)
}

/// Nothing that could lead out of the place of a host and its port.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        // what is behind the last colon of an address in brackets is still the address
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    !host.is_empty() && host.bytes().all(allowed) && port.is_none_or(is_port)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::direct("a.example:81", None, None, false, "http://a.example:81")]
    #[case::untrusted("a.example", Some("https"), Some("evil.example"), false, "http://a.example")]
    #[case::trusted("inner", Some("https"), Some("a.example"), true, "https://a.example")]
    #[case::no_port("a.example:abc", None, None, false, "http://localhost")]
    #[case::address("[::1]", None, None, false, "http://[::1]")]
    #[case::address_and_port("[::1]:81", None, None, false, "http://[::1]:81")]
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
        let networks = trusted.then(|| "192.0.2.0/24".parse().unwrap());
        let site = Site::of(&headers, Some([192, 0, 2, 1].into()), &TrustedProxies::new(networks));
        assert_eq!(site.url(), expected);
    }

    #[rstest]
    #[case(false, "a.example", "http://a.example", true)]
    #[case(false, "a.example", "https://A.example", true)]
    #[case(true, "a.example", "https://a.example", true)]
    #[case(true, "a.example", "http://a.example", false)]
    #[case(true, "a.example:443", "https://a.example", true)]
    #[case(false, "a.example:8080", "http://a.example:8080", true)]
    #[case(false, "a.example:8080", "http://a.example:81", false)]
    #[case(false, "a.example", "null", false)]
    #[case(false, "a.example", "http://a.example.evil.example", false)]
    #[case(false, "a.example", "ftp://a.example", false)]
    fn an_origin_is_own_or_not(#[case] https: bool, #[case] host: &str, #[case] origin: &str, #[case] own: bool) {
        assert_eq!(Site { https, host: Some(host.to_owned()) }.is_own(origin), own);
    }
}
