//! Temporary URLs: anyone who has one may fetch one object for a while, from the object store itself (Swift, "TempURL"
//! middleware). [`sign`] makes them, [`keys`] finds what to sign with, and [`proof`] shows that the cluster takes them:
//! none is given out before that.

mod error;
mod keys;
mod options;
mod proof;
mod sign;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use apus_storage::UrlMethod;
use bytes::Bytes;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

pub use error::TemporaryUrlError;
pub use options::{TemporaryUrlOptions, TemporaryUrlScope};
pub use sign::TemporaryUrlDigest;

use super::Container;
use crate::config::{Entity, Interface, SwiftConfig};
use proof::{Probe, Proven, host_of, prove};
use sign::expiry;

/// After failures the pause before the next proof grows to so many times the first.
const LONGEST_PAUSE: u32 = 10;
/// A proof that is as old as so many intervals, because nobody has asked for long, counts no more.
const BELIEVED: u32 = 10;

/// Temporary URLs for the objects of one container. Clones are the same.
///
/// They are given out only while they are known to work: an object was fetched by one, from this process. The proof is made
/// anew while they are used, so that a key that was replaced or a front end that was changed is noticed within
/// [`TemporaryUrlOptions::proof_interval`]; after a long time without use it comes before the first URL. It runs in the
/// background, and nobody ever waits for it.
#[derive(Clone)]
pub struct TemporaryUrls(Arc<Inner>);

struct Inner {
    container: Container,
    options: TemporaryUrlOptions,
    project_id: Option<String>,
    /// The endpoint in use, where clients cannot be expected to reach it.
    inward: Option<Interface>,
    probe: Probe,
    state: Mutex<State>,
    /// Held by whoever proves.
    gate: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    proven: Option<Arc<Proven>>,
    /// When that was found, or was not.
    last: Option<Instant>,
    /// After what time to look again.
    pause: Duration,
    /// In a row.
    failures: u32,
}

/// How the URLs are signed that were proven to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryUrlProof {
    /// By which digest.
    pub digest: TemporaryUrlDigest,
    /// By whose key; `None` when it is the configured one, which may be either's.
    pub scope: Option<TemporaryUrlScope>,
    /// Where clients are sent: a host, perhaps with a port.
    pub host: String,
}

impl TemporaryUrls {
    /// Temporary URLs for the objects of a container. Needs no network.
    ///
    /// `probe` is the name of the object that proofs fetch, and `content` what is in it: no more than 64 KiB. It is written
    /// when it is missing, and stays.
    ///
    /// Over the internal or the admin endpoint of a catalog there are none unless
    /// [`public_host`](TemporaryUrlOptions::public_host) says where clients find the object store.
    #[must_use]
    pub fn new(container: Container, config: &SwiftConfig, probe: impl Into<String>, content: Bytes) -> Self {
        let options = config.temporary_urls.clone();
        let project_id = config.credentials.project().and_then(|project| match project {
            Entity::Id(id) => Some(id.clone()),
            Entity::Name { .. } => None,
        });
        let probe = Probe { name: probe.into(), content };
        let reachable = config.storage_url.is_some() || options.public_host.is_some();
        let inward = Some(config.interface).filter(|interface| *interface != Interface::Public && !reachable);
        let (state, gate) = Default::default();
        Self(Arc::new(Inner { container, options, project_id, inward, probe, state, gate }))
    }

    /// A URL that gives an object to anyone who asks for it by this method, for so long. `None` unless such URLs are known
    /// to work. Whether there is such an object is not looked at.
    ///
    /// Never waits; when it is time for a proof, it begins one. Must be called within a Tokio runtime.
    #[must_use]
    pub fn url(&self, object: &str, method: UrlMethod, life: Duration) -> Option<String> {
        self.see_to_the_proof();
        let believed = self.0.options.proof_interval * BELIEVED;
        let proven = {
            let state = self.state();
            state.last.filter(|last| last.elapsed() <= believed)?;
            state.proven.clone()?
        };
        if method == UrlMethod::Head && !proven.head {
            return None;
        }
        Some(proven.signer.url(object, method, expiry(life)))
    }

    /// Proves now that temporary URLs work, and waits for it. May set a key, and write the probe.
    pub async fn prove(&self) -> Result<TemporaryUrlProof, TemporaryUrlError> {
        let gate = Arc::clone(&self.0.gate).lock_owned().await;
        self.prove_behind(gate).await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn see_to_the_proof(&self) {
        {
            let state = self.state();
            if state.last.is_some_and(|last| last.elapsed() < state.pause) {
                return;
            }
        }
        let Ok(gate) = Arc::clone(&self.0.gate).try_lock_owned() else { return };
        let urls = self.clone();
        tokio::spawn(async move { urls.prove_behind(gate).await });
    }

    async fn prove_behind(&self, _gate: OwnedMutexGuard<()>) -> Result<TemporaryUrlProof, TemporaryUrlError> {
        let Inner { container, options, project_id, inward, probe, .. } = &*self.0;
        let before = self.state().proven.clone();
        let found = match *inward {
            Some(interface) => Err(TemporaryUrlError::Inward { interface }),
            None => prove(container, options, project_id.as_deref(), probe, before.as_deref()).await,
        };
        let mut state = self.state();
        let container = container.name();
        match found {
            Ok(proven) => {
                let proof = TemporaryUrlProof {
                    digest: proven.signer.digest,
                    scope: proven.scope,
                    host: host_of(&proven.signer.place.url),
                };
                if before.is_none() {
                    tracing::info!(container, digest = %proof.digest, host = proof.host, "temporary URLs work");
                }
                *state = State {
                    proven: Some(Arc::new(proven)),
                    last: Some(Instant::now()),
                    pause: options.proof_interval,
                    failures: 0,
                };
                Ok(proof)
            }
            Err(error) => {
                // Said once, and again when they had worked.
                if state.failures == 0 {
                    let (reason, advice) = (with_causes(&error), error.advice());
                    tracing::warn!(
                        container,
                        reason,
                        advice,
                        "temporary URLs do not work, content is streamed"
                    );
                }
                let times = 2_u32.saturating_pow(state.failures).min(LONGEST_PAUSE);
                *state = State {
                    proven: None,
                    last: Some(Instant::now()),
                    pause: options.proof_interval * times,
                    failures: state.failures.saturating_add(1),
                };
                Err(error)
            }
        }
    }
}

/// An error with its causes, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl std::fmt::Debug for TemporaryUrls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TemporaryUrls")
            .field("container", &self.0.container.name())
            .field("options", &self.0.options)
            .finish_non_exhaustive()
    }
}
