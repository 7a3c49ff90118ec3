//! Version 1: one GET with user and key in headers. TempAuth, Ceph RGW, and many that imitate them.

use std::time::Duration;

use apus_http_client::{HttpClient, RequestBody};
use http::{HeaderValue, Request};
use secrecy::{ExposeSecret, SecretString};

use super::{AuthError, Grant, ask};
use crate::config::{Password, SwiftConfig};

pub(super) async fn sign_in(
    http: &HttpClient,
    config: &SwiftConfig,
    url: &str,
    user: &Password,
    key: &SecretString,
) -> Result<Grant, AuthError> {
    let answer = ask(http, url, || {
        let mut key = HeaderValue::from_bytes(key.expose_secret().as_bytes())?;
        key.set_sensitive(true);
        Request::get(url)
            .header("X-Auth-User", user.user.text().as_bytes())
            .header("X-Auth-Key", key)
            .body(RequestBody::empty())
    })
    .await?;
    if !answer.status.is_success() {
        return Err(answer.refused(&config.credentials));
    }
    let unexpected = |reason: &str| AuthError::Unexpected { url: url.to_owned(), reason: reason.to_owned() };
    // Some Ceph RGW give only the second.
    let token = answer.header("X-Auth-Token").or_else(|| answer.header("X-Storage-Token"));
    let token = token.ok_or_else(|| unexpected("it answered without X-Auth-Token"))?;
    let storage_url = match &config.storage_url {
        Some(url) => url.as_str(),
        None => {
            answer.header("X-Storage-Url").ok_or_else(|| unexpected("it answered without X-Storage-Url"))?
        }
    };
    let life = answer.header("X-Auth-Token-Expires").and_then(|seconds| seconds.parse().ok());
    Ok(Grant {
        token: SecretString::from(token),
        storage_url: storage_url.to_owned(),
        life: life.map(Duration::from_secs),
    })
}
