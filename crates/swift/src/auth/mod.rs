//! Signing in: from credentials to a token and the URL of an account. Which way depends on the cloud: [`v1`], [`v2`] or
//! [`v3`]; [`version`] finds out. [`catalog`] picks the account's URL. [`token`] keeps the token fresh for all who need one.

mod catalog;
mod error;
mod token;
mod v1;
mod v2;
mod v3;
mod version;

use std::sync::Arc;
use std::time::Duration;

use apus_http_client::{HttpClient, RequestBody};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::sync::OnceCell;

pub(crate) use error::AuthError;
pub(crate) use token::{Account, TokenCell};
use version::Way;

use crate::config::{AuthVersion, Credentials, SwiftConfig};
use crate::retry::{Tries, is_passing, is_transient, retry_after};

/// An answer of an identity service is a catalog of some dozens of KiB.
const LONGEST_ANSWER: usize = 4 << 20;

/// What signing in gave.
pub(crate) struct Grant {
    pub(crate) token: SecretString,
    /// Of the account, without a slash at its end.
    pub(crate) storage_url: String,
    /// How long the token is good for, where that was said.
    pub(crate) life: Option<Duration>,
}

/// Signs in, as often as it is asked.
pub(crate) struct SignIn {
    http: HttpClient,
    config: Arc<SwiftConfig>,
    way: OnceCell<Way>,
}

impl SignIn {
    pub(crate) fn new(http: HttpClient, config: Arc<SwiftConfig>) -> Self {
        Self { http, config, way: OnceCell::new() }
    }

    /// How, once that is known.
    pub(crate) fn version(&self) -> Option<AuthVersion> {
        self.way.get().map(|way| way.version)
    }

    pub(crate) async fn sign_in(&self) -> Result<Grant, AuthError> {
        let (http, config) = (&self.http, &*self.config);
        let way = self.way.get_or_try_init(|| version::discover(http, config)).await?;
        let Way { version, url } = way;
        let secret = config.credentials.secret().read().await?;
        let mut grant = match (version, &config.credentials) {
            (AuthVersion::V1, Credentials::Password(user)) => {
                v1::sign_in(http, config, url, user, &secret).await?
            }
            (AuthVersion::V2, Credentials::Password(user)) => {
                v2::sign_in(http, config, url, user, &secret).await?
            }
            (AuthVersion::V3, _) => v3::sign_in(http, config, url, &secret).await?,
            (_, Credentials::ApplicationCredential(_) | Credentials::Token(_)) => {
                let reason = "this version of the sign-in knows only users with passwords".to_owned();
                return Err(AuthError::NoVersion { url: url.clone(), reason });
            }
        };
        grant.storage_url.truncate(grant.storage_url.trim_end_matches('/').len());
        Ok(grant)
    }
}

/// From when until when a token is good, as Keystone says it.
#[derive(Deserialize)]
struct Validity {
    #[serde(alias = "expires")]
    expires_at: Option<String>,
    issued_at: Option<String>,
}

impl Validity {
    /// How long it is still good. `date` is the answer's `Date`: by Keystone's clock, so that ours need not agree with it.
    /// Where there is none the token is taken for new.
    fn life(&self, date: Option<&str>) -> Option<Duration> {
        let expires: Timestamp = self.expires_at.as_ref()?.parse().ok()?;
        let date = date.and_then(|date| Timestamp::try_from(httpdate::parse_http_date(date).ok()?).ok());
        let issued = || self.issued_at.as_ref()?.parse().ok();
        let now = date.or_else(issued).unwrap_or_else(Timestamp::now);
        Some(expires.duration_since(now).try_into().unwrap_or(Duration::ZERO))
    }
}

/// What an identity service answered.
struct Answer {
    url: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The error of an answer that is not the one hoped for.
    fn refused(self, credentials: &Credentials) -> AuthError {
        let reason = self.keystone_reason();
        let Self { url, status, .. } = self;
        match status.as_u16() {
            400 | 401 | 403 => AuthError::refused(url, credentials, status, reason),
            _ if is_transient(status) => {
                AuthError::NotNow { url, status, retry_after: retry_after(&self.headers) }
            }
            _ => AuthError::Unexpected { url, reason: format!("it answered {status}{reason}") },
        }
    }

    /// As [`refused`](Self::refused), but a 404 is a refusal when Keystone says what it is that was not found. Else there
    /// may be no Keystone at all.
    fn refused_if_keystone_says_why(self, credentials: &Credentials) -> AuthError {
        let reason = self.keystone_reason();
        if self.status == StatusCode::NOT_FOUND && !reason.is_empty() {
            return AuthError::refused(self.url, credentials, self.status, reason);
        }
        self.refused(credentials)
    }

    /// What Keystone says of an error; nothing of a request is in it.
    fn keystone_reason(&self) -> String {
        #[derive(Deserialize)]
        struct Envelope {
            error: Message,
        }
        #[derive(Deserialize)]
        struct Message {
            message: String,
        }
        serde_json::from_slice::<Envelope>(&self.body)
            .map(|envelope| format!(" ({})", envelope.error.message.chars().take(300).collect::<String>()))
            .unwrap_or_default()
    }
}

/// Asks an identity service, again where that may help.
async fn ask(
    http: &HttpClient,
    url: &str,
    request: impl Fn() -> http::Result<Request<RequestBody>>,
) -> Result<Answer, AuthError> {
    let mut tries = Tries::new();
    loop {
        let request = request()
            .map_err(|error| AuthError::Unexpected { url: url.to_owned(), reason: error.to_string() })?;
        let method = request.method().clone();
        let outcome = match http.send(request).await {
            Ok(response) => {
                let (status, headers) = (response.status, response.headers);
                let body = response.body.collect(LONGEST_ANSWER).await;
                body.map(|body| Answer { url: url.to_owned(), status, headers, body })
            }
            Err(failure) => Err(failure.error),
        };
        let asked = match &outcome {
            Ok(answer) if !is_transient(answer.status) => None,
            Ok(answer) => Some(retry_after(&answer.headers)),
            Err(error) if !is_passing(error) => None,
            Err(_) => Some(None),
        };
        match &outcome {
            Ok(answer) => tracing::debug!(%method, url, status = answer.status.as_u16(), "sign-in"),
            Err(error) => tracing::debug!(%method, url, %error, "sign-in"),
        }
        match asked.and_then(|asked| tries.another(asked)) {
            Some(pause) => {
                tracing::warn!(url, ?pause, "the sign-in failed for now; trying again");
                tokio::time::sleep(pause).await;
            }
            None => {
                return outcome.map_err(|source| AuthError::Unreachable { url: url.to_owned(), source });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(expires: &str, issued: Option<&str>, date: Option<&str>) -> Option<u64> {
        let issued_at = issued.map(str::to_owned);
        let validity = Validity { expires_at: Some(expires.to_owned()), issued_at };
        validity.life(date).map(|life| life.as_secs())
    }

    #[test]
    fn life_is_counted_by_keystones_clock() {
        let (begin, end) = ("2001-01-01T00:00:00.000000Z", "2001-01-01T01:00:00.000000Z");
        assert_eq!(life(end, Some(begin), None), Some(3600));
        assert_eq!(life(end, Some(begin), Some("Mon, 01 Jan 2001 00:30:00 GMT")), Some(1800));
        assert_eq!(life(end, Some(begin), Some("soon")), Some(3600));
        assert_eq!(life(end, Some(begin), Some("Mon, 01 Jan 2001 02:00:00 GMT")), Some(0));
        assert_eq!(life(end, None, None), Some(0));
        assert_eq!(life("soon", Some(begin), None), None);
    }
}
