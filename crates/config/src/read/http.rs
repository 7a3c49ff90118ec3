//! `http`

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use super::common::{duration, headers, http_path, path};
use super::{debug, tls, web_url, word};
use crate::section::Section;
use crate::{ConfigError, HttpConfig, ListenAddress, Warning};

pub(super) const ADDR: &str = "host:port, such as 127.0.0.1:5000, :5000 or [::1]:5000";

pub(super) fn read(mut section: Section, warnings: &mut Vec<Warning>) -> Result<HttpConfig, ConfigError> {
    const HOST: &str = "an http or https URL without credentials, such as https://registry.example";
    const PREFIX: &str = "a path that begins with a slash, such as /registry/";

    let default = HttpConfig::default();
    let (addr, unix_socket) = listen(&mut section)?;
    let (http2, h2c) = http2(&mut section, warnings)?;
    let http = HttpConfig {
        addr: addr.unwrap_or(default.addr),
        unix_socket,
        secret: section.secret("secret")?,
        relative_urls: section.boolean("relativeurls")?,
        host: section.parse("host", HOST, external_url)?,
        trusted_proxies: section.list("trustedproxies", NETWORKS, network)?,
        http2,
        h2c,
        prefix: section.parse("prefix", PREFIX, path_prefix)?.unwrap_or(default.prefix),
        tls: tls::read(&mut section, warnings)?,
        headers: headers(section.section("headers")?)?,
        debug: debug::read(section.section("debug")?, warnings)?,
        drain_timeout: duration(&mut section, "draintimeout", warnings)?.unwrap_or(default.drain_timeout),
    };
    section.finish(warnings);
    Ok(http)
}

/// HTTP/2 with TLS, and without: `h2c.enabled` is the latter; whoever writes `http2.disabled` wants no HTTP/2 at all.
fn http2(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<(bool, bool), ConfigError> {
    let mut http2 = section.section("http2")?;
    let disabled = http2.boolean("disabled")?.unwrap_or(false);
    http2.finish(warnings);
    let mut h2c = section.section("h2c")?;
    let key = h2c.given("enabled");
    let enabled = h2c.boolean("enabled")?.unwrap_or(false);
    h2c.finish(warnings);
    if let (true, true, Some(key)) = (enabled, disabled, key) {
        warnings.push(key.warning("without effect, for http.http2.disabled is true"));
    }
    Ok((!disabled, enabled && !disabled))
}

/// What [`network`] takes.
pub(super) const NETWORKS: &str = "an IP address or a network, such as 10.0.0.1, 10.0.0.0/8 or fd00::/8";

/// An address counts as the network that holds it alone.
pub(super) fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// Where to listen: `addr` is a port, or a file with `net: unix`.
fn listen(section: &mut Section) -> Result<(Option<ListenAddress>, Option<PathBuf>), ConfigError> {
    let is_unix =
        section.parse("net", "tcp or unix", |text| word(text, &[("tcp", false), ("unix", true)]))?;
    if is_unix != Some(true) {
        return Ok((section.parse("addr", ADDR, ListenAddress::parse)?, None));
    }
    let socket = path(section, "addr")?;
    Ok((None, Some(section.required("addr", "the path of the socket, for http.net is unix", socket)?)))
}

fn external_url(text: &str) -> Option<String> {
    web_url(text).map(|url| url.trim_end_matches('/').to_owned())
}

/// registry:2 takes it with and without a slash at the end.
fn path_prefix(text: &str) -> Option<String> {
    http_path(text).map(|path| path.trim_end_matches('/').to_owned())
}
