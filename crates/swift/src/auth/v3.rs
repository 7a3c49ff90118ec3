//! Keystone's version 3 (OpenStack Identity API v3): a user with a password, an application credential or a token, for a
//! project or by a trust. The answer has the token in a header, and the catalog of the project's services.

use apus_http_client::{HttpClient, RequestBody};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::catalog::{self, Endpoint};
use super::{Answer, AuthError, Grant, Validity, ask};
use crate::config::{
    ApplicationCredential, Credentials, Domain, Entity, Password, Scope, SwiftConfig, Token as GivenToken,
};

/// `url` ends in `/v3`.
pub(super) async fn sign_in(
    http: &HttpClient,
    config: &SwiftConfig,
    url: &str,
    secret: &SecretString,
) -> Result<Grant, AuthError> {
    let tokens = format!("{url}/auth/tokens");
    let answer = match request(&config.credentials, secret.expose_secret()) {
        Some(request) => make(http, &tokens, &request).await?,
        None => look_at(http, &tokens, secret).await?,
    };
    match answer.status {
        StatusCode::CREATED | StatusCode::OK => {}
        StatusCode::NOT_FOUND if may_not_be_found(&config.credentials) => {
            return Err(answer.refused_if_keystone_says_why(&config.credentials));
        }
        _ => return Err(answer.refused(&config.credentials)),
    }
    let unexpected = |reason: String| AuthError::Unexpected { url: tokens.clone(), reason };
    let subject = answer
        .header("X-Subject-Token")
        .ok_or_else(|| unexpected("it answered without X-Subject-Token".to_owned()))?;
    let Envelope { token } = serde_json::from_slice(&answer.body)
        .map_err(|error| unexpected(format!("its answer is no token: {error}")))?;
    if token.project.is_none() {
        return Err(AuthError::NoProject { url: url.to_owned() });
    }
    let storage_url = match &config.storage_url {
        Some(url) => url.clone(),
        None => catalog::storage_url(&token.endpoints(), config, url)?,
    };
    let life = token.validity.life(answer.header("Date"));
    Ok(Grant { token: SecretString::from(subject), storage_url, life })
}

/// Of a token, an application credential or a trust that it does not know Keystone says that it is not found; of users and
/// projects it does not.
fn may_not_be_found(credentials: &Credentials) -> bool {
    match credentials {
        Credentials::Password(Password { scope, .. }) => matches!(scope, Scope::Trust(_)),
        Credentials::ApplicationCredential(_) | Credentials::Token(_) => true,
    }
}

/// Makes a token.
async fn make(http: &HttpClient, url: &str, request: &Value) -> Result<Answer, AuthError> {
    let body = Bytes::from(request.to_string());
    ask(http, url, || {
        Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body.clone().into())
    })
    .await
}

/// Asks what a token is good for. The answer is as if it had just been made.
async fn look_at(http: &HttpClient, url: &str, token: &SecretString) -> Result<Answer, AuthError> {
    ask(http, url, || {
        let mut token = HeaderValue::from_str(token.expose_secret())?;
        token.set_sensitive(true);
        Request::get(url)
            .header("X-Auth-Token", token.clone())
            .header("X-Subject-Token", token)
            .header(header::ACCEPT, "application/json")
            .body(RequestBody::empty())
    })
    .await
}

/// What makes a token of these credentials; `None` when they are one already.
fn request(credentials: &Credentials, secret: &str) -> Option<Value> {
    let (identity, scope) = match credentials {
        Credentials::Password(Password { user, scope, .. }) => {
            let mut user_and_password = entity(user, None);
            user_and_password.insert("password".to_owned(), secret.into());
            let scope = match scope {
                Scope::Unsaid => None,
                Scope::Project(project) => Some(json!({ "project": entity(project, user.domain()) })),
                Scope::Trust(id) => Some(json!({ "OS-TRUST:trust": { "id": id } })),
            };
            (json!({ "methods": ["password"], "password": { "user": user_and_password } }), scope)
        }
        Credentials::ApplicationCredential(credential) => {
            let credential = match credential {
                ApplicationCredential::Id { id, .. } => json!({ "id": id, "secret": secret }),
                ApplicationCredential::Name { name, user, .. } => {
                    json!({ "name": name, "user": entity(user, None), "secret": secret })
                }
            };
            let method = "application_credential";
            (json!({ "methods": [method], method: credential }), None)
        }
        Credentials::Token(GivenToken { project, .. }) => {
            let scope = json!({ "project": entity(project.as_ref()?, None) });
            (json!({ "methods": ["token"], "token": { "id": secret } }), Some(scope))
        }
    };
    Some(match scope {
        Some(scope) => json!({ "auth": { "identity": identity, "scope": scope } }),
        None => json!({ "auth": { "identity": identity } }),
    })
}

/// A user or a project; one by name needs a domain, its own, or this one, or the one that every Keystone begins with.
fn entity(entity: &Entity, domain: Option<&Domain>) -> Map<String, Value> {
    match entity {
        Entity::Id(id) => Map::from_iter([("id".to_owned(), id.as_str().into())]),
        Entity::Name { name, domain: own } => {
            let domain = match own.as_ref().or(domain) {
                Some(Domain::Id(id)) => json!({ "id": id }),
                Some(Domain::Name(name)) => json!({ "name": name }),
                None => json!({ "name": "Default" }),
            };
            Map::from_iter([("name".to_owned(), name.as_str().into()), ("domain".to_owned(), domain)])
        }
    }
}

#[derive(Deserialize)]
struct Envelope {
    token: Token,
}

#[derive(Deserialize)]
struct Token {
    #[serde(flatten)]
    validity: Validity,
    #[serde(default)]
    catalog: Vec<Service>,
    project: Option<Value>,
}

#[derive(Deserialize)]
struct Service {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    endpoints: Vec<Address>,
}

#[derive(Deserialize)]
struct Address {
    interface: String,
    region_id: Option<String>,
    region: Option<String>,
    url: String,
}

impl Token {
    fn endpoints(&self) -> Vec<Endpoint> {
        let services = self.catalog.iter().filter(|service| service.kind == "object-store");
        services
            .flat_map(|service| &service.endpoints)
            .map(|Address { interface, region_id, region, url }| Endpoint {
                interface: interface.clone(),
                regions: region_id.iter().chain(region).cloned().collect(),
                url: url.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
