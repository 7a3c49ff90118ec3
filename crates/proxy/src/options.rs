//! What an operator can choose of a cache.

use std::time::Duration;

use apus_http_client::Proxies;
use apus_registry::RepositoryName;
use ipnet::IpNet;
use secrecy::SecretString;

/// A cache of other registries.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// The other registries. No two have the same prefix, at most one has none.
    pub upstreams: Vec<UpstreamOptions>,
    /// How long storage may take over one piece of what is fetched, or over its end, before the rest goes to the clients
    /// alone and nothing is kept.
    pub write_timeout: Duration,
    /// Which proxies to go through.
    pub proxies: Proxies,
}

/// Another registry.
#[derive(Debug, Clone)]
pub struct UpstreamOptions {
    /// Its URL, `http` or `https`, without credentials and without a slash at its end.
    pub url: String,
    /// What stands in front of the names of its repositories here; `None` for nothing.
    pub prefix: Option<RepositoryName>,
    /// By which values of `?ns=`, containerd's word for the registry that it means, it is asked for.
    pub ns: Vec<String>,
    /// What stands in front of the names of its repositories there.
    pub remote_namespace: Option<String>,
    /// As whom to come; `None` for anyone.
    pub credentials: Option<Credentials>,
    /// How long what nobody pulls is kept; `None` for ever.
    pub ttl: Option<Duration>,
    /// How long a tag is believed before the upstream is asked again; zero to ask each time.
    pub freshness: Duration,
    /// Hosts besides the upstream's own whose token servers may be told the credentials.
    pub token_servers: Vec<String>,
    /// Networks that are not public to which it may send Apus all the same.
    pub allowed_networks: Vec<IpNet>,
}

/// As whom to come to another registry.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A user and a password.
    Password {
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// As a Docker credential helper says.
    Helper {
        /// The program: it is run with the word `get`, and told the host on its standard input.
        command: String,
        /// How long its word is good; zero for one request, `None` for ever.
        lifetime: Option<Duration>,
    },
}
