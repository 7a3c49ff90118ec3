//! `proxy`

use std::time::Duration;

use super::common::duration;
use super::web_url;
use crate::section::Section;
use crate::{ConfigError, ProxyConfig, ProxyCredentials, Warning};

/// `None` where nothing at all is said.
pub(super) fn read(
    root: &mut Section,
    warnings: &mut Vec<Warning>,
) -> Result<Option<ProxyConfig>, ConfigError> {
    const REMOTE_URL: &str = "an http or https URL without credentials, such as https://registry-1.docker.io";
    let wanted = root.given("proxy").is_some();
    let mut section = root.section("proxy")?;
    if !wanted {
        return Ok(None);
    }
    let remote_url = section.parse("remoteurl", REMOTE_URL, |text| {
        web_url(text).map(|url| url.trim_end_matches('/').to_owned())
    })?;
    let namespace = section.text("remotenamespace")?;
    let proxy = ProxyConfig {
        remote_url: section.required("remoteurl", REMOTE_URL, remote_url)?,
        credentials: credentials(&mut section, warnings)?,
        remote_namespace: namespace.map(|namespace| namespace.trim_matches('/').to_owned()),
        ttl: match duration(&mut section, "ttl", warnings)? {
            None => Some(Duration::from_hours(168)),
            Some(ttl) => Some(ttl).filter(|ttl| !ttl.is_zero()),
        },
        cache_write_timeout: duration(&mut section, "cachewritetimeout", warnings)?
            .filter(|timeout| !timeout.is_zero())
            .unwrap_or(Duration::from_mins(5)),
    };
    section.finish(warnings);
    Ok(Some(proxy))
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
