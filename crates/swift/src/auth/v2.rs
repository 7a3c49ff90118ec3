//! Keystone's version 2.0 (OpenStack Identity API v2.0): a user with a password, for a tenant.

use apus_http_client::HttpClient;
use bytes::Bytes;
use http::{Request, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::catalog::{self, Endpoint};
use super::{AuthError, Grant, Validity, ask};
use crate::config::{Entity, Password, Scope, SwiftConfig};

/// `url` ends in `/v2.0`.
pub(super) async fn sign_in(
    http: &HttpClient,
    config: &SwiftConfig,
    url: &str,
    user: &Password,
    password: &SecretString,
) -> Result<Grant, AuthError> {
    let tokens = format!("{url}/tokens");
    let body = Bytes::from(request(user, password.expose_secret()).to_string());
    let answer = ask(http, &tokens, || {
        Request::post(&tokens)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body.clone().into())
    })
    .await?;
    if !answer.status.is_success() {
        return Err(answer.refused(&config.credentials));
    }
    let Envelope { access } = serde_json::from_slice(&answer.body).map_err(|error| {
        AuthError::Unexpected { url: tokens.clone(), reason: format!("its answer is no token: {error}") }
    })?;
    if access.token.tenant.is_none() {
        return Err(AuthError::NoProject { url: url.to_owned() });
    }
    let storage_url = match &config.storage_url {
        Some(url) => url.clone(),
        None => catalog::storage_url(&access.endpoints(), config, url)?,
    };
    let life = access.token.validity.life(answer.header("Date"));
    Ok(Grant { token: SecretString::from(access.token.id), storage_url, life })
}

fn request(user: &Password, password: &str) -> Value {
    let (tenant, credentials) = match &user.user {
        Entity::Id(id) => (None, json!({ "userId": id, "password": password })),
        Entity::Name { name, .. } => {
            // As python-swiftclient does, where no tenant is given.
            let (tenant, name) = match name.split_once(':') {
                Some((tenant, name)) if user.scope == Scope::Unsaid => (Some(tenant), name),
                _ => (None, name.as_str()),
            };
            (tenant, json!({ "username": name, "password": password }))
        }
    };
    let mut auth = Map::from_iter([("passwordCredentials".to_owned(), credentials)]);
    let tenant = match &user.scope {
        Scope::Project(Entity::Id(id)) => Some(("tenantId", id.as_str())),
        Scope::Project(Entity::Name { name, .. }) => Some(("tenantName", name.as_str())),
        Scope::Unsaid | Scope::Trust(_) => tenant.map(|tenant| ("tenantName", tenant)),
    };
    auth.extend(tenant.map(|(key, tenant)| (key.to_owned(), tenant.into())));
    json!({ "auth": auth })
}

#[derive(Deserialize)]
struct Envelope {
    access: Access,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    token: Token,
    #[serde(default)]
    service_catalog: Vec<Service>,
}

#[derive(Deserialize)]
struct Token {
    id: String,
    tenant: Option<Value>,
    #[serde(flatten)]
    validity: Validity,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Addresses>,
}

/// The addresses of a service in a region.
#[derive(Deserialize)]
struct Addresses {
    region: Option<String>,
    #[serde(rename = "publicURL")]
    public: Option<String>,
    #[serde(rename = "internalURL")]
    internal: Option<String>,
    #[serde(rename = "adminURL")]
    admin: Option<String>,
}

impl Access {
    fn endpoints(&self) -> Vec<Endpoint> {
        let services = self.service_catalog.iter().filter(|service| service.kind == "object-store");
        services
            .flat_map(|service| &service.endpoints)
            .flat_map(|addresses| {
                let Addresses { region, public, internal, admin } = addresses;
                let all = [("public", public), ("internal", internal), ("admin", admin)];
                all.into_iter().filter_map(|(interface, url)| {
                    let regions = region.iter().cloned().collect();
                    Some(Endpoint { interface: interface.to_owned(), regions, url: url.clone()? })
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
