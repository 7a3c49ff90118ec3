//! What the tests of several rooms need.

use std::time::Duration;

use crate::UpstreamOptions;

/// An upstream as its URL alone makes it.
pub(crate) fn upstream_options(url: &str) -> UpstreamOptions {
    UpstreamOptions {
        url: url.to_owned(),
        prefix: None,
        ns: Vec::new(),
        remote_namespace: None,
        credentials: None,
        ttl: None,
        freshness: Duration::ZERO,
        token_servers: Vec::new(),
        allowed_networks: Vec::new(),
    }
}
