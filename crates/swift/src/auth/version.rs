//! Which way to sign in, and at which URL: by the configuration, by the URL, or by asking there.
//!
//! Version 1 is never found by asking: what is no Keystone may be anything, and would be given the password.

use apus_http_client::{HttpClient, RequestBody};
use http::{Request, Uri, header};
use serde::Deserialize;

use super::{AuthError, ask};
use crate::config::{AuthVersion, Credentials, SwiftConfig};

/// A way to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) version: AuthVersion,
    /// Of version 1 the very URL; it ends in `/v2.0` or `/v3` for the others.
    pub(super) url: String,
}

pub(super) async fn discover(http: &HttpClient, config: &SwiftConfig) -> Result<Way, AuthError> {
    match told(config) {
        Some(way) => Ok(way),
        None => asked(http, config).await,
    }
}

/// What the configuration says, be it by the end of the URL.
fn told(config: &SwiftConfig) -> Option<Way> {
    let (told, base) = AuthVersion::told_by(&config.auth_url);
    let version = config.auth_version.or(told)?;
    Some(match version {
        AuthVersion::V1 => Way { version, url: config.auth_url.clone() },
        AuthVersion::V2 | AuthVersion::V3 => Way { version, url: format!("{base}{}", end(version)) },
    })
}

fn end(version: AuthVersion) -> &'static str {
    match version {
        AuthVersion::V1 => "",
        AuthVersion::V2 => "/v2.0",
        AuthVersion::V3 => "/v3",
    }
}

/// The document with which Keystone answers at its root: one version, or several under `values`.
#[derive(Deserialize)]
struct Document {
    version: Option<Version>,
    versions: Option<Versions>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Versions {
    Wrapped { values: Vec<Version> },
    Bare(Vec<Version>),
}

#[derive(Deserialize)]
struct Version {
    id: String,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    rel: String,
    href: String,
}

async fn asked(http: &HttpClient, config: &SwiftConfig) -> Result<Way, AuthError> {
    let url = &config.auth_url;
    let answer = ask(http, url, || {
        Request::get(url).header(header::ACCEPT, "application/json").body(RequestBody::empty())
    })
    .await?;
    let document: Document = serde_json::from_slice(&answer.body).map_err(|_| {
        let reason = format!("GET there answered {}, without a list of Keystone's versions", answer.status);
        AuthError::NoVersion { url: url.clone(), reason }
    })?;
    highest(document, url, &config.credentials)
}

/// The highest version that is offered, or why it is of no use: it is not given up for a lower one.
fn highest(document: Document, url: &str, credentials: &Credentials) -> Result<Way, AuthError> {
    let versions = match document.versions {
        Some(Versions::Wrapped { values } | Versions::Bare(values)) => values,
        None => Vec::new(),
    };
    let versions: Vec<Version> = document.version.into_iter().chain(versions).collect();
    let offered = |begin: &str| {
        let is_it = |version: &&Version| version.id == begin || version.id.starts_with(&format!("{begin}."));
        versions.iter().find(is_it)
    };
    let no_version = |reason: String| Err(AuthError::NoVersion { url: url.to_owned(), reason });
    let (version, found) = match (offered("v3"), offered("v2")) {
        (Some(found), _) => (AuthVersion::V3, found),
        (None, Some(found)) => (AuthVersion::V2, found),
        (None, None) => {
            let ids: Vec<_> = versions.iter().map(|version| &version.id).collect();
            return no_version(format!(
                "GET there lists the versions {ids:?}, and neither 2 nor 3 is among them"
            ));
        }
    };
    match credentials.check_version(version) {
        Ok(()) => Ok(Way { version, url: address(found, url, version) }),
        Err(reason) => {
            no_version(format!("GET there lists {} as the highest version, and {reason}", found.id))
        }
    }
}

/// Where a version is, as its own link says. Only its path is taken: behind a proxy it often names an inner host or the
/// wrong scheme, and the password goes to nobody whom the operator has not named.
fn address(version: &Version, asked: &str, wanted: AuthVersion) -> String {
    let link = version.links.iter().find(|link| link.rel == "self");
    let linked = link.and_then(|link| {
        let (link, asked): (Uri, Uri) = (link.href.parse().ok()?, asked.parse().ok()?);
        let same_host = link.host().is_none_or(|host| Some(host) == asked.host());
        let (told, _) = AuthVersion::told_by(link.path());
        (same_host && told == Some(wanted)).then(|| {
            let (scheme, authority) = (asked.scheme_str().unwrap_or("http"), asked.authority());
            let authority = authority.map_or("", |authority| authority.as_str());
            format!("{scheme}://{authority}{}", link.path().trim_end_matches('/'))
        })
    });
    linked.unwrap_or_else(|| format!("{}{}", asked.trim_end_matches('/'), end(wanted)))
}

#[cfg(test)]
mod tests;
