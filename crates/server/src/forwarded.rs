//! What proxies say of a request: `Forwarded` (RFC 7239), and the `X-Forwarded-*` headers that came before it. Pure functions,
//! one pass over the headers. Anyone can write these headers, so what is malformed or too long to be meant counts as unsaid,
//! and nothing of it comes back in an answer.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::uri::Scheme;
use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::elements::{parameter, split};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Characters of the longest host, by DNS.
const LONGEST_HOST: usize = 253;

/// Where a request came from, and the URL that its client used, as far as they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// The client's address: the peer's, or one that trusted proxies vouch for.
    pub(crate) client: IpAddr,
    /// How the client reached the first proxy.
    pub(crate) scheme: Option<Scheme>,
    /// The host that the client asked, with its port if it named one.
    pub(crate) host: Option<String>,
}

impl Forwarded {
    /// Reads what proxies said of a request that `peer` sent.
    ///
    /// With `trusted` given, only these are believed: each vouches for the address before it. So a chain is followed from its
    /// end, the peer, for as long as the addresses in it are trusted, and what was said further on is not believed.
    /// Without it, scheme and host are believed from anyone, as registry:2 does; a client can mislead but itself by them. Its
    /// address is the peer's then.
    pub(crate) fn read(headers: &HeaderMap, peer: IpAddr, trusted: Option<&[IpNet]>) -> Self {
        let peer = peer.to_canonical();
        let hops: Vec<Hop> = list(headers, &header::FORWARDED).into_iter().map(Hop::parse).collect();
        let (client, hop) = match trusted {
            None => (peer, hops.first()),
            Some(trusted) if !contains(trusted, peer) => {
                return Self { client: peer, scheme: None, host: None };
            }
            Some(trusted) => {
                let (client, believed) = follow(peer, trusted, hops.iter().map(|hop| hop.client));
                let addresses = list(headers, &X_FORWARDED_FOR);
                let (also, _) = follow(peer, trusted, addresses.into_iter().map(address));
                (agreed(peer, client, also), hops.len().checked_sub(believed).and_then(|at| hops.get(at)))
            }
        };
        let first = |name| list(headers, &name).first().copied();
        Self {
            client,
            scheme: hop
                .and_then(|hop| hop.scheme.clone())
                .or_else(|| first(X_FORWARDED_PROTO).and_then(scheme)),
            host: hop.and_then(|hop| hop.host.clone()).or_else(|| first(X_FORWARDED_HOST).and_then(host)),
        }
    }
}

/// What one proxy said: an element of `Forwarded`.
#[derive(Debug, Default)]
struct Hop {
    client: Option<IpAddr>,
    scheme: Option<Scheme>,
    host: Option<String>,
}

impl Hop {
    fn parse(element: &str) -> Self {
        let mut hop = Self::default();
        for (name, value) in split(element, ';').filter_map(parameter) {
            match name.to_ascii_lowercase().as_str() {
                "for" => hop.client = address(&value),
                "proto" => hop.scheme = scheme(&value),
                "host" => hop.host = host(&value),
                _ => {}
            }
        }
        hop
    }
}

/// Follows the addresses of a chain from its end, for as long as they are trusted. Answers the one that it comes to, and how
/// many of the chain were believed.
fn follow(
    peer: IpAddr,
    trusted: &[IpNet],
    chain: impl DoubleEndedIterator<Item = Option<IpAddr>>,
) -> (IpAddr, usize) {
    let (mut client, mut believed) = (peer, 0);
    for named in chain.rev() {
        if !contains(trusted, client) {
            break;
        }
        believed += 1;
        // A proxy may hide whom it speaks for: then it is the last that is known.
        let Some(named) = named else { break };
        client = named;
    }
    (client, believed)
}

/// The client by two headers of which a proxy may write either: where both name one and differ, one of them came from the
/// client itself, and neither is believed.
fn agreed(peer: IpAddr, one: IpAddr, other: IpAddr) -> IpAddr {
    match (one == peer, other == peer) {
        (true, _) => other,
        (_, true) => one,
        _ if one == other => one,
        _ => peer,
    }
}

fn contains(trusted: &[IpNet], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// The elements of all lines of a header, in order.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| split(line, ',')).collect()
}

/// An address, with or without a port, an IPv6 address with or without brackets; `None` for `unknown` and the like.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6);
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(bracketed).or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

fn scheme(text: &str) -> Option<Scheme> {
    [Scheme::HTTP, Scheme::HTTPS].into_iter().find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
}

/// The text, if it is `host` or `host:port` (RFC 3986, section 3.2.2) without user information or anything encoded.
pub(crate) fn host(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if bytes.last() != Some(&b']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_name = if let Some(address) = name.strip_prefix('[') {
        address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
    } else {
        let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (1..=LONGEST_HOST).contains(&name.len()) && name.bytes().all(in_name)
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    (is_name && port.is_none_or(is_port)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
