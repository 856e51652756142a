//! The address under which the client knows us.

use axum::http::HeaderMap;
use service::{
    client_address::{Peer, TrustedProxies},
    site::Site,
};

/// Scheme and host of a request; the forwarded ones when the peer is a trusted proxy.
pub(crate) fn of(headers: &HeaderMap, peer: Option<&Peer>, proxies: &TrustedProxies) -> String {
    Site::of(headers, peer.map(|peer| peer.0), proxies).url()
}
