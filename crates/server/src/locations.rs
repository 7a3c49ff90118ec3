//! Where the URLs in `Location` and `Link` begin: with a path, with what the operator said, or with what the client asked for.

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

    /// The same for who reads it elsewhere, and so has no use for a path alone.
    pub(crate) fn whole_base(&self, uri: &Uri, headers: &HeaderMap, forwarded: Option<&Forwarded>) -> String {
        match self {
            Self::Relative => Self::AsAsked.base(uri, headers, forwarded),
            Self::Under(_) | Self::AsAsked => self.base(uri, headers, forwarded),
        }
    }
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
