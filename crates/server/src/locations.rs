//! Where the URLs in `Location` and `Link` begin: with a path, with what the operator said, or with what the client asked for.

use std::net::IpAddr;

use http::uri::Scheme;
use http::{HeaderMap, Uri, header};

use crate::forwarded::{Forwarded, host};
use crate::parameters::text;

/// What stands in front of the paths in `Location` and `Link`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Locations {
    /// Nothing: paths alone, which are right behind any proxy.
    #[default]
    Relative,
    /// This: `https://registry.example.org`, without a closing slash.
    Under(String),
    /// The scheme and the host that the client used: as proxies say, else those of the connection and the request. Nothing
    /// where the client named no host.
    AsAsked,
}

impl Locations {
    /// The beginning of URLs in the answer to a request.
    pub(crate) fn base(&self, uri: &Uri, headers: &HeaderMap, forwarded: Option<&Forwarded>) -> String {
        match self {
            Self::Relative => String::new(),
            Self::Under(base) => base.clone(),
            Self::AsAsked => {
                let scheme =
                    forwarded.and_then(|forwarded| forwarded.scheme.as_ref()).unwrap_or(&Scheme::HTTP);
                host_as_asked(uri, headers, forwarded)
                    .map(|host| format!("{scheme}://{host}"))
                    .unwrap_or_default()
            }
        }
    }

    /// The same for URLs to which a client will send a password; `None` where it named no host. Where the operator does not say
    /// which they are, one without a port is asked by HTTPS even if the request seems to have come without: a proxy that speaks
    /// TLS need not say so, or says it wrongly where there are two, and a password must not be lost by that.
    pub(crate) fn secret_base(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        forwarded: Option<&Forwarded>,
    ) -> Option<String> {
        if let Self::Under(base) = self {
            return Some(base.clone());
        }
        let host = host_as_asked(uri, headers, forwarded)?;
        let is_https = forwarded.is_some_and(|forwarded| forwarded.scheme == Some(Scheme::HTTPS));
        let scheme = if is_https || seems_encrypted(&host) { Scheme::HTTPS } else { Scheme::HTTP };
        Some(format!("{scheme}://{host}"))
    }

    /// The same for who reads it elsewhere, and so has no use for a path alone.
    pub(crate) fn whole_base(&self, uri: &Uri, headers: &HeaderMap, forwarded: Option<&Forwarded>) -> String {
        match self {
            Self::Relative => Self::AsAsked.base(uri, headers, forwarded),
            Self::Under(_) | Self::AsAsked => self.base(uri, headers, forwarded),
        }
    }
}

/// Whether a host, with or without a port, is not one of this machine, and is asked at the port of its scheme or at that of HTTPS.
fn seems_encrypted(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return true };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_here =
        name.parse().map_or_else(|_| name.eq_ignore_ascii_case("localhost"), |ip: IpAddr| ip.is_loopback());
    !is_here && matches!(authority.port_u16(), None | Some(443))
}

/// The host that the client used, with its port: as proxies say, else as the request does.
pub(crate) fn host_as_asked(uri: &Uri, headers: &HeaderMap, forwarded: Option<&Forwarded>) -> Option<String> {
    // An authority in the request line overrules `Host` (RFC 9112, section 3.2.2); in HTTP/2 it is `:authority`.
    let asked = || {
        let authority = uri.authority().map(http::uri::Authority::as_str);
        authority.or_else(|| text(headers, header::HOST)).and_then(host)
    };
    forwarded.and_then(|forwarded| forwarded.host.clone()).or_else(asked)
}

#[cfg(test)]
mod tests;
