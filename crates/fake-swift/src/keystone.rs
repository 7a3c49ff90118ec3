//! Keystone: which versions of it there are, where each is answered, and its way of refusing.
//!
//! It shares its port with the store, which a cloud would keep apart; their paths do not meet.

mod catalog;
mod people;
mod v2;
mod v3;

use std::borrow::Cow;

use http::header::{LOCATION, VARY, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::answer::{Answer, Refusal, value};
use crate::log::Interface;
use crate::options::Feature;
use crate::request::Call;
use crate::server::Shared;

pub(crate) use people::Who;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Keystone's bound on a request is the web server's; a sign-in is far below this.
const MAX_REQUEST: u64 = 114_688;

/// A version of the identity service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// Gone from Keystone since 2018, but not from every cloud.
    V2,
    V3,
}

impl Version {
    /// The versions that there may be, as the list of them has them.
    pub(crate) const ALL: [Self; 2] = [Self::V3, Self::V2];

    /// How its paths begin.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::V2 => "/v2.0",
            Self::V3 => "/v3",
        }
    }

    pub(crate) fn feature(self) -> Feature {
        match self {
            Self::V2 => Feature::SignInV2,
            Self::V3 => Feature::SignInV3,
        }
    }

    fn url(self, fake: &Shared) -> String {
        format!("{}{}", fake.base_url(Interface::Public), self.path())
    }

    /// What Keystone tells of it.
    fn document(self, fake: &Shared) -> Value {
        let (id, status, updated, media_type) = match self {
            Self::V2 => ("v2.0", "deprecated", "2016-08-04T00:00:00Z", "v2.0"),
            Self::V3 => ("v3.14", "stable", "2020-04-07T00:00:00Z", "v3"),
        };
        json!({
            "id": id,
            "status": status,
            "updated": updated,
            "links": [{"rel": "self", "href": format!("{}/", self.url(fake))}],
            "media-types": [{
                "base": "application/json",
                "type": format!("application/vnd.openstack.identity-{media_type}+json"),
            }],
        })
    }
}

/// Answers a request to Keystone's root, if there is no version, or else to what follows the version's path.
pub(crate) async fn handle(call: &mut Call, version: Option<Version>, rest: &str) -> Answer {
    let (rest, post) = (rest.trim_matches('/'), call.method == Method::POST);
    let answer = match version {
        None => versions(&call.fake),
        Some(version) if rest.is_empty() => {
            document(StatusCode::OK, &json!({"version": version.document(&call.fake)}))
        }
        Some(Version::V3) if rest == "auth/tokens" && post => sign_in(call, Version::V3, v3::sign_in).await,
        Some(Version::V2) if rest == "tokens" && post => sign_in(call, Version::V2, v2::sign_in).await,
        Some(_) if rest == "auth/tokens" || rest == "tokens" => {
            Refusal::not_modelled("checking and revoking tokens").into()
        }
        Some(_) => Answer::standard(StatusCode::NOT_FOUND),
    };
    answer.with(VARY, HeaderValue::from_static("X-Auth-Token"))
}

fn versions(fake: &Shared) -> Answer {
    let there: Vec<_> =
        Version::ALL.into_iter().filter(|version| fake.options.has(version.feature())).collect();
    let documents: Vec<_> = there.iter().map(|version| version.document(fake)).collect();
    let answer = document(StatusCode::MULTIPLE_CHOICES, &json!({"versions": {"values": documents}}));
    let first = there.first().map(|version| version.url(fake)).unwrap_or_default();
    answer.with(LOCATION, value(format!("{first}/")))
}

async fn sign_in(
    call: &mut Call,
    version: Version,
    handler: fn(&Shared, &Value) -> Result<Answer, Failure>,
) -> Answer {
    let body = match call.body.collect(MAX_REQUEST).await {
        Ok(body) => body,
        Err(error) => return Refusal::from(error).into(),
    };
    let outcome = match serde_json::from_slice::<Value>(&body) {
        Ok(request) if request.is_object() => match request.get("auth") {
            Some(auth) => handler(&call.fake, auth),
            None => Err(Failure::expecting("auth in request body")),
        },
        _ => Err(Failure::expecting("valid JSON in request body")),
    };
    outcome.unwrap_or_else(|failure| failure.answer(&version.url(&call.fake)))
}

fn document(status: StatusCode, document: &Value) -> Answer {
    Answer::new(status, JSON, document.to_string())
}

fn error(status: StatusCode, message: &str) -> Answer {
    let title = status.canonical_reason().unwrap_or("Unknown");
    document(status, &json!({"error": {"code": status.as_u16(), "message": message, "title": title}}))
}

/// An answer of `status` for a reason that has nothing to do with the request.
pub(crate) fn failure(status: StatusCode) -> Answer {
    error(status, status.canonical_reason().unwrap_or("Unknown"))
}

/// Why someone is not signed in.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl Failure {
    fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, message: message.into() }
    }

    /// Something is missing from the request.
    fn expecting(what: &str) -> Self {
        let message = format!(
            "Expecting to find {what}. The server could not comply with the request since it is either malformed or \
             otherwise incorrect. The client is assumed to be in error."
        );
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Wrong, without a word on what it is that is wrong.
    fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "The request you have made requires authentication.")
    }

    fn answer(self, url: &str) -> Answer {
        let answer = error(self.status, &self.message);
        if self.status == StatusCode::UNAUTHORIZED {
            return answer.with(WWW_AUTHENTICATE, value(format!("Keystone uri=\"{url}\"")));
        }
        answer
    }
}
