//! `http`: how the registry is served.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderMap;
use ipnet::IpNet;
use secrecy::SecretString;

use super::TlsConfig;
use crate::ListenAddress;

/// How the registry is served.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// `addr`: where to listen. Default 127.0.0.1:5000.
    pub addr: ListenAddress,
    /// `net: unix`: listen on this socket in the file system, which is then `addr`, in place of a port. A file that is there
    /// is replaced if it is a socket on which nobody listens.
    pub unix_socket: Option<PathBuf>,
    /// `secret`: signs the state of uploads; replicas share it. `None` for one made up at the start.
    pub secret: Option<SecretString>,
    /// `relativeurls`: answer with `Location: /v2/...` (true), or with a whole URL made from each request (false). `None` for
    /// the first.
    pub relative_urls: Option<bool>,
    /// `host`: how clients reach the registry, whatever `relativeurls` says. An http or https URL without credentials, query
    /// or fragment, and without a slash at the end.
    pub host: Option<String>,
    /// `trustedproxies`: who is believed about where a request came from; empty for nobody. `None` to believe anyone about
    /// scheme and host, and nobody about the client's address.
    pub trusted_proxies: Option<Vec<IpNet>>,
    /// Not `http2.disabled`: offer HTTP/2 beside HTTP/1.1 where there is TLS. Default true.
    pub http2: bool,
    /// `h2c.enabled`, unless `http2.disabled`: speak HTTP/2 without TLS beside HTTP/1.1. Default false.
    pub h2c: bool,
    /// `prefix`: the path in front of `/v2/`. Empty, or begins with a slash and ends without: `/registry`.
    pub prefix: String,
    /// `tls`; `None` to speak without.
    pub tls: Option<TlsConfig>,
    /// `headers`: added to every answer.
    pub headers: HeaderMap,
    /// `debug`; `None` for no debug server.
    pub debug: Option<DebugConfig>,
    /// `draintimeout`: how long requests under way may go on after SIGTERM; zero cuts them off. Default 30 s.
    pub drain_timeout: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            addr: ListenAddress { host: "127.0.0.1".to_owned(), port: 5000 },
            unix_socket: None,
            secret: None,
            relative_urls: None,
            host: None,
            trusted_proxies: None,
            http2: true,
            h2c: false,
            prefix: String::new(),
            tls: None,
            headers: HeaderMap::new(),
            debug: None,
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// `http.debug`: health and metrics, on an address of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugConfig {
    /// `addr`: where to listen.
    pub addr: ListenAddress,
    /// `prometheus.path`, if `prometheus.enabled`: under which path the metrics are. Default `/metrics`.
    pub metrics_path: Option<String>,
}
