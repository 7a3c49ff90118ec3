//! Who Apus is at an upstream: the challenges that were met, and the tokens that answered them. A password is shown to the
//! configured host, and to a token server only where that is the same host, one that is known to belong to it, or one that the
//! operator names: a registry's answer alone must not be able to send a password anywhere.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apus_http_client::{HttpClient, RequestBody};
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, StatusCode, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::time::Instant;

use crate::challenge::Challenge;
use crate::credentials::Logins;
use crate::error::chain;
use crate::upstream::{Home, failed_answer, unreached};
use crate::{UpstreamError, UpstreamErrorKind};

/// Tokens that are kept for one upstream.
const TOKENS: usize = 4096;
/// The longest answer of a token server.
const ANSWER_LIMIT: usize = 1 << 20;
/// What the token protocol says of a token that does not say how long it is good, and the least that it may say.
const LEAST_LIFETIME: u64 = 60;
/// Token servers that are known to belong to a registry on another host.
const KNOWN: [(&str, &str); 3] = [
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
    ("docker.elastic.co", "docker-auth.elastic.co"),
];

/// What answers an upstream's challenges.
#[derive(Debug)]
pub(crate) struct Tokens {
    http: HttpClient,
    home: Arc<Home>,
    logins: Logins,
    /// Hosts that an operator trusts with the credentials.
    servers: Vec<String>,
    /// The last challenge: the next request is answered before it is asked.
    known: Mutex<Option<Challenge>>,
    kept: Cache<String, Token>,
}

#[derive(Debug, Clone)]
struct Token {
    text: SecretString,
    expires: Instant,
}

impl Tokens {
    pub(crate) fn new(http: HttpClient, home: Arc<Home>, logins: Logins, servers: Vec<String>) -> Self {
        Self { http, home, logins, servers, known: Mutex::default(), kept: Cache::new(TOKENS) }
    }

    /// What to send along for a repository of the upstream, by what is known so far.
    pub(crate) async fn authorization(&self, repository: &str) -> Result<Option<HeaderValue>, UpstreamError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            None => Ok(None),
            Some(challenge) => self.answer_to(&challenge, repository).await,
        }
    }

    /// What answers a challenge that was met in spite of what was sent along; `None` when nothing more can be said.
    pub(crate) async fn renew(
        &self,
        challenge: Challenge,
        repository: &str,
    ) -> Result<Option<HeaderValue>, UpstreamError> {
        self.kept.remove(&scope(repository));
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).replace(challenge.clone());
        if challenge == Challenge::Basic && before == Some(Challenge::Basic) {
            // The password itself was refused.
            self.logins.distrust().await;
        }
        self.answer_to(&challenge, repository).await
    }

    async fn answer_to(
        &self,
        challenge: &Challenge,
        repository: &str,
    ) -> Result<Option<HeaderValue>, UpstreamError> {
        match challenge {
            Challenge::Basic => self.basic().await,
            Challenge::Bearer { realm, service } => {
                let scope = scope(repository);
                if self.kept.get(&scope).is_some_and(|token| token.expires <= Instant::now()) {
                    self.kept.remove(&scope);
                }
                let fetched = self.fetch(realm, service.as_deref(), &scope);
                let token = self.kept.get_or_insert_async(&scope, fetched).await?;
                let value = HeaderValue::try_from(format!("Bearer {}", token.text.expose_secret()));
                let mut value =
                    value.map_err(|_| self.home.error(UpstreamErrorKind::Wrong, "its token is none"))?;
                value.set_sensitive(true);
                Ok(Some(value))
            }
        }
    }

    async fn basic(&self) -> Result<Option<HeaderValue>, UpstreamError> {
        let login = self.logins.login().await.map_err(|error| {
            let message = format!("proxy.exec: the credential helper failed: {}", chain(&*error));
            self.home.error(UpstreamErrorKind::Denied, message)
        })?;
        Ok(login.and_then(|login| login.basic()))
    }

    async fn fetch(&self, realm: &str, service: Option<&str>, scope: &str) -> Result<Token, UpstreamError> {
        #[derive(Deserialize)]
        struct Answer {
            token: Option<String>,
            access_token: Option<String>,
            expires_in: Option<u64>,
        }
        let (realm_url, login) = self.judge(realm).await?;
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let begun = if realm_url.query().is_some() { '&' } else { '?' };
        let service = service.map_or_else(String::new, |service| format!("service={}&", encoded(service)));
        let mut request = Request::get(format!("{realm_url}{begun}{service}scope={}", encoded(scope)));
        let is_known = login.is_some();
        if let Some(login) = login {
            request = request.header(AUTHORIZATION, login);
        }
        let wrong = |message: &str| self.home.error(UpstreamErrorKind::Wrong, message);
        let request = request.body(RequestBody::empty()).map_err(|_| wrong("its token server has no URL"))?;
        let begun = Instant::now();
        // Not one redirect: whoever is trusted with a password is not trusted to pass it on.
        let answer =
            self.http.send(request).await.map_err(|failure| unreached(&self.home, &failure.error))?;
        if answer.status == StatusCode::UNAUTHORIZED && is_known {
            self.logins.distrust().await;
        }
        if answer.status != StatusCode::OK {
            return Err(failed_answer(&self.home, answer.status, &answer.headers, "its token server"));
        }
        let answer =
            answer.body.collect(ANSWER_LIMIT).await.map_err(|error| unreached(&self.home, &error))?;
        let answer: Answer =
            serde_json::from_slice(&answer).map_err(|_| wrong("its token server gave no JSON"))?;
        let text =
            answer.token.or(answer.access_token).ok_or_else(|| wrong("its token server gave no token"))?;
        let seconds = answer.expires_in.unwrap_or(LEAST_LIFETIME).clamp(LEAST_LIFETIME, 24 * 3600);
        // A little early, so that none ends on its way.
        Ok(Token { text: text.into(), expires: begun + Duration::from_secs(seconds) * 9 / 10 })
    }

    /// Whether a token server may be asked, and with which credentials.
    async fn judge(&self, realm: &str) -> Result<(Uri, Option<HeaderValue>), UpstreamError> {
        let parsed = realm.parse::<Uri>().ok().filter(|url| url.host().is_some());
        let Some(url) = parsed.filter(|url| matches!(url.scheme_str(), Some("http" | "https"))) else {
            return Err(self.home.error(UpstreamErrorKind::Wrong, "the URL of its token server is none"));
        };
        if self.logins.is_anyone() {
            return Ok((url, None));
        }
        let host = url.host().unwrap_or_default();
        if !self.trusts(host) {
            let message = format!(
                "it wants the credentials to be shown to another host, {host}, which is not done; if that is its token \
                 server indeed, name it under tokenservers"
            );
            return Err(self.home.error(UpstreamErrorKind::Denied, message));
        }
        if url.scheme_str() == Some("http") && self.home.is_https() {
            let message = "it wants the credentials to be sent without TLS, which is not done";
            return Err(self.home.error(UpstreamErrorKind::Denied, message));
        }
        Ok((url, self.basic().await?))
    }

    fn trusts(&self, host: &str) -> bool {
        let is = |other: &str| other.eq_ignore_ascii_case(host);
        is(&self.home.host)
            || self.servers.iter().any(|server| is(server))
            || KNOWN.iter().any(|(home, server)| self.home.host.eq_ignore_ascii_case(home) && is(server))
    }
}

fn scope(repository: &str) -> String {
    format!("repository:{repository}:pull")
}
