//! Which way to sign in, and at which URL: by the configuration, by the URL, or by asking there.

use apus_http_client::{HttpClient, RequestBody};
use http::Request;
use serde::Deserialize;

use super::{AuthError, ask};
use crate::config::{AuthVersion, SwiftConfig};

/// A way to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    V1 {
        url: String,
    },
    /// The URL ends in `/v3`.
    V3 {
        url: String,
    },
}

impl Way {
    fn v3(auth_url: &str) -> Self {
        let url = auth_url.trim_end_matches('/');
        let url = url.strip_suffix("/auth/tokens").unwrap_or(url);
        let base = url.strip_suffix("/v3").unwrap_or(url);
        Self::V3 { url: format!("{base}/v3") }
    }
}

pub(super) async fn discover(http: &HttpClient, config: &SwiftConfig) -> Result<Way, AuthError> {
    match told(config)? {
        Some(way) => Ok(way),
        None => asked(http, &config.auth_url).await,
    }
}

/// What the configuration says, be it by a segment of the URL's path: a host may be named `v1.example`.
fn told(config: &SwiftConfig) -> Result<Option<Way>, AuthError> {
    let url = &config.auth_url;
    let v1 = || Way::V1 { url: url.clone() };
    match config.auth_version {
        Some(AuthVersion::V1) => return Ok(Some(v1())),
        Some(AuthVersion::V3) => return Ok(Some(Way::v3(url))),
        None => {}
    }
    let path =
        url.split_once("://").map_or("", |(_, rest)| rest).split_once('/').map_or("", |(_, path)| path);
    for segment in path.split('/') {
        match segment {
            "v3" => return Ok(Some(Way::v3(url))),
            "v1" | "v1.0" | "v1.1" => return Ok(Some(v1())),
            "v2" | "v2.0" => {
                return Err(AuthError::NoVersion {
                    url: url.clone(),
                    reason: "it is for version 2 of the identity service, which is not supported".to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(None)
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
}

async fn asked(http: &HttpClient, url: &str) -> Result<Way, AuthError> {
    let answer = ask(http, url, || {
        Request::get(url).header(http::header::ACCEPT, "application/json").body(RequestBody::empty())
    })
    .await?;
    let no_version = |reason: String| AuthError::NoVersion { url: url.to_owned(), reason };
    let document: Document = serde_json::from_slice(&answer.body).map_err(|_| {
        no_version(format!("it answered {} without a list of Keystone's versions", answer.status))
    })?;
    let versions = match document.versions {
        Some(Versions::Wrapped { values } | Versions::Bare(values)) => values,
        None => Vec::new(),
    };
    let ids: Vec<String> = document.version.into_iter().chain(versions).map(|version| version.id).collect();
    if ids.iter().any(|id| id == "v3" || id.starts_with("v3.")) {
        Ok(Way::v3(url))
    } else {
        Err(no_version(format!("it lists the versions {ids:?}, and 3 is not among them")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_url(url: &str, version: Option<AuthVersion>) -> SwiftConfig {
        let mut config = SwiftConfig::new(url, "user", "secret", "registry");
        config.auth_version = version;
        config
    }

    #[test]
    fn urls_say_what_they_are() {
        let v1 = |url: &str| Some(Way::V1 { url: url.to_owned() });
        let v3 = |url: &str| Some(Way::V3 { url: url.to_owned() });
        let cases = [
            ("http://h/auth/v1.0", None, v1("http://h/auth/v1.0")),
            ("http://h/auth/v1.0/", None, v1("http://h/auth/v1.0/")),
            ("http://h/auth", Some(AuthVersion::V1), v1("http://h/auth")),
            ("http://h/auth", None, None),
            ("http://v1.example:5000", None, None),
            ("http://zxcv1.example/identity", None, None),
            ("http://h:5000/v3", None, v3("http://h:5000/v3")),
            ("http://h:5000/v3/", None, v3("http://h:5000/v3")),
            ("http://h/identity/v3/auth/tokens", None, v3("http://h/identity/v3")),
            ("http://h:5000", Some(AuthVersion::V3), v3("http://h:5000/v3")),
            ("http://h:5000/", Some(AuthVersion::V3), v3("http://h:5000/v3")),
            ("http://h/v1/keystone", Some(AuthVersion::V3), v3("http://h/v1/keystone/v3")),
        ];
        for (url, version, way) in cases {
            assert_eq!(told(&with_url(url, version)).unwrap(), way, "{url}");
        }
        told(&with_url("http://h:5000/v2.0", None)).unwrap_err();
    }
}
