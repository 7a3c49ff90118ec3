//! Version 3: who someone is, by password, application credential or token; for what, by project or trust or for
//! nothing; and the token for it.

use std::time::Duration;

use http::{HeaderName, StatusCode};
use serde_json::{Map, Value, json};

use super::catalog::{Service, services};
use super::people::{Who, is_project};
use super::{Failure, Version, document};
use crate::answer::{Answer, md5_hex, value};
use crate::options::Options;
use crate::server::Shared;

const X_SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");

/// What someone has shown.
struct Identity {
    who: Who,
    methods: Vec<String>,
    /// An application credential, which is for its project and no other scope.
    by_credential: bool,
    /// How long a token for it is good.
    life: Duration,
}

/// What a token is for.
#[derive(PartialEq, Eq)]
enum Scope {
    Nothing,
    Project,
    /// The trustor's project, in the name of the trustor.
    Trust,
}

/// Answers `auth` of a request to `/v3/auth/tokens`.
pub(super) fn sign_in(fake: &Shared, auth: &Value) -> Result<Answer, Failure> {
    let options = &fake.options;
    let identity = identify(fake, auth)?;
    let scope = scope(options, auth.get("scope"), &identity)?;
    let who = if scope == Scope::Trust { Who::User } else { identity.who };
    let account = (scope != Scope::Nothing).then(|| options.account());

    let mut state = fake.state();
    let token = state.tokens.keystone(who, account, identity.life);
    let issued = state.clock.now();
    drop(state);
    let mut told = Map::new();
    let mut tell = |name: &str, part| told.insert(name.to_owned(), part);
    tell("methods", json!(identity.methods));
    tell(
        "user",
        json!({
            "domain": {"id": "default", "name": "Default"},
            "id": who.id(options),
            "name": who.name(options),
            "password_expires_at": null,
        }),
    );
    tell("audit_ids", json!([md5_hex(token.as_bytes())]));
    tell("expires_at", json!(format!("{}Z", issued.after(identity.life).rounded_down().as_iso())));
    tell("issued_at", json!(format!("{}Z", issued.rounded_down().as_iso())));
    if scope != Scope::Nothing {
        tell(
            "project",
            json!({
                "domain": {"id": "default", "name": "Default"},
                "id": options.project_id(),
                "name": options.project,
            }),
        );
        tell("is_domain", json!(false));
        tell("roles", json!([{"id": "1", "name": "reader"}, {"id": "2", "name": "member"}]));
        let catalog = services(fake, Version::V3).map(|service| catalog_entry(&service, &options.region));
        tell("catalog", json!(catalog));
    }
    if scope == Scope::Trust {
        tell(
            "OS-TRUST:trust",
            json!({
                "id": options.trust_id(),
                "trustor_user": {"id": Who::User.id(options)},
                "trustee_user": {"id": Who::Trustee.id(options)},
                "impersonation": true,
            }),
        );
    }
    if identity.by_credential {
        tell(
            "application_credential",
            json!({
                "id": options.application_credential_id(),
                "name": options.application_credential,
                "restricted": true,
            }),
        );
    }
    Ok(document(StatusCode::CREATED, &json!({"token": told})).with(X_SUBJECT_TOKEN, value(&token)))
}

fn catalog_entry(service: &Service, region: &str) -> Value {
    let endpoint = |interface: &str, url: &str| {
        json!({
            "id": md5_hex(format!("{interface} {url}").as_bytes()),
            "interface": interface,
            "region": region,
            "region_id": region,
            "url": url,
        })
    };
    json!({
        "id": service.id,
        "type": service.kind,
        "name": service.name,
        "endpoints": [
            endpoint("public", &service.public),
            endpoint("internal", &service.internal),
            endpoint("admin", &service.admin),
        ],
    })
}

/// Who someone is. Each method that is named must agree.
fn identify(fake: &Shared, auth: &Value) -> Result<Identity, Failure> {
    let invalid = |text: &'static str| Failure::new(StatusCode::BAD_REQUEST, text);
    let identity = auth.get("identity").ok_or_else(|| invalid("'identity' is a required property"))?;
    let methods = identity.get("methods").and_then(Value::as_array);
    let methods = methods.ok_or_else(|| invalid("Invalid input for field 'identity/methods'"))?;
    let mut found: Option<Identity> = None;
    for method in methods {
        let method = method.as_str().unwrap_or_default();
        let given =
            identity.get(method).ok_or_else(|| Failure::expecting(&format!("{method} in identity")))?;
        let shown = match method {
            "password" => by_password(&fake.options, given),
            "application_credential" => by_credential(&fake.options, given),
            "token" => by_token(fake, given),
            _ => Err(Failure::new(
                StatusCode::UNAUTHORIZED,
                "Attempted to authenticate with an unsupported method.",
            )),
        }?;
        found = Some(match found {
            None => shown,
            Some(before) if before.who == shown.who => Identity {
                who: shown.who,
                methods: [before.methods, shown.methods].concat(),
                by_credential: before.by_credential || shown.by_credential,
                life: before.life.min(shown.life),
            },
            Some(_) => return Err(Failure::unauthorized()),
        });
    }
    found.ok_or_else(Failure::unauthorized)
}

fn by_password(options: &Options, given: &Value) -> Result<Identity, Failure> {
    let user = given.get("user").ok_or_else(|| Failure::expecting("user in None"))?;
    let who = Who::meant(options, user)?.check(options, user.get("password"))?;
    Ok(Identity { who, methods: vec!["password".into()], by_credential: false, life: options.token_life })
}

/// By id, or by name and user; an id that is unknown is told to be.
fn by_credential(options: &Options, given: &Value) -> Result<Identity, Failure> {
    match (given.get("id"), given.get("name")) {
        (Some(id), _) if *id == options.application_credential_id() => {}
        (Some(id), _) => {
            let id = id.as_str().unwrap_or_default();
            let text = format!("Could not find Application Credential: {id}.");
            return Err(Failure::new(StatusCode::NOT_FOUND, text));
        }
        (None, Some(name)) => {
            let user =
                given.get("user").ok_or_else(|| Failure::expecting("user in application credential"))?;
            if Who::meant(options, user)? != Who::User || *name != options.application_credential {
                return Err(Failure::unauthorized());
            }
        }
        (None, None) => return Err(Failure::expecting("name or ID in application credential")),
    }
    if given.get("secret").is_none_or(|secret| *secret != options.application_credential_secret) {
        return Err(Failure::unauthorized());
    }
    let methods = vec!["application_credential".into()];
    Ok(Identity { who: Who::User, methods, by_credential: true, life: options.token_life })
}

/// A token for a token, which is good no longer than the one before.
fn by_token(fake: &Shared, given: &Value) -> Result<Identity, Failure> {
    let text = given.get("id").and_then(Value::as_str);
    let text = text.ok_or_else(|| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            "Invalid input for field 'identity/token': 'id' is a required property",
        )
    })?;
    let known = fake.state().tokens.holder(text);
    let (who, life) =
        known.ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "Could not recognize Fernet token"))?;
    Ok(Identity { who, methods: vec!["token".into(), "password".into()], by_credential: false, life })
}

/// What a token is to be for, and whether it may be.
fn scope(options: &Options, wanted: Option<&Value>, identity: &Identity) -> Result<Scope, Failure> {
    const NO_SCOPE: &str = "Error authenticating with application credential: Application credentials cannot request \
                            a scope.";
    let Some(wanted) = wanted else {
        return Ok(if identity.by_credential { Scope::Project } else { Scope::Nothing });
    };
    if identity.by_credential {
        return Err(Failure::new(StatusCode::UNAUTHORIZED, NO_SCOPE));
    }
    if wanted == "unscoped" || wanted.get("unscoped").is_some() {
        return Ok(Scope::Nothing);
    }
    if let Some(project) = wanted.get("project") {
        let granted = is_project(options, project)? && identity.who == Who::User;
        return if granted { Ok(Scope::Project) } else { Err(Failure::unauthorized()) };
    }
    if let Some(trust) = wanted.get("OS-TRUST:trust") {
        let id = trust.get("id").ok_or_else(|| Failure::expecting("trust_id in trust"))?;
        if *id != options.trust_id() {
            return Err(Failure::unauthorized());
        }
        return if identity.who == Who::Trustee {
            Ok(Scope::Trust)
        } else {
            Err(Failure::new(
                StatusCode::FORBIDDEN,
                "You are not authorized to perform the requested action.",
            ))
        };
    }
    if wanted.get("domain").is_some() || wanted.get("system").is_some() {
        return Err(Failure::unauthorized());
    }
    Err(Failure::expecting("system, project, domain, OS-TRUST:trust or unscoped in scope"))
}
