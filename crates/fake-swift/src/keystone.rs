//! Keystone's version 3: sign-in by password, with or without a project, and the catalog.
//!
//! There is one user and one project, both in the domain `Default` whose id is `default`.

use http::header::{VARY, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{Answer, Refusal, value};
use crate::log::Interface;
use crate::options::Options;
use crate::request::Call;
use crate::server::Shared;

const X_SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Keystone's bound on a request is the web server's; a sign-in is far below this.
const MAX_REQUEST: u64 = 114_688;

/// Answers a request to `/v3/{rest}`.
pub(crate) async fn handle(call: &mut Call, rest: &str) -> Answer {
    let answer = match (rest, &call.method) {
        ("", _) => version(&call.fake),
        ("auth/tokens", &Method::POST) => match call.body.collect(MAX_REQUEST).await {
            Ok(body) => sign_in(&call.fake, &body),
            Err(error) => Refusal::from(error).into(),
        },
        ("auth/tokens", _) => Refusal::not_modelled("checking and revoking tokens").into(),
        _ => Answer::standard(StatusCode::NOT_FOUND),
    };
    answer.with(VARY, HeaderValue::from_static("X-Auth-Token"))
}

fn url(fake: &Shared) -> String {
    format!("{}/v3", fake.base_url(Interface::Public))
}

fn version(fake: &Shared) -> Answer {
    let document = json!({"version": {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/", url(fake))}],
        "media-types": [
            {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}
        ],
    }});
    Answer::new(StatusCode::OK, JSON, document.to_string())
}

fn error(status: StatusCode, title: &str, message: &str) -> Answer {
    let document = json!({"error": {"code": status.as_u16(), "message": message, "title": title}});
    Answer::new(status, JSON, document.to_string())
}

fn bad_request(expected: &str) -> Answer {
    let message = format!(
        "Expecting to find {expected}. The server could not comply with the request since it is either malformed \
         or otherwise incorrect. The client is assumed to be in error."
    );
    error(StatusCode::BAD_REQUEST, "Bad Request", &message)
}

fn unauthorized(fake: &Shared, message: &str) -> Answer {
    error(StatusCode::UNAUTHORIZED, "Unauthorized", message)
        .with(WWW_AUTHENTICATE, value(format!("Keystone uri=\"{}\"", url(fake))))
}

/// Whether a user or a project is the one meant, by id, or by name and domain. `None` if the domain is missing.
fn is_meant(given: &Value, id: &str, name: &str) -> Option<bool> {
    if let Some(given) = given.get("id") {
        return Some(given == id);
    }
    let domain = given.get("domain")?;
    let domain_is_meant = match (domain.get("id"), domain.get("name")) {
        (Some(id), _) => id == "default",
        (None, Some(name)) => name == "Default",
        (None, None) => return None,
    };
    Some(domain_is_meant && given.get("name").is_some_and(|given| given == name))
}

fn sign_in(fake: &Shared, body: &[u8]) -> Answer {
    const WRONG: &str = "The request you have made requires authentication.";
    let options = &fake.options;
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return bad_request("valid JSON in request body");
    };
    let Some(auth) = request.get("auth") else { return bad_request("auth in request body") };
    let Some(identity) = auth.get("identity") else { return bad_request("identity in auth") };
    if identity.pointer("/methods/0").is_none_or(|method| method != "password") {
        return unauthorized(fake, "Attempted to authenticate with an unsupported method.");
    }
    let Some(user) = identity.pointer("/password/user") else { return bad_request("user in password") };
    match is_meant(user, &options.user_id(), &options.user) {
        None => return bad_request("domain in user"),
        Some(false) => return unauthorized(fake, WRONG),
        Some(true) => {}
    }
    if user.get("password").is_none_or(|password| *password != options.password) {
        return unauthorized(fake, WRONG);
    }
    let scoped = match auth.get("scope") {
        None => false,
        Some(scope) => {
            let Some(project) = scope.get("project") else { return unauthorized(fake, WRONG) };
            match is_meant(project, &options.project_id(), &options.project) {
                None => return bad_request("domain in project"),
                Some(false) => return unauthorized(fake, WRONG),
                Some(true) => true,
            }
        }
    };
    let mut state = fake.state();
    let token = state.tokens.keystone(scoped.then(|| options.account()), options.token_life);
    let issued = state.clock.now();
    drop(state);
    let expires = issued.after(options.token_life);
    let mut document = json!({
        "methods": ["password"],
        "user": {
            "domain": {"id": "default", "name": "Default"},
            "id": options.user_id(),
            "name": options.user,
            "password_expires_at": null,
        },
        "audit_ids": [token],
        "expires_at": format!("{}Z", expires.rounded_down().as_iso()),
        "issued_at": format!("{}Z", issued.rounded_down().as_iso()),
    });
    if scoped && let Some(document) = document.as_object_mut() {
        document.extend(project_part(fake, options));
    }
    Answer::new(StatusCode::CREATED, JSON, json!({"token": document}).to_string())
        .with(X_SUBJECT_TOKEN, value(&token))
}

/// What a token for a project has beyond one for none.
fn project_part(fake: &Shared, options: &Options) -> serde_json::Map<String, Value> {
    let region = &options.region;
    let endpoint = |interface: &str, url: String| {
        json!({
            "id": crate::answer::md5_hex(format!("{interface} {url}").as_bytes()),
            "interface": interface,
            "region": region,
            "region_id": region,
            "url": url,
        })
    };
    let endpoints = |public: String, internal: String| {
        [endpoint("public", public), endpoint("internal", internal.clone()), endpoint("admin", internal)]
    };
    let identity = endpoints(url(fake), url(fake));
    let store = endpoints(fake.storage_url(Interface::Public), fake.storage_url(Interface::Internal));
    let part = json!({
        "project": {
            "domain": {"id": "default", "name": "Default"},
            "id": options.project_id(),
            "name": options.project,
        },
        "is_domain": false,
        "roles": [{"id": "1", "name": "reader"}, {"id": "2", "name": "member"}],
        "catalog": [
            {"endpoints": identity, "id": "1", "type": "identity", "name": "keystone"},
            {"endpoints": store, "id": "2", "type": "object-store", "name": "swift"},
        ],
    });
    match part {
        Value::Object(part) => part,
        _ => serde_json::Map::new(),
    }
}
