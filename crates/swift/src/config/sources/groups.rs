//! What the settings of one source mean, a group at a time: who signs in, for what, to which endpoint, over which TLS. A
//! group of which nothing is said is `None`.

use std::path::PathBuf;

use apus_http_client::{ClientCertificate, Tls};

use super::settings::{Setting, Settings};
use crate::config::{
    ApplicationCredential, AuthVersion, ConfigError, Credentials, Domain, Entity, Interface, Password, Scope,
    Token, check_url,
};

/// Who signs in, and where.
pub(super) struct Identity {
    pub(super) auth_url: String,
    pub(super) version: Option<AuthVersion>,
    /// Without a project.
    pub(super) credentials: Credentials,
}

/// Which address of the object store.
pub(super) struct Endpoint {
    pub(super) region: Option<String>,
    pub(super) interface: Interface,
    pub(super) storage_url: Option<String>,
}

const USER: [&str; 2] = ["user_id", "username"];
const PASSWORD: [&str; 1] = ["password"];
const CREDENTIAL: [&str; 2] = ["application_credential_id", "application_credential_name"];
const CREDENTIAL_SECRET: &str = "application_credential_secret";
const TOKEN: [&str; 2] = ["token", "auth_token"];
const VERSION: [&str; 2] = ["identity_api_version", "auth_version"];

pub(super) fn identity(settings: &Settings) -> Result<Option<Identity>, ConfigError> {
    let names = [&USER[..], &PASSWORD, &CREDENTIAL, &[CREDENTIAL_SECRET], &TOKEN, &["auth_url"]].concat();
    if settings.first(&names).is_none() {
        return Ok(None);
    }
    let url = settings.required("auth_url")?;
    check_url(url.origin.clone(), &url.text)?;

    let kind = settings.first(&["auth_type"]);
    let (method, by_kind) = match kind {
        Some(kind) => method(kind)?,
        None => (usual_method(settings), None),
    };
    let told = settings.first(&VERSION);
    let version = told.map(version).transpose()?.or(by_kind);
    let credentials = credentials(settings, method)?;
    if let Some(version) = version.or(AuthVersion::told_by(&url.text).0) {
        let origin = &told.or(kind).unwrap_or(url).origin;
        let fitting = credentials.check_version(version);
        fitting.map_err(|reason| ConfigError::new(origin.clone(), format!("does not fit: {reason}")))?;
    }
    Ok(Some(Identity { auth_url: url.text.clone(), version, credentials }))
}

/// What a user signs in by.
#[derive(Clone, Copy)]
enum Method {
    Password,
    ApplicationCredential,
    Token,
}

/// What is meant when nobody says it.
fn usual_method(settings: &Settings) -> Method {
    if settings.first(&CREDENTIAL).is_some() {
        Method::ApplicationCredential
    } else if settings.first(&TOKEN).is_some() && settings.first(&PASSWORD).is_none() {
        Method::Token
    } else {
        Method::Password
    }
}

/// `auth_type`: the name of one of keystoneauth's plugins.
fn method(kind: &Setting) -> Result<(Method, Option<AuthVersion>), ConfigError> {
    const KNOWN: &str =
        "password, v3password, v2password, v1password, v3applicationcredential, token or v3token";
    kind.parse(KNOWN, |text| {
        Some(match text {
            "password" => (Method::Password, None),
            "v3password" => (Method::Password, Some(AuthVersion::V3)),
            "v2password" => (Method::Password, Some(AuthVersion::V2)),
            "v1password" => (Method::Password, Some(AuthVersion::V1)),
            "v3applicationcredential" => (Method::ApplicationCredential, Some(AuthVersion::V3)),
            "token" => (Method::Token, None),
            "v3token" => (Method::Token, Some(AuthVersion::V3)),
            _ => return None,
        })
    })
}

fn version(told: &Setting) -> Result<AuthVersion, ConfigError> {
    told.parse("1, 2 or 3", |text| match text.trim_end_matches(".0") {
        "1" => Some(AuthVersion::V1),
        "2" => Some(AuthVersion::V2),
        "3" => Some(AuthVersion::V3),
        _ => None,
    })
}

fn credentials(settings: &Settings, method: Method) -> Result<Credentials, ConfigError> {
    match method {
        Method::Password => {
            let user = user(settings)?;
            Ok(Password::new(user, settings.required("password")?.text.clone()).into())
        }
        Method::ApplicationCredential => {
            let secret = settings.required(CREDENTIAL_SECRET)?.text.clone();
            if let Some(id) = settings.first(&["application_credential_id"]) {
                return Ok(ApplicationCredential::new(&id.text, secret).into());
            }
            let name = settings.required("application_credential_name")?;
            Ok(ApplicationCredential::named(&name.text, user(settings)?, secret).into())
        }
        Method::Token => {
            let token = settings.first(&TOKEN).ok_or_else(|| settings.missing("token"))?;
            Ok(Token::new(token.text.clone()).into())
        }
    }
}

fn user(settings: &Settings) -> Result<Entity, ConfigError> {
    if let Some(id) = settings.first(&["user_id"]) {
        return Ok(Entity::Id(id.text.clone()));
    }
    let name = settings.required("username")?;
    Ok(Entity::named(&name.text).in_domain(domain(settings, "user_domain")))
}

pub(super) fn scope(settings: &Settings) -> Option<Scope> {
    if let Some(trust) = settings.first(&["trust_id"]) {
        return Some(Scope::Trust(trust.text.clone()));
    }
    if let Some(id) = settings.first(&["project_id", "tenant_id"]) {
        return Some(Scope::Project(Entity::Id(id.text.clone())));
    }
    let name = settings.first(&["project_name", "tenant_name"])?;
    Some(Scope::Project(Entity::named(&name.text).in_domain(domain(settings, "project_domain"))))
}

/// The domain of a user or a project: its own, or the one that is said for both.
fn domain(settings: &Settings, whose: &str) -> Option<Domain> {
    for what in [whose, "domain", "default_domain"] {
        if let Some(id) = settings.first(&[&format!("{what}_id")]) {
            return Some(Domain::Id(id.text.clone()));
        }
        if let Some(name) = settings.first(&[&format!("{what}_name")]) {
            return Some(Domain::Name(name.text.clone()));
        }
    }
    // keystoneauth's name for an identifier.
    settings.first(&["default_domain"]).map(|id| Domain::Id(id.text.clone()))
}

pub(super) fn endpoint(settings: &Settings) -> Result<Option<Endpoint>, ConfigError> {
    let region = settings.first(&["region_name"]);
    let interface = settings.first(&["interface", "endpoint_type"]);
    let storage_url = settings.first(&["object_store_endpoint_override", "storage_url"]);
    if region.or(interface).or(storage_url).is_none() {
        return Ok(None);
    }
    if let Some(url) = storage_url {
        check_url(url.origin.clone(), &url.text)?;
    }
    let interface = interface.map_or(Ok(Interface::Public), |interface| {
        interface.parse("public, internal or admin", |text| {
            let interfaces = [Interface::Public, Interface::Internal, Interface::Admin];
            let text = text.strip_suffix("URL").unwrap_or(text);
            interfaces.into_iter().find(|interface| interface.as_str() == text)
        })
    })?;
    let text = |setting: &Setting| setting.text.clone();
    Ok(Some(Endpoint { region: region.map(text), interface, storage_url: storage_url.map(text) }))
}

pub(super) fn tls(settings: &Settings) -> Result<Option<Tls>, ConfigError> {
    let ca_file = settings.first(&["cacert"]);
    let certificate = settings.first(&["cert"]);
    let key = settings.first(&["key"]);
    let insecure = match settings.first(&["insecure"]) {
        Some(insecure) => Some(insecure.boolean()?),
        None => match settings.first(&["verify"]) {
            Some(verify) => Some(!verify.boolean()?),
            None => None,
        },
    };
    if ca_file.or(certificate).or(key).is_none() && insecure.is_none() {
        return Ok(None);
    }
    let path = |setting: &Setting| PathBuf::from(&setting.text);
    let client_certificate = match (certificate, key) {
        (None, None) => None,
        (None, Some(_)) => return Err(settings.missing("cert")),
        (Some(certificate), key) => Some(ClientCertificate {
            certificate: path(certificate),
            // One file may hold both.
            key: path(key.unwrap_or(certificate)),
        }),
    };
    Ok(Some(Tls { ca_file: ca_file.map(path), client_certificate, insecure: insecure.unwrap_or(false) }))
}
