//! A client of Swift's API, in the terms of that API: containers, objects, large objects. What a registry or a storage
//! contract is, is not known here.

mod account;
mod answer;
mod bulk;
mod container;
mod copy;
mod dynamic;
mod large;
mod listing;
mod measured;
mod metadata;
mod object;
mod report;
mod resume;
mod segments;
mod send;
mod slo;
mod temporary_url;
mod troubles;
mod upload;
mod usage;
mod whole;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use apus_http_client::{HttpClient, RequestBody};
use http::Request;
use tokio::time::Instant;

pub use account::ContainerEntry;
pub use container::Container;
pub use dynamic::DynamicManifest;
pub use large::LargeUpload;
pub(crate) use large::segment_length;
pub use listing::{Listing, ListingEntry, ListingRequest};
pub use metadata::{ObjectKind, ObjectMetadata};
pub use object::{Deletion, Download, Reading};
pub(crate) use segments::{Source, Unused, free};
pub use slo::{Segment, SloManifest};
pub use temporary_url::{
    TemporaryUrlDigest, TemporaryUrlError, TemporaryUrlOptions, TemporaryUrlProof, TemporaryUrlScope,
    TemporaryUrls,
};
pub use upload::{Content, Stored, Upload, Uploaded};
pub use usage::Usage;
pub(crate) use whole::Doomed;

use crate::auth::{SignIn, TokenCell};
use crate::config::{AuthVersion, ConfigError, SwiftConfig};
use crate::error::{Result, SwiftError};
use crate::info::{Capabilities, CapabilityOverrides, addresses};
use crate::retry::RetryPolicy;

/// Requests for signing in and for `/info` under way at once; they do not wait for transfers to end.
const CONTROL_REQUESTS: usize = 8;
/// A cluster that could not say what it can is asked again after this time.
const INFO_PAUSE: Duration = Duration::from_mins(1);
/// `/info` has some KiB.
const LONGEST_INFO: usize = 1 << 20;

/// A client of one account of a Swift. Clones share its connections and its token.
///
/// Making one needs no network: it signs in with the first request, and again whenever it must.
#[derive(Clone)]
pub struct SwiftClient(Arc<Inner>);

struct Inner {
    http: HttpClient,
    control: HttpClient,
    tokens: TokenCell,
    retry: RetryPolicy,
    verify_checksums: Option<bool>,
    known: CapabilityOverrides,
    /// Most entries in a page, as far as the cluster has refused more.
    learned_listing_limit: AtomicUsize,
    info: tokio::sync::Mutex<Option<Info>>,
    /// Whether nothing is sent that would change anything.
    read_only: AtomicBool,
}

struct Info {
    capabilities: Capabilities,
    /// `None` when the cluster has said all that it will say.
    ask_again: Option<Instant>,
}

/// What a client is connected to, for a log.
#[derive(Debug, Clone)]
pub struct Connected {
    /// The account's URL.
    pub storage_url: String,
    /// How long the token is still good for, where that was said.
    pub token_life: Option<Duration>,
    /// The version of the sign-in.
    pub auth_version: Option<AuthVersion>,
    /// What the cluster can.
    pub capabilities: Capabilities,
}

impl SwiftClient {
    /// A client by this configuration; its container and prefix are not looked at.
    pub fn new(config: &SwiftConfig) -> Result<Self, ConfigError> {
        config.validate()?;
        let http = config.http_client()?;
        let control = http.with_own_limit(CONTROL_REQUESTS);
        let sign_in = SignIn::new(control.clone(), Arc::new(config.clone()));
        let tokens = TokenCell::new(sign_in);
        Ok(Self(Arc::new(Inner {
            http,
            control,
            tokens,
            retry: RetryPolicy { tries: config.max_tries.max(1), total: config.total_timeout },
            verify_checksums: config.verify_checksums,
            known: config.capabilities.clone(),
            learned_listing_limit: AtomicUsize::new(usize::MAX),
            info: tokio::sync::Mutex::default(),
            read_only: AtomicBool::new(false),
        })))
    }

    /// Whether this client and its clones refuse to change anything, by themselves or for others, from now on: no container is
    /// made, no key is set, no object is written. At first they do not.
    pub fn set_read_only(&self, read_only: bool) {
        self.0.read_only.store(read_only, Ordering::Relaxed);
    }

    /// A container of the account, be it there or not.
    #[must_use]
    pub fn container(&self, name: impl Into<String>) -> Container {
        Container::new(self.clone(), name.into())
    }

    /// Signs in if need be, and says what was found.
    pub async fn connect(&self) -> Result<Connected> {
        let account =
            self.0.tokens.account().await.map_err(|error| SwiftError::not_signed_in("sign-in", error))?;
        Ok(Connected {
            storage_url: account.storage_url().to_owned(),
            token_life: account.life_left(),
            auth_version: self.0.tokens.version(),
            capabilities: self.capabilities().await?,
        })
    }

    /// Whether streams that are written are compared with what Swift says it stored.
    async fn verifies_checksums(&self) -> bool {
        match self.0.verify_checksums {
            Some(said) => said,
            // Who is not signed in sends nothing.
            None => {
                self.0.tokens.account().await.map_or(true, |account| !is_protected(account.storage_url()))
            }
        }
    }

    /// What the cluster can, as far as the configuration does not know better. It is asked once; while it does not answer,
    /// what is usual counts.
    pub async fn capabilities(&self) -> Result<Capabilities> {
        let mut info = self.0.info.lock().await;
        if let Some(info) = &*info
            && info.ask_again.is_none_or(|time| time > Instant::now())
        {
            return Ok(info.capabilities.clone());
        }
        let account =
            self.0.tokens.account().await.map_err(|error| SwiftError::not_signed_in("GET /info", error))?;
        let mut found = Info { capabilities: Capabilities::default(), ask_again: None };
        for address in addresses(account.storage_url()) {
            match self.ask_info(&address).await {
                Ok(Some(capabilities)) => {
                    found = Info { capabilities, ask_again: None };
                    break;
                }
                Ok(None) => {}
                Err(reason) => {
                    tracing::warn!(address, reason, "the cluster does not say what it can; the usual counts");
                    found.ask_again = Some(Instant::now() + INFO_PAUSE);
                }
            }
        }
        found.capabilities = found.capabilities.overridden_by(&self.0.known);
        let capabilities = found.capabilities.clone();
        *info = Some(found);
        Ok(capabilities)
    }

    /// `None` when there is no such thing at this address.
    async fn ask_info(&self, address: &str) -> Result<Option<Capabilities>, String> {
        let request = Request::get(address).body(RequestBody::empty()).map_err(|error| error.to_string())?;
        let response = self.0.control.send(request).await.map_err(|failure| failure.to_string())?;
        tracing::debug!(method = "GET", url = address, status = response.status.as_u16(), "swift");
        if response.status.is_server_error() {
            return Err(format!("it answered {}", response.status));
        }
        if !response.status.is_success() {
            return Ok(None);
        }
        let body = response.body.collect(LONGEST_INFO).await.map_err(|error| error.to_string())?;
        Ok(Capabilities::parse(&body))
    }
}

/// Whether TLS sees to it that bytes arrive as they were sent.
fn is_protected(storage_url: &str) -> bool {
    storage_url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}

impl std::fmt::Debug for SwiftClient {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SwiftClient").field("http", &self.0.http).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::is_protected;

    #[test]
    fn only_https_is_protected() {
        for (url, protected) in [
            ("https://swift/v1", true),
            ("HTTPS://swift", true),
            ("http://swift/https://", false),
            ("", false),
        ] {
            assert_eq!(is_protected(url), protected, "{url}");
        }
    }
}
