//! Signing in: from credentials to a token and the URL of an account. Which way depends on the cloud: [`v1`] or [`v3`];
//! [`version`] finds out. [`token`] keeps the token fresh for all who need one.

mod error;
mod token;
mod v1;
mod v3;
mod version;

use std::sync::Arc;
use std::time::Duration;

use apus_http_client::{HttpClient, RequestBody};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use secrecy::SecretString;
use tokio::sync::OnceCell;

pub(crate) use error::AuthError;
pub(crate) use token::{Account, TokenCell};
use version::Way;

use crate::config::SwiftConfig;
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

    pub(crate) async fn sign_in(&self) -> Result<Grant, AuthError> {
        let way = self.way.get_or_try_init(|| version::discover(&self.http, &self.config)).await?;
        let mut grant = match way {
            Way::V1 { url } => v1::sign_in(&self.http, &self.config, url).await?,
            Way::V3 { url } => v3::sign_in(&self.http, &self.config, url).await?,
        };
        if let Some(url) = &self.config.storage_url {
            grant.storage_url.clone_from(url);
        }
        grant.storage_url.truncate(grant.storage_url.trim_end_matches('/').len());
        Ok(grant)
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
    fn refused(self, user: &str) -> AuthError {
        let Self { url, status, .. } = self;
        match status.as_u16() {
            400 | 401 | 403 => {
                AuthError::Refused { user: user.to_owned(), status, reason: keystone_reason(&self.body), url }
            }
            _ if is_transient(status) => {
                AuthError::NotNow { url, status, retry_after: retry_after(&self.headers) }
            }
            _ => AuthError::Unexpected { url, reason: format!("it answered {status}") },
        }
    }
}

/// What Keystone says of an error; nothing of a request is in it.
fn keystone_reason(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Envelope {
        error: Message,
    }
    #[derive(serde::Deserialize)]
    struct Message {
        message: String,
    }
    serde_json::from_slice::<Envelope>(body)
        .map(|envelope| format!(" ({})", envelope.error.message.chars().take(300).collect::<String>()))
        .unwrap_or_default()
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
