//! Version 2.0: a user by password, a tenant (which is what it calls a project) or none, and one endpoint of each
//! service with all three addresses in it.
//!
//! No Keystone of today has it; this is as its documentation has it, and as Keystone was up to Pike.

use http::StatusCode;
use serde_json::{Value, json};

use super::catalog::services;
use super::people::Who;
use super::{Failure, Version, document};
use crate::answer::{Answer, md5_hex};
use crate::options::Options;
use crate::server::Shared;

/// Answers `auth` of a request to `/v2.0/tokens`.
pub(super) fn sign_in(fake: &Shared, auth: &Value) -> Result<Answer, Failure> {
    let options = &fake.options;
    let (who, life) = if let Some(given) = auth.get("passwordCredentials") {
        (by_password(options, given)?, options.token_life)
    } else if let Some(token) = auth.get("token") {
        let text = token.get("id").ok_or_else(|| Failure::expecting("id in token"))?;
        let known = fake.state().tokens.holder(text.as_str().unwrap_or_default());
        known.ok_or_else(Failure::unauthorized)?
    } else {
        return Err(Failure::expecting("passwordCredentials or token in auth"));
    };
    let scoped = wants_tenant(options, auth)?;
    if scoped && who != Who::User {
        return Err(Failure::unauthorized());
    }

    let mut state = fake.state();
    let token = state.tokens.keystone(who, scoped.then(|| options.account()), life);
    let issued = state.clock.now();
    drop(state);
    let mut told = json!({
        "issued_at": issued.as_iso(),
        "expires": format!("{}Z", issued.after(life).as_iso().split('.').next().unwrap_or_default()),
        "id": token,
        "audit_ids": [md5_hex(token.as_bytes())],
    });
    let (mut catalog, mut roles) = (Vec::new(), Vec::new());
    if scoped && let Some(told) = told.as_object_mut() {
        let tenant = json!({
            "id": options.project_id(),
            "name": options.project,
            "description": null,
            "enabled": true,
        });
        told.insert("tenant".to_owned(), tenant);
        roles.push(json!({"name": "member"}));
        catalog.extend(services(fake, Version::V2).map(|service| {
            json!({
                "type": service.kind,
                "name": service.name,
                "endpoints_links": [],
                "endpoints": [{
                    "id": service.id,
                    "region": options.region,
                    "publicURL": service.public,
                    "internalURL": service.internal,
                    "adminURL": service.admin,
                }],
            })
        }));
    }
    let user = json!({
        "id": who.id(options),
        "name": who.name(options),
        "username": who.name(options),
        "roles": roles,
        "roles_links": [],
    });
    let access = json!({
        "token": told,
        "serviceCatalog": catalog,
        "user": user,
        "metadata": {"is_admin": 0, "roles": []},
    });
    Ok(document(StatusCode::OK, &json!({"access": access})))
}

fn by_password(options: &Options, given: &Value) -> Result<Who, Failure> {
    let who = match (given.get("userId"), given.get("username")) {
        (Some(id), _) => Who::with_id(options, id),
        (None, Some(name)) => Who::with_name(options, name),
        (None, None) => return Err(Failure::expecting("username or userId in passwordCredentials")),
    };
    let password =
        given.get("password").ok_or_else(|| Failure::expecting("password in passwordCredentials"))?;
    who.ok_or_else(Failure::unauthorized)?.check(options, Some(password))
}

/// Whether the token is to be for the tenant, by id or by name; if neither is given, it is for none.
fn wants_tenant(options: &Options, auth: &Value) -> Result<bool, Failure> {
    let is_meant = match (auth.get("tenantId"), auth.get("tenantName")) {
        (Some(id), _) => *id == options.project_id(),
        (None, Some(name)) => *name == options.project,
        (None, None) => return Ok(false),
    };
    if is_meant { Ok(true) } else { Err(Failure::unauthorized()) }
}
