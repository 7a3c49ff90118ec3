//! The proof that temporary URLs work: an object is fetched by one, from here. On the way to it keys are looked up, and one
//! is set where there is none.

use std::time::{Duration, SystemTime};

use apus_http_client::RequestBody;
use apus_storage::UrlMethod;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use secrecy::SecretString;

use super::error::TemporaryUrlError as Error;
use super::keys::{self, Keys};
use super::options::{TemporaryUrlOptions, TemporaryUrlScope as Scope};
use super::sign::{Place, Signer, TemporaryUrlDigest as Digest, expiry};
use crate::client::answer::text;
use crate::client::{Container, Upload};
use crate::error::{SwiftError, SwiftErrorKind};
use crate::info::{Capabilities, TemporaryUrlSupport};
use crate::retry::is_transient;

/// How long the URL of a proof is good for. Clocks that are further apart make it fail.
const LIFE: Duration = Duration::from_mins(5);
/// Between setting a key that nobody else knows and looking at which key is there: of several processes that set one at
/// once, the last one's stays.
const SETTLING: Duration = Duration::from_millis(500);
/// Clocks that are further apart than this are worth a word.
const CLOCKS_APART: Duration = Duration::from_mins(1);
/// Much longer than any object that a proof fetches.
const LONGEST_PROBE: usize = 64 * 1024;

/// The object that a proof fetches.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub(super) name: String,
    pub(super) content: Bytes,
}

/// What works.
#[derive(Debug, Clone)]
pub(super) struct Proven {
    pub(super) signer: Signer,
    /// Whose key it is; `None` when that cannot be told.
    pub(super) scope: Option<Scope>,
    pub(super) head: bool,
}

/// Proves that temporary URLs work, at the least cost if they work as they did before.
pub(super) async fn prove(
    container: &Container,
    options: &TemporaryUrlOptions,
    project_id: Option<&str>,
    probe: &Probe,
    before: Option<&Proven>,
) -> Result<Proven, Error> {
    let client = container.client();
    let account = client.0.tokens.account().await;
    let account = account.map_err(|error| Error::Swift(SwiftError::not_signed_in("temporary URL", error)))?;
    let capabilities = client.capabilities().await.map_err(Error::Swift)?;
    container.ensure().await.map_err(Error::Swift)?;
    let taken = Taken::by(&capabilities)?;
    let public = options.public_host.as_deref().map(|url| url.trim_end_matches('/'));
    let prefix = match (&options.access_key, project_id) {
        (None, _) => None,
        (Some(access_key), Some(project)) => Some(format!("{project}:{access_key}")),
        (Some(_), None) => return Err(Error::NoProjectId),
    };
    let places = Place::possible(account.storage_url(), public, container.name());
    let mut search = Search {
        container,
        options,
        probe,
        signers: places
            .into_iter()
            .flat_map(|place| taken.digests.iter().map(move |digest| (place.clone(), *digest)))
            .collect(),
        prefix,
        head: taken.head,
        refusals: Vec::new(),
    };
    search.run(before).await
}

/// What the cluster takes, the best first.
struct Taken {
    digests: Vec<Digest>,
    head: bool,
}

impl Taken {
    fn by(capabilities: &Capabilities) -> Result<Self, Error> {
        let Some(TemporaryUrlSupport { methods, digests: told }) = &capabilities.temporary_urls else {
            // Some clouds hide what they can.
            return if capabilities.told { Err(Error::NoMiddleware) } else { Ok(Self::all()) };
        };
        let has = |words: &[String], word: &str| words.iter().any(|told| told.eq_ignore_ascii_case(word));
        if !has(methods, "GET") {
            let methods = if methods.is_empty() { "nothing".to_owned() } else { methods.join(", ") };
            return Err(Error::NoMethod { methods });
        }
        let mut digests = Digest::ALL.to_vec();
        digests.retain(|digest| told.is_empty() || has(told, digest.as_str()));
        if digests.is_empty() {
            return Err(Error::NoDigest { digests: told.join(", ") });
        }
        Ok(Self { digests, head: has(methods, "HEAD") })
    }

    fn all() -> Self {
        Self { digests: Digest::ALL.to_vec(), head: true }
    }
}

/// The search for a signature that the cluster takes.
struct Search<'a> {
    container: &'a Container,
    options: &'a TemporaryUrlOptions,
    probe: &'a Probe,
    /// The ways to sign with any key, the best first.
    signers: Vec<(Place, Digest)>,
    /// Put before each signature.
    prefix: Option<String>,
    head: bool,
    refusals: Vec<Refusal>,
}

struct Refusal {
    host: String,
    status: StatusCode,
    clocks_apart: Option<Duration>,
}

impl Search<'_> {
    async fn run(&mut self, before: Option<&Proven>) -> Result<Proven, Error> {
        if let Some(before) = before
            && self.signers.contains(&(before.signer.place.clone(), before.signer.digest))
            && self.accepted(&before.signer).await?
        {
            return Ok(before.clone());
        }
        if let Some(key) = &self.options.key
            && let Some(proven) = self.with_key(key, None).await?
        {
            return Ok(proven);
        }
        if self.prefix.is_none() {
            let scopes = match self.options.key_scope {
                Some(scope) => vec![scope],
                None => vec![Scope::Container, Scope::Account],
            };
            let mut failures = Vec::new();
            for scope in scopes {
                match self.with_keys_of(scope).await {
                    Ok(proven) => return Ok(proven),
                    Err(error @ (Error::NoKey { .. } | Error::Refused { .. })) => failures.push(error),
                    Err(error) => return Err(error),
                }
            }
            // What is wrong where it should have worked first is what helps.
            if !failures.is_empty() {
                return Err(failures.swap_remove(0));
            }
        }
        Err(self.refused())
    }

    /// Signs with the keys that are there, or sets one.
    async fn with_keys_of(&mut self, scope: Scope) -> Result<Proven, Error> {
        let no_key = |source| Error::NoKey { scope, source };
        let keys = match Keys::of(self.container, scope).await {
            Ok(keys) => keys,
            Err(error) if error.kind() == SwiftErrorKind::Denied => return Err(no_key(Some(error))),
            Err(error) => return Err(Error::Swift(error)),
        };
        let wanted = match &self.options.key {
            Some(key) if keys::contains(&keys.found, key) => None,
            Some(key) => Some(key.clone()),
            None if keys.found.is_empty() => Some(keys::random()),
            None => None,
        };
        let (Some(key), Some(slot)) = (wanted, keys.free) else {
            return self.with_each(&keys.found, scope).await;
        };
        match keys::set(self.container, scope, slot, &key).await {
            Ok(()) => {}
            Err(error) if error.kind() != SwiftErrorKind::Denied => return Err(Error::Swift(error)),
            Err(error) if keys.found.is_empty() => return Err(no_key(Some(error))),
            Err(_) => return self.with_each(&keys.found, scope).await,
        }
        if self.options.key.is_none() {
            tokio::time::sleep(SETTLING).await;
        }
        let keys = Keys::of(self.container, scope).await.map_err(Error::Swift)?;
        if keys::contains(&keys.found, &key) {
            tracing::info!(%scope, container = self.container.name(), "set a key for temporary URLs");
        } else if keys.found.is_empty() {
            return Err(no_key(None));
        }
        self.with_each(&keys.found, scope).await
    }

    /// The configured key first, if it is one of them.
    async fn with_each(&mut self, found: &[SecretString], scope: Scope) -> Result<Proven, Error> {
        let wanted = self.options.key.as_ref();
        let is_wanted = |key: &SecretString| wanted.is_some_and(|wanted| keys::same(wanted, key));
        let (first, rest): (Vec<_>, Vec<_>) = found.iter().partition(|key| is_wanted(key));
        for key in first.into_iter().chain(rest) {
            if let Some(proven) = self.with_key(key, Some(scope)).await? {
                if wanted.is_some() && !is_wanted(key) {
                    tracing::warn!(%scope, "secretkey is none of the keys that the cluster takes, and has no effect");
                }
                return Ok(proven);
            }
        }
        Err(self.refused())
    }

    async fn with_key(&mut self, key: &SecretString, scope: Option<Scope>) -> Result<Option<Proven>, Error> {
        for (place, digest) in self.signers.clone() {
            let signer = Signer { place, digest, key: key.clone(), prefix: self.prefix.clone() };
            if self.accepted(&signer).await? {
                return Ok(Some(Proven { signer, scope, head: self.head }));
            }
        }
        Ok(None)
    }

    /// Whether the probe can be fetched by this signature. `false` is a clear refusal of it; whatever else comes ends the
    /// search, for another signature would not better it.
    async fn accepted(&mut self, signer: &Signer) -> Result<bool, Error> {
        let mut fetched = self.fetch(signer).await?;
        if fetched.status == StatusCode::NOT_FOUND {
            // The signature was taken, and there was no proof yet.
            let probe = Upload::new(self.probe.name.clone(), self.probe.content.clone());
            self.container.put(probe).await.map_err(Error::Swift)?;
            fetched = self.fetch(signer).await?;
        }
        let Fetched { host, status, clocks_apart, body } = fetched;
        match status {
            StatusCode::OK if body == self.probe.content => Ok(true),
            StatusCode::OK => Err(Error::Elsewhere { host, found: "something else".to_owned() }),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.refusals.push(Refusal { host, status, clocks_apart });
                // Its end has passed there already, or so it seems: no key and no digest would change that.
                let too_late = clocks_apart.is_some_and(|apart| apart >= LIFE);
                if too_late { Err(self.refused()) } else { Ok(false) }
            }
            _ if is_transient(status) => Err(Error::NotNow { host, status }),
            _ => Err(Error::Elsewhere { host, found: status.to_string() }),
        }
    }

    async fn fetch(&self, signer: &Signer) -> Result<Fetched, Error> {
        let url = signer.url(&self.probe.name, UrlMethod::Get, expiry(LIFE));
        let host = host_of(&url);
        let unreachable = |source| Error::Unreachable { host: host.clone(), source };
        let request = Request::get(url)
            .body(RequestBody::empty())
            .map_err(|error| unreachable(apus_http_client::Error::Request { source: error.into() }))?;
        let response = self.container.client().0.control.send(request).await;
        let response = response.map_err(|failure| unreachable(failure.error))?;
        let (status, clocks_apart) = (response.status, clocks_apart(&response.headers));
        tracing::debug!(host, object = self.probe.name, digest = %signer.digest, status = status.as_u16(), "temporary URL");
        let body = response.body.collect(LONGEST_PROBE).await.map_err(unreachable)?;
        Ok(Fetched { host, status, clocks_apart, body })
    }

    fn refused(&self) -> Error {
        let tried = self.refusals.len();
        match self.refusals.last() {
            Some(Refusal { host, status, clocks_apart }) => {
                Error::Refused { host: host.clone(), status: *status, tried, clocks_apart: *clocks_apart }
            }
            None => Error::NoKey { scope: self.options.key_scope.unwrap_or(Scope::Container), source: None },
        }
    }
}

struct Fetched {
    host: String,
    status: StatusCode,
    clocks_apart: Option<Duration>,
    body: Bytes,
}

/// Host and port of a URL.
pub(super) fn host_of(url: &str) -> String {
    let authority = url.parse::<Uri>().ok().and_then(|url| Some(url.authority()?.to_string()));
    authority.unwrap_or_else(|| "the object store".to_owned())
}

/// By how much the clock of whoever answered differs from ours, if it is worth a word.
fn clocks_apart(headers: &HeaderMap) -> Option<Duration> {
    let theirs = httpdate::parse_http_date(text(headers, "date")?).ok()?;
    let ours = SystemTime::now();
    let apart = theirs.duration_since(ours).unwrap_or_else(|error| error.duration());
    (apart > CLOCKS_APART).then_some(apart)
}
