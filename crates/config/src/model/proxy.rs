//! `proxy`: the registry is a cache of another one.

use std::time::Duration;

use secrecy::SecretString;

/// Which registry, as whom, and how long what came from it is kept.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// `remoteurl`: an http or https URL without credentials, and without a slash at the end.
    pub remote_url: String,
    /// `username` and `password`, or `exec`; `None` to come as anyone.
    pub credentials: Option<ProxyCredentials>,
    /// `remotenamespace`: what stands in front of a repository's name there; without slashes around it.
    pub remote_namespace: Option<String>,
    /// `ttl`: how long content is kept; `None`, in the file `0`, for ever. Default 168 h.
    pub ttl: Option<Duration>,
    /// `cachewritetimeout`: how long the writing of fetched content may take. Default 5 min.
    pub cache_write_timeout: Duration,
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
