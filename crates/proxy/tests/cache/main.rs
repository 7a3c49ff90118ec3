//! The cache in front of a scripted registry.
//!
//! | file | what it shows |
//! |---|---|
//! | `blobs` | one fetch for all, slow and late readers, broken and poisoned upstreams |
//! | `manifests` | tags that are asked for, and what is served while the upstream is down |
//! | `storage` | a storage that takes nothing |
//! | `trust` | credentials, token servers and redirects |
//! | `expiry` | what nobody has pulled goes, and nothing else |

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod blobs;
mod expiry;
mod manifests;
mod storage;
mod trust;
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use apus_http_client::Proxies;
use apus_proxy::{Cache, CacheOptions, Error, UpstreamErrorKind, UpstreamOptions};
use apus_registry::{Reference, Registry, RegistryOptions, RepositoryName};
use apus_storage::{ListEntry, ListRequest, MemoryStorage, Storage};

use upstream::Upstream;

/// How long anything here may take.
const LIMIT: Duration = Duration::from_mins(1);

struct Here {
    cache: Arc<Cache>,
    storage: Arc<MemoryStorage>,
    registry: Arc<Registry>,
}

fn options(url: &str) -> UpstreamOptions {
    UpstreamOptions {
        url: url.to_owned(),
        prefix: None,
        ns: Vec::new(),
        remote_namespace: None,
        credentials: None,
        ttl: None,
        freshness: Duration::ZERO,
        token_servers: Vec::new(),
        allowed_networks: Vec::new(),
    }
}

fn here(upstream: &Upstream) -> Here {
    here_with(vec![options(&upstream.url())], Arc::new(MemoryStorage::new()), RegistryOptions::default())
}

fn here_with(upstreams: Vec<UpstreamOptions>, storage: Arc<MemoryStorage>, options: RegistryOptions) -> Here {
    let registry = Arc::new(Registry::new(Arc::<MemoryStorage>::clone(&storage), options));
    let options =
        CacheOptions { upstreams, write_timeout: Duration::from_mins(1), proxies: Proxies::default() };
    let cache = Cache::new(Arc::clone(&registry), Arc::<MemoryStorage>::clone(&storage), options).unwrap();
    Here { cache, storage, registry }
}

impl Here {
    async fn names(&self) -> Vec<String> {
        let page = self.storage.list(&ListRequest::everything()).await.unwrap();
        page.entries.iter().map(ListEntry::key).collect()
    }

    async fn wait_until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        tokio::time::timeout(LIMIT, async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
    }
}

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

fn kind(error: &Error) -> UpstreamErrorKind {
    match error {
        Error::Upstream(error) => error.kind,
        other => panic!("not the upstream's: {other:?}"),
    }
}
