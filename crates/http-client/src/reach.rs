//! Which addresses may be connected to. A name is judged by what it resolves to, each time a connection is made, and the
//! connection is made to the very addresses that were judged. Which rule is right, only the caller knows.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

use crate::body::BoxError;

/// A rule: given the host as a URL names it and one of its addresses, whether a connection may be made.
type Rule = dyn Fn(&str, IpAddr) -> bool + Send + Sync;

/// Which addresses a client connects to; by default any.
///
/// Where a request goes through a proxy ([`Proxies`](crate::Proxies)), the proxy resolves the name, and only a host that is
/// an address itself is judged here. The proxy's own address is the operator's word, and is not judged.
#[derive(Clone, Default)]
pub struct Reach(Option<Arc<Rule>>);

impl Reach {
    /// Only addresses that the rule allows. It is given the host without the brackets of IPv6, and an IPv4 address that is
    /// written as IPv6 (RFC 4291 section 2.5.5.2) as what it is.
    pub fn only(rule: impl Fn(&str, IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(rule)))
    }

    fn allows(&self, host: &str, address: IpAddr) -> bool {
        self.0.as_ref().is_none_or(|rule| rule(host, address.to_canonical()))
    }

    /// Judges a host that is an address: such a host is never resolved.
    pub(crate) fn judge_literal(&self, to: &Uri) -> Result<(), OutOfReach> {
        let host = to.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        match host.parse() {
            Ok(address) if !self.allows(host, address) => Err(OutOfReach { address }),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(if self.0.is_some() { "Reach(by a rule)" } else { "Reach(anywhere)" })
    }
}

/// All addresses of a host are where the client may not go.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the host lies at {address}, where this client may not go")]
pub(crate) struct OutOfReach {
    /// One of them.
    pub(crate) address: IpAddr,
}

/// The system's resolver, whose answers are judged.
#[derive(Clone)]
pub(crate) struct JudgingResolver {
    system: GaiResolver,
    reach: Reach,
}

impl JudgingResolver {
    pub(crate) fn new(reach: Reach) -> Self {
        Self { system: GaiResolver::new(), reach }
    }
}

impl Service<Name> for JudgingResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.system.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (reach, host) = (self.reach.clone(), name.to_string());
        let resolving = self.system.call(name);
        Box::pin(async move { Ok(judged(&reach, &host, resolving.await?)?.into_iter()) })
    }
}

/// Those of the addresses that may be connected to; an error where there are some, and none may.
fn judged(
    reach: &Reach,
    host: &str,
    addresses: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, OutOfReach> {
    let (allowed, refused): (Vec<_>, Vec<_>) =
        addresses.partition(|address| reach.allows(host, address.ip()));
    match refused.first() {
        Some(address) if allowed.is_empty() => Err(OutOfReach { address: address.ip() }),
        _ => Ok(allowed),
    }
}

#[cfg(test)]
mod tests;
