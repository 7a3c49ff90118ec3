//! `proxy`

use std::time::Duration;

use ::http::Uri;

use super::common::{duration, sections};
use super::http::{NETWORKS, network};
use super::web_url;
use crate::section::Section;
use crate::{ConfigError, ProxyConfig, ProxyCredentials, UpstreamConfig, Warning};

const REMOTE_URL: &str = "an http or https URL without credentials, such as https://registry-1.docker.io";
const PREFIX: &str = "the beginning of repositories' names, such as quay.io";

/// `None` where nothing at all is said.
pub(super) fn read(
    root: &mut Section,
    warnings: &mut Vec<Warning>,
) -> Result<Option<ProxyConfig>, ConfigError> {
    let wanted = root.given("proxy");
    let mut section = root.section("proxy")?;
    let Some(key) = wanted else { return Ok(None) };
    let cache_write_timeout = duration(&mut section, "cachewritetimeout", warnings)?
        .filter(|timeout| !timeout.is_zero())
        .unwrap_or(Duration::from_mins(5));
    let kept = Kept {
        ttl: duration(&mut section, "ttl", warnings)?.unwrap_or(Duration::from_hours(168)),
        freshness: duration(&mut section, "freshness", warnings)?.unwrap_or_default(),
    };
    let others = sections(&mut section, "upstreams", "a list of registries", |mut item| {
        let prefix = item.parse("prefix", PREFIX, prefix)?;
        let prefix = item.required("prefix", PREFIX, prefix)?;
        let upstream = UpstreamConfig { prefix: Some(prefix), ..upstream(&mut item, kept, warnings)? };
        item.finish(warnings);
        Ok(upstream)
    })?;
    // Whatever else is said of the one without a prefix, it has to have a URL.
    let has_first = others.is_empty() || OF_THE_FIRST.iter().any(|key| section.given(key).is_some());
    let first = if has_first { Some(upstream(&mut section, kept, warnings)?) } else { None };
    section.finish(warnings);
    let upstreams: Vec<UpstreamConfig> = first.into_iter().chain(others).collect();
    unlike_each_other(&upstreams).map_err(|reason| key.unsupported(&reason))?;
    Ok(Some(ProxyConfig { upstreams, cache_write_timeout }))
}

/// The keys that say that there is a registry without a prefix.
const OF_THE_FIRST: [&str; 8] =
    ["remoteurl", "username", "password", "exec", "remotenamespace", "ns", "tokenservers", "allowednetworks"];

/// What is said once for all registries that do not say otherwise.
#[derive(Clone, Copy)]
struct Kept {
    /// Zero is for ever.
    ttl: Duration,
    freshness: Duration,
}

fn upstream(
    section: &mut Section,
    kept: Kept,
    warnings: &mut Vec<Warning>,
) -> Result<UpstreamConfig, ConfigError> {
    let remote_url = section.parse("remoteurl", REMOTE_URL, |text| {
        web_url(text).map(|url| url.trim_end_matches('/').to_owned())
    })?;
    let remote_url = section.required("remoteurl", REMOTE_URL, remote_url)?;
    let namespace = section.text("remotenamespace")?;
    let ns = section.texts("ns")?;
    Ok(UpstreamConfig {
        prefix: None,
        ns: if ns.is_empty() { default_ns(&remote_url) } else { ns },
        remote_url,
        credentials: credentials(section, warnings)?,
        remote_namespace: namespace.map(|namespace| namespace.trim_matches('/').to_owned()),
        ttl: Some(duration(section, "ttl", warnings)?.unwrap_or(kept.ttl)).filter(|ttl| !ttl.is_zero()),
        freshness: duration(section, "freshness", warnings)?.unwrap_or(kept.freshness),
        token_servers: section.texts("tokenservers")?,
        allowed_networks: section.list("allowednetworks", NETWORKS, network)?.unwrap_or_default(),
    })
}

/// What containerd calls a registry of this URL: its host and port, and Docker Hub by the name that it has for its users.
fn default_ns(url: &str) -> Vec<String> {
    let uri = url.parse::<Uri>().ok();
    let authority = uri.as_ref().and_then(Uri::authority).map(|authority| authority.as_str().to_lowercase());
    let hub = (authority.as_deref() == Some("registry-1.docker.io")).then(|| "docker.io".to_owned());
    hub.into_iter().chain(authority).collect()
}

/// Components of repositories' names, as the registry's own grammar has them.
fn prefix(text: &str) -> Option<String> {
    let text = text.trim_matches('/');
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let component = |component: &str| {
        let bytes = component.as_bytes();
        bytes.first().copied().is_some_and(letter)
            && bytes.last().copied().is_some_and(letter)
            && bytes.iter().all(|byte| letter(*byte) || b"._-".contains(byte))
    };
    text.split('/').all(component).then(|| text.to_owned())
}

/// What a client asks for must mean one registry.
fn unlike_each_other(upstreams: &[UpstreamConfig]) -> Result<(), String> {
    for (at, upstream) in upstreams.iter().enumerate() {
        for other in upstreams.iter().take(at) {
            if upstream.prefix == other.prefix {
                let prefix = upstream.prefix.as_deref().unwrap_or_default();
                return Err(format!("two registries have the prefix {prefix:?}"));
            }
            let same = |ns: &&String| other.ns.iter().any(|other| other.eq_ignore_ascii_case(ns));
            if let Some(ns) = upstream.ns.iter().find(same) {
                return Err(format!("two registries have the ns {ns:?}; say of each which it answers to"));
            }
        }
    }
    Ok(())
}

fn credentials(
    section: &mut Section,
    warnings: &mut Vec<Warning>,
) -> Result<Option<ProxyCredentials>, ConfigError> {
    let exec_key = section.given("exec");
    let mut exec = section.section("exec")?;
    let command = exec.text("command")?;
    let lifetime = duration(&mut exec, "lifetime", warnings)?;
    let username = section.text("username")?;
    let password = section.secret("password")?;
    if let Some(key) = exec_key {
        if username.is_some() || password.is_some() {
            return Err(key.unsupported("given beside \"username\" and \"password\"; remove one of them"));
        }
        let command = exec.required("command", "a Docker credential helper", command)?;
        exec.finish(warnings);
        return Ok(Some(ProxyCredentials::Helper { command, lifetime }));
    }
    exec.finish(warnings);
    if username.is_none() && password.is_none() {
        return Ok(None);
    }
    Ok(Some(ProxyCredentials::Password {
        username: section.required("username", "the name of a user at the other registry", username)?,
        password: section.required("password", "the user's password", password)?,
    }))
}
