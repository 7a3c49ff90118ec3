//! The cache itself: what its rooms share.

use std::sync::Arc;

use apus_http_client::Error as HttpError;
use apus_registry::{Manifest, Registry, RepositoryName};
use apus_storage::Storage;

use crate::flights::Flights;
use crate::manifests::{Seen, Wanted};
use crate::records::Records;
use crate::routes::{Routes, Target};
use crate::shared::Shared;
use crate::upstream::Upstream;
use crate::{CacheOptions, Result};

/// A cache of other registries over a registry. Any number of them, in any number of processes, may work over the same
/// storage at once.
#[derive(Debug)]
pub struct Cache {
    pub(crate) registry: Arc<Registry>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) options: CacheOptions,
    pub(crate) routes: Routes,
    pub(crate) flights: Arc<Flights>,
    pub(crate) fetching: Arc<Shared<Wanted, Result<Manifest>>>,
    pub(crate) seen: Seen,
    pub(crate) records: Records,
}

impl Cache {
    /// A cache over `registry`, which lies in `storage`. Asks nothing of anyone yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be made: the proxy of the environment is none.
    pub fn new(
        registry: Arc<Registry>,
        storage: Arc<dyn Storage>,
        options: CacheOptions,
    ) -> Result<Arc<Self>, HttpError> {
        let upstreams = options
            .upstreams
            .iter()
            .map(|upstream| Upstream::new(upstream.clone(), options.proxies.clone()).map(Arc::new))
            .collect::<Result<_, _>>()?;
        Ok(Arc::new(Self {
            registry,
            records: Records::new(Arc::clone(&storage)),
            storage,
            options,
            routes: Routes::new(upstreams),
            flights: Arc::default(),
            fetching: Arc::default(),
            seen: Seen::default(),
        }))
    }

    /// The name here of what a client calls `name`. `ns` is what it says in `?ns=`: the registry that it would have asked, as
    /// containerd tells a mirror.
    ///
    /// # Errors
    /// [`Error::NotServed`](crate::Error::NotServed) when that registry is not configured;
    /// [`Error::Registry`](crate::Error::Registry) when there can be no such repository.
    pub fn local_name(&self, name: &RepositoryName, ns: &str) -> Result<RepositoryName> {
        self.routes.local_name(name, ns)
    }

    pub(crate) fn target(&self, local: &RepositoryName) -> Option<Target> {
        self.routes.target(local)
    }
}
