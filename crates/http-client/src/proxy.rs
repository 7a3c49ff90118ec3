//! Proxies: which requests go through one, by the variables that every program reads for it. How a connection is made
//! through a proxy is not known here.

use std::net::IpAddr;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::error::Error;

/// The proxies to go through, as `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` name them.
///
/// A request to this machine (`localhost`, 127.0.0.0/8, `::1`) never goes through a proxy. Any other `http` request is
/// given to the proxy whole; for `https` the proxy is asked for a tunnel (CONNECT, RFC 9110 section 9.3.6), and sees
/// nothing of what goes through it.
///
/// The default is none.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// The URL of the proxy for `http`, such as `http://user:password@proxy.example:3128`; empty for none. Without a scheme
    /// it is `http`; a proxy may also be reached by `https`.
    pub http: String,
    /// The same for `https`.
    pub https: String,
    /// For whom there is no proxy, with commas in between: names, which include the names below them; IP addresses and
    /// networks such as `10.0.0.0/8`; `*` for everyone.
    pub except: String,
}

impl Proxies {
    /// What the environment of this process says: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or the same in lower case
    /// where the first are absent or empty.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.or_else(|| variable(&name.to_lowercase())).unwrap_or_default()
        };
        Self { http: either("HTTP_PROXY"), https: either("HTTPS_PROXY"), except: either("NO_PROXY") }
    }

    /// The same in a form that can be asked.
    pub(crate) fn routes(&self) -> Result<Routes, Error> {
        // Of what it cannot use the matcher would say nothing, and let the requests go out directly.
        for (name, url) in [("HTTP_PROXY", &self.http), ("HTTPS_PROXY", &self.https)] {
            let proxy =
                Matcher::builder().all(url).build().intercept(&Uri::from_static("http://any.invalid/"));
            let usable =
                proxy.is_some_and(|proxy| matches!(proxy.uri().scheme_str(), Some("http" | "https")));
            if !url.is_empty() && !usable {
                return Err(Error::Settings {
                    what: format!("the proxy of {name}"),
                    source: "it is no http or https URL with a host, such as http://proxy.example:3128"
                        .into(),
                });
            }
        }
        Ok(Routes(Matcher::builder().http(&self.http).https(&self.https).no(&self.except).build()))
    }
}

/// Shows no URL of a proxy: there may be a password in it.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let given = |url: &str| if url.is_empty() { "none" } else { "given" };
        formatter
            .debug_struct("Proxies")
            .field("http", &given(&self.http))
            .field("https", &given(&self.https))
            .field("except", &self.except)
            .finish()
    }
}

/// Knows the way to each peer.
#[derive(Debug)]
pub(crate) struct Routes(Matcher);

impl Routes {
    /// The proxy on the way to `peer`; `None` when the way is direct.
    pub(crate) fn proxy(&self, peer: &Uri) -> Option<Intercept> {
        let host = peer.host()?.trim_start_matches('[').trim_end_matches(']');
        let this_machine = host.eq_ignore_ascii_case("localhost")
            || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        if this_machine { None } else { self.0.intercept(peer) }
    }

    /// What proves to a proxy that we may use it, where each request has to carry that: inside of a tunnel none does.
    pub(crate) fn authorization(&self, peer: &Uri) -> Option<HeaderValue> {
        let proxy = self.proxy(peer).filter(|_| peer.scheme_str() == Some("http"))?;
        proxy.basic_auth().cloned()
    }
}

#[cfg(test)]
mod tests;
