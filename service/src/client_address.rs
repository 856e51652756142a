//! Whose request it is, behind proxies that are trusted and none that is not.

use crate::site::Site;
use axum::{
    extract::{Request, State},
    http::HeaderMap,
    middleware::Next,
    response::Response,
};
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

/// The client's address, trusted proxies taken off; IPv4-mapped addresses are IPv4. A request extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

/// The peer of the connection. A request extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Proxies whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// These networks; a single address is a network of one.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().collect())
    }

    /// Whether the address is a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The right-most hop that is not a trusted proxy; the peer itself unless the peer is one (contract § 7).
    ///
    /// A hop that is no address ends the search: what stands left of it could be anybody's invention.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        for hop in lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(',')) {
            if !self.contains(client) {
                break;
            }
            match parse_hop(hop.trim()) {
                Some(address) => client = address.to_canonical(),
                None => break,
            }
        }
        client
    }
}

/// An address; some proxies write brackets around it, or its port behind it.
pub(crate) fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    hop.parse().ok().or_else(|| hop.parse().ok().map(|with_port: SocketAddr| with_port.ip())).or_else(bare)
}

/// A network in a setting: `10.0.0.0/8` or a single address.
pub fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    IpNet::from_str(text)
        .or_else(|_| IpAddr::from_str(text).map(IpNet::from))
        .map_err(|_| format!("{text:?} is neither an address nor a network such as 10.0.0.0/8"))
}

/// Middleware: puts [`ClientAddress`] and [`Site`] into the request.
pub async fn resolve(State(proxies): State<TrustedProxies>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let client = proxies.client(peer.unwrap_or(IpAddr::from([0, 0, 0, 0])), request.headers());
    let site = Site::of(request.headers(), peer, &proxies);
    request.extensions_mut().insert(ClientAddress(client));
    request.extensions_mut().insert(site);
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::nobody_is_trusted("", "192.0.2.1", "198.51.100.7", "192.0.2.1")]
    #[case::the_proxy_is("192.0.2.1", "192.0.2.1", "198.51.100.7", "198.51.100.7")]
    #[case::what_the_client_claims_is_not("192.0.2.1", "192.0.2.1", "10.0.0.1, 198.51.100.7", "198.51.100.7")]
    #[case::a_chain("192.0.2.0/24", "192.0.2.1", "198.51.100.7, 192.0.2.9", "198.51.100.7")]
    #[case::all_trusted("192.0.2.0/24", "192.0.2.1", "192.0.2.8,192.0.2.9", "192.0.2.8")]
    #[case::garbage_ends_the_search("192.0.2.0/24", "192.0.2.1", "198.51.100.7, what, 192.0.2.9", "192.0.2.9")]
    #[case::mapped("::1", "::1", "::ffff:198.51.100.7", "198.51.100.7")]
    #[case::with_port("192.0.2.1", "192.0.2.1", "198.51.100.7:4711", "198.51.100.7")]
    #[case::ipv6_with_port("192.0.2.1", "192.0.2.1", "[2001:db8::7]:4711", "2001:db8::7")]
    #[case::in_brackets("192.0.2.1", "192.0.2.1", "[2001:db8::7]", "2001:db8::7")]
    #[case::mapped_peer("192.0.2.1", "::ffff:192.0.2.1", "198.51.100.7", "198.51.100.7")]
    #[case::no_header("192.0.2.1", "192.0.2.1", "", "192.0.2.1")]
    fn the_client_is_the_rightmost_hop_that_is_not_trusted(
        #[case] trusted: &str,
        #[case] peer: &str,
        #[case] header: &str,
        #[case] client: &str,
    ) {
        let proxies = TrustedProxies::new(trusted.split_terminator(',').map(|text| parse_network(text).unwrap()));
        let mut headers = HeaderMap::new();
        if !header.is_empty() {
            headers.insert("x-forwarded-for", header.parse().unwrap());
        }
        assert_eq!(proxies.client(peer.parse().unwrap(), &headers), client.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn several_header_lines_are_read_as_one() {
        let proxies = TrustedProxies::new([parse_network("192.0.2.0/24").unwrap()]);
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "203.0.113.9".parse().unwrap());
        headers.append("x-forwarded-for", "198.51.100.7, 192.0.2.3".parse().unwrap());
        assert_eq!(proxies.client([192, 0, 2, 1].into(), &headers), IpAddr::from([198, 51, 100, 7]));
    }
}
