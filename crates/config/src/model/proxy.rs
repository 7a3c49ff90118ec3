//! `proxy`: the registry is a cache of other ones.

use std::time::Duration;

use ipnet::IpNet;
use secrecy::SecretString;

/// Which registries, and how they are kept.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// The one of `remoteurl`, which has no prefix, and those of `upstreams`, which have. There is at least one.
    pub upstreams: Vec<UpstreamConfig>,
    /// `cachewritetimeout`: how long storage may take over one piece of what is fetched. Default 5 min.
    pub cache_write_timeout: Duration,
}

/// Another registry: as whom to come there, and how long what came from it is kept.
#[derive(Clone, Debug)]
pub struct UpstreamConfig {
    /// `remoteurl`: an http or https URL without credentials, and without a slash at the end.
    pub remote_url: String,
    /// `prefix`: what stands in front of its repositories' names here; `None` for nothing.
    pub prefix: Option<String>,
    /// `ns`: by which values of `?ns=` it is asked for. By default the host of its URL, and `docker.io` for Docker Hub.
    pub ns: Vec<String>,
    /// `username` and `password`, or `exec`; `None` to come as anyone.
    pub credentials: Option<ProxyCredentials>,
    /// `remotenamespace`: what stands in front of a repository's name there; without slashes around it.
    pub remote_namespace: Option<String>,
    /// `ttl`: how long content is kept; `None`, in the file `0`, for ever. Default 168 h.
    pub ttl: Option<Duration>,
    /// `freshness`: how long a tag is believed before the registry is asked again. Default zero: it is asked each time.
    pub freshness: Duration,
    /// `tokenservers`: other hosts whose token servers may be told the credentials.
    pub token_servers: Vec<String>,
    /// `allowednetworks`: networks that are not public to which it may send Apus.
    pub allowed_networks: Vec<IpNet>,
}

/// As whom to come to the other registry.
#[derive(Clone, Debug)]
pub enum ProxyCredentials {
    /// `username` and `password`
    Password {
        /// `username`
        username: String,
        /// `password`
        password: SecretString,
    },
    /// `exec`: as a Docker credential helper says.
    Helper {
        /// `command`
        command: String,
        /// `lifetime`: how long what it says is good for; zero for one request, `None` for ever.
        lifetime: Option<Duration>,
    },
}
