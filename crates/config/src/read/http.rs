//! `http`

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::web_url;
use crate::section::{Field, Section};
use crate::tree::Value;
use crate::{ConfigError, HttpConfig, ListenAddress, Warning, quantity};

pub(super) fn read(mut section: Section, warnings: &mut Vec<Warning>) -> Result<HttpConfig, ConfigError> {
    const ADDR: &str = "host:port, such as 127.0.0.1:5000, :5000 or [::1]:5000";
    const HOST: &str = "an http or https URL without credentials, such as https://registry.example";
    const PREFIX: &str = "a path that begins with a slash, such as /registry/";
    const DRAIN_TIMEOUT: &str = "a duration, such as 30s or 1m30s";
    const PROXY: &str = "an IP address or a network, such as 10.0.0.1, 10.0.0.0/8 or fd00::/8";

    section.refuse(
        "tls",
        "refusing to start: this version does not speak TLS, so everything would travel in the clear; \
         remove this section and let a proxy in front of the registry speak TLS",
    )?;
    if let Some(net) = section.take("net").filter(|net| net.node.is_set()) {
        tcp_only(&net)?;
    }
    for (name, reason) in [("debug", "there is no debug server"), ("headers", "no extra headers are sent")] {
        section.not_obeyed(name, reason, warnings);
    }

    let h2c = h2c(&mut section, warnings)?;

    let default = HttpConfig::default();
    let drain_key = section.given("draintimeout");
    let http = HttpConfig {
        addr: section.parse("addr", ADDR, ListenAddress::parse)?.unwrap_or(default.addr),
        secret: section.secret("secret")?,
        relative_urls: section.boolean("relativeurls")?,
        host: section.parse("host", HOST, external_url)?,
        trusted_proxies: section.list("trustedproxies", PROXY, network)?,
        h2c,
        prefix: section.parse("prefix", PREFIX, path_prefix)?.unwrap_or(default.prefix),
        drain_timeout: section
            .parse("draintimeout", DRAIN_TIMEOUT, quantity::duration)?
            .unwrap_or(default.drain_timeout),
    };
    if let Some(key) = drain_key
        && !http.drain_timeout.is_zero()
        && http.drain_timeout < Duration::from_millis(1)
    {
        warnings.push(key.warning("a bare number is nanoseconds, as in registry:2; for seconds write 30s"));
    }
    section.finish(warnings);
    Ok(http)
}

/// `h2c.enabled` is HTTP/2 without TLS; whoever writes `http2.disabled` wants no HTTP/2 at all.
fn h2c(section: &mut Section, warnings: &mut Vec<Warning>) -> Result<bool, ConfigError> {
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
    Ok(enabled && !disabled)
}

/// An address counts as the network that holds it alone.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// A socket that only this machine reaches must not turn into one that the network reaches.
fn tcp_only(net: &Field) -> Result<(), ConfigError> {
    match &net.node.value {
        Value::Scalar(scalar) if scalar.text == "tcp" => Ok(()),
        Value::Scalar(scalar) if scalar.text == "unix" => {
            Err(net.key.unsupported("this version does not listen on unix sockets; use tcp"))
        }
        _ => Err(net.invalid("tcp")),
    }
}

fn external_url(text: &str) -> Option<String> {
    web_url(text).map(|url| url.trim_end_matches('/').to_owned())
}

/// registry:2 takes it with and without a slash at the end.
fn path_prefix(text: &str) -> Option<String> {
    let in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    let fits = text.starts_with('/') && text.bytes().all(in_path);
    fits.then(|| text.trim_end_matches('/').to_owned())
}
