//! `http`

use std::time::Duration;

use super::web_url;
use crate::section::{Field, Section};
use crate::tree::Value;
use crate::{ConfigError, HttpConfig, ListenAddress, Warning, quantity};

pub(super) fn read(mut section: Section, warnings: &mut Vec<Warning>) -> Result<HttpConfig, ConfigError> {
    const ADDR: &str = "host:port, such as 127.0.0.1:5000, :5000 or [::1]:5000";
    const HOST: &str = "an http or https URL without credentials, such as https://registry.example";
    const PREFIX: &str = "a path that begins with a slash, such as /registry/";
    const DRAIN_TIMEOUT: &str = "a duration, such as 30s or 1m30s";

    section.refuse(
        "tls",
        "refusing to start: this version does not speak TLS, so everything would travel in the clear; \
         remove this section and let a proxy in front of the registry speak TLS",
    )?;
    if let Some(net) = section.take("net").filter(|net| net.node.is_set()) {
        tcp_only(&net)?;
    }
    for (name, reason) in [
        ("debug", "there is no debug server"),
        ("h2c", "whether HTTP/2 is spoken is not to be chosen"),
        ("headers", "no extra headers are sent"),
        ("http2", "whether HTTP/2 is spoken is not to be chosen"),
    ] {
        section.not_obeyed(name, reason, warnings);
    }

    let default = HttpConfig::default();
    let drain_key = section.given("draintimeout");
    let http = HttpConfig {
        addr: section.parse("addr", ADDR, ListenAddress::parse)?.unwrap_or(default.addr),
        secret: section.secret("secret")?,
        relative_urls: section.boolean("relativeurls")?.unwrap_or(default.relative_urls),
        host: section.parse("host", HOST, external_url)?,
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
