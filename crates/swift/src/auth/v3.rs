//! Version 3: Keystone. A password for a token, scoped to a project, whose catalog says where the object store is
//! (OpenStack, "Identity API v3", password authentication with scoped authorization).

use std::time::Duration;

use apus_http_client::HttpClient;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AuthError, Grant, ask};
use crate::config::SwiftConfig;

/// `url` ends in `/v3`.
pub(super) async fn sign_in(http: &HttpClient, config: &SwiftConfig, url: &str) -> Result<Grant, AuthError> {
    let tokens = format!("{url}/auth/tokens");
    let body = Bytes::from(request(config).to_string());
    let answer = ask(http, &tokens, || {
        Request::post(&tokens)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body.clone().into())
    })
    .await?;
    if answer.status != StatusCode::CREATED {
        return Err(answer.refused(config.user_id.as_deref().unwrap_or(&config.user)));
    }
    let unexpected = |reason: String| AuthError::Unexpected { url: tokens.clone(), reason };
    let secret = answer
        .header("X-Subject-Token")
        .ok_or_else(|| unexpected("it answered without X-Subject-Token".to_owned()))?;
    let envelope: Envelope = serde_json::from_slice(&answer.body)
        .map_err(|error| unexpected(format!("its answer is no token: {error}")))?;
    let storage_url = match &config.storage_url {
        Some(url) => url.clone(),
        None => endpoint(&envelope.token, config, url)?,
    };
    Ok(Grant { token: SecretString::from(secret), storage_url, life: life(&envelope.token) })
}

fn request(config: &SwiftConfig) -> Value {
    let password = config.password.expose_secret();
    let user = if let Some(id) = &config.user_id {
        json!({ "id": id, "password": password })
    } else {
        let domain = domain(&[(&config.domain, &config.domain_id)]);
        json!({ "name": config.user, "domain": domain, "password": password })
    };
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    match scope(config) {
        Some(scope) => json!({ "auth": { "identity": identity, "scope": scope } }),
        None => json!({ "auth": { "identity": identity } }),
    }
}

/// Without a project, Keystone takes the one that it knows the user to be of, if it knows one.
fn scope(config: &SwiftConfig) -> Option<Value> {
    if let Some(id) = &config.tenant_id {
        return Some(json!({ "project": { "id": id } }));
    }
    let name = config.tenant.as_ref()?;
    let domain =
        domain(&[(&config.tenant_domain, &config.tenant_domain_id), (&config.domain, &config.domain_id)]);
    Some(json!({ "project": { "name": name, "domain": domain } }))
}

/// The first domain that has a name or an identifier, the name first, as registry:2 has it.
fn domain(candidates: &[(&Option<String>, &Option<String>)]) -> Value {
    for (name, id) in candidates {
        if let Some(name) = name {
            return json!({ "name": name });
        }
        if let Some(id) = id {
            return json!({ "id": id });
        }
    }
    json!({ "name": "Default" })
}

#[derive(Deserialize)]
struct Envelope {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    expires_at: Option<String>,
    issued_at: Option<String>,
    #[serde(default)]
    catalog: Vec<Service>,
    project: Option<Value>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    interface: String,
    region: Option<String>,
    region_id: Option<String>,
    url: String,
}

/// By Keystone's clock from beginning to end, so that ours need not agree with it.
fn life(token: &Token) -> Option<Duration> {
    let expires: Timestamp = token.expires_at.as_ref()?.parse().ok()?;
    let issued = token.issued_at.as_ref().and_then(|issued| issued.parse().ok());
    expires.duration_since(issued.unwrap_or_else(Timestamp::now)).try_into().ok()
}

fn endpoint(token: &Token, config: &SwiftConfig, url: &str) -> Result<String, AuthError> {
    let url = url.to_owned();
    let endpoints: Vec<&Endpoint> = token
        .catalog
        .iter()
        .filter(|service| service.kind == "object-store")
        .flat_map(|service| &service.endpoints)
        .collect();
    if endpoints.is_empty() {
        return Err(if token.project.is_none() {
            AuthError::NoProject { url }
        } else {
            AuthError::NoObjectStore { url }
        });
    }
    let interface = config.interface.as_str();
    let found = endpoints.iter().find(|endpoint| {
        let in_region = config.region.as_ref().is_none_or(|region| {
            endpoint.region.as_ref() == Some(region) || endpoint.region_id.as_ref() == Some(region)
        });
        endpoint.interface == interface && in_region
    });
    if let Some(endpoint) = found {
        return Ok(endpoint.url.clone());
    }
    let wanted = match &config.region {
        Some(region) => format!("{interface} {region}"),
        None => interface.to_owned(),
    };
    let offered = endpoints.iter().map(|endpoint| {
        let region = endpoint.region_id.as_ref().or(endpoint.region.as_ref());
        format!("{} {}", endpoint.interface, region.map_or("without a region", String::as_str))
    });
    Err(AuthError::NoEndpoint { url, wanted, offered: offered.collect::<Vec<_>>().join(", ") })
}

#[cfg(test)]
mod tests;
