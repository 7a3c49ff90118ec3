//! Where the registry's own tokens are to be had, and giving them: the distribution project's token authentication, by GET as docker,
//! podman and skopeo ask ("Token Authentication Specification") and by POST as containerd does ("OAuth2 Token Authentication").
//! What a client says of the service, of itself and of what it wants the token for is not looked at: a token says who somebody is,
//! and what they may do is asked when it is used. No refresh tokens are given, so clients keep what they sign in with.

use apus_auth::{Access, Authorization as Shown, AuthorizationError, BasicCredentials, IssuedToken, Scope};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, header};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde::Serialize;
use serde_json::json;

use crate::answer::{Answer, AskedBy, WithHeader, content};
use crate::authorization::{Refused, credentials};
use crate::errors::{ErrorCode, Failure};
use crate::forwarded::Forwarded;
use crate::limits::Client;
use crate::received::Received;
use crate::request::Head;
use crate::{App, AppOptions, Route};

/// Bytes of the longest form: the longest name and password, and some hundred scopes.
const LONGEST_FORM: usize = 8 << 10;

impl App {
    /// Where a client gets its tokens; `None` where none are given, and where it named no host.
    pub(crate) fn token_url(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        forwarded: Option<&Forwarded>,
    ) -> Option<String> {
        let AppOptions { authorization, locations, prefix, .. } = self.options();
        if !authorization.gives_tokens() {
            return None;
        }
        Some(format!("{}{prefix}{}", locations.secret_base(uri, headers, forwarded)?, Route::Token))
    }

    pub(crate) async fn give_token(&self, head: &Head, received: Received) -> Result<Answer, Failure> {
        let form = if head.method == Method::POST { Some(Form::receive(received).await?) } else { None };
        let shown = match &form {
            Some(form) => form.shown()?,
            None => Shown::parse(credentials(&head.headers)?),
        };
        let authorization = &self.options().authorization;
        let given = authorization.give_token(shown).await.map_err(|Refused { failure, .. }| failure)?;
        tracing::Span::current().record("auth.user.name", given.identity.name());
        if let Some(name) = given.identity.name() {
            self.limits().request(Client::named(name))?;
        }
        let granted = form.map(|form| authorization.allowed(&given.identity, form.scope()));
        let told = json!(Told::of(&given, granted.as_deref())).to_string();
        let answer = content(StatusCode::OK, "application/json", told.into());
        Ok(answer.with_header(header::CACHE_CONTROL, "no-store").asked_by(Some(given.identity)))
    }
}

/// What a client is told. The token has two names, for either is looked for.
#[derive(Serialize)]
struct Told<'a> {
    token: &'a str,
    access_token: &'a str,
    /// In seconds.
    expires_in: u64,
    /// By RFC 3339.
    issued_at: String,
    /// The rest is for who posts, by RFC 6749, section 5.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

impl<'a> Told<'a> {
    fn of(given: &'a IssuedToken, granted: Option<&[Access]>) -> Self {
        let token = given.text.expose_secret();
        Self {
            token,
            access_token: token,
            expires_in: given.lifetime.as_secs(),
            issued_at: Timestamp::try_from(given.issued_at).unwrap_or_default().to_string(),
            token_type: granted.map(|_| "Bearer"),
            scope: granted.map(|granted| Scope(granted).to_string()),
        }
    }
}

/// What a client posts, in the form of URLs (RFC 6749, section 4.3.2).
struct Form(Bytes);

impl Form {
    async fn receive(received: Received) -> Result<Self, Failure> {
        let invalid = |message| Failure::new(StatusCode::BAD_REQUEST, ErrorCode::Unsupported, message);
        match received.collect(LONGEST_FORM).await {
            Ok(Some(form)) => Ok(Self(form)),
            Ok(None) => Err(invalid("the form is longer than 8 KiB")),
            Err(_) => Err(invalid("the form broke off")),
        }
    }

    /// By what a client signs in: a name and a password, or a token that it was given for later, which cannot be from here.
    fn shown(&self) -> Result<Result<Shown, AuthorizationError>, Failure> {
        let value = |name| self.value(name).unwrap_or_default();
        match value("grant_type").as_str() {
            "password" => {
                let credentials = BasicCredentials::new(&value("username"), value("password").as_bytes());
                Ok(credentials.map(Shown::Basic))
            }
            "refresh_token" => Ok(Ok(Shown::Bearer(value("refresh_token").into()))),
            _ => {
                let message = "a token is given for the grant_type password alone";
                Err(Failure::new(StatusCode::BAD_REQUEST, ErrorCode::Unsupported, message))
            }
        }
    }

    /// For what it wants the token.
    fn scope(&self) -> impl Iterator<Item = Access> {
        let scopes = self.value("scope").unwrap_or_default();
        let scopes: Vec<Access> = scopes.split(' ').flat_map(Access::of_scope).collect();
        scopes.into_iter()
    }

    fn value(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(&self.0);
        pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }
}

#[cfg(test)]
mod tests;
