//! What may be remembered: only what is named by its digest, and so cannot change. What can be deleted is remembered for a
//! short time at most, and only as "it was there".

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use metrics::counter;
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, Weighter};

use crate::{Digest, RepositoryName};

/// How long "it was there" is believed: long enough for one push, short enough for a collector's grace time.
const BELIEF: Duration = Duration::from_mins(5);

/// Entries of each table of beliefs; some 200 bytes each.
const ENTRIES: usize = 16_384;

#[derive(Debug)]
pub(crate) struct Caches {
    sizes: Cache<Digest, (Instant, u64)>,
    links: Cache<Arc<(Link, RepositoryName, Digest)>, Instant>,
    manifests: Cache<Digest, Bytes, ByLength>,
}

/// What a repository has by a link. The same digest may be both, and one does not stand for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Link {
    Blob,
    Manifest,
}

/// The right and the duty to fetch a manifest.
pub(crate) type Turn<'a> =
    PlaceholderGuard<'a, Digest, Bytes, ByLength, DefaultHashBuilder, DefaultLifecycle<Digest, Bytes>>;

#[derive(Debug, Clone)]
pub(crate) struct ByLength;

impl Weighter<Digest, Bytes> for ByLength {
    fn weight(&self, _digest: &Digest, content: &Bytes) -> u64 {
        // What an entry costs beside its content.
        content.len() as u64 + 256
    }
}

impl Caches {
    /// Keeps at most `manifest_bytes` bytes of manifests.
    pub(crate) fn new(manifest_bytes: u64) -> Self {
        let entries = usize::try_from(manifest_bytes / 2048).unwrap_or(ENTRIES).clamp(16, 1 << 20);
        Self {
            sizes: Cache::new(ENTRIES),
            links: Cache::new(ENTRIES),
            manifests: Cache::with_weighter(entries, manifest_bytes, ByLength),
        }
    }

    /// The size of a blob that was seen not long ago.
    pub(crate) fn size(&self, digest: &Digest) -> Option<u64> {
        let size = self.sizes.get(digest).and_then(|(seen, size)| (seen.elapsed() < BELIEF).then_some(size));
        // What registry:2 counts of its cache of blob descriptors.
        counter!("registry_storage_cache_total", "type" => "Request").increment(1);
        counter!("registry_storage_cache_total", "type" => hit_or_miss(size.is_some())).increment(1);
        size
    }

    pub(crate) fn saw_blob(&self, digest: &Digest, size: u64) {
        self.sizes.insert(digest.clone(), (Instant::now(), size));
    }

    /// The blob was expected and is not there.
    pub(crate) fn missed_blob(&self, digest: &Digest) {
        self.sizes.remove(digest);
        self.manifests.remove(digest);
    }

    /// Whether the repository had the blob or manifest not long ago. Good enough to accept a manifest that names it, never
    /// to hand it out.
    pub(crate) fn had_link(&self, link: Link, repository: &RepositoryName, digest: &Digest) -> bool {
        let key = (link, repository.clone(), digest.clone());
        self.links.get(&key).is_some_and(|seen| seen.elapsed() < BELIEF)
    }

    pub(crate) fn saw_link(&self, link: Link, repository: &RepositoryName, digest: &Digest) {
        self.links.insert(Arc::new((link, repository.clone(), digest.clone())), Instant::now());
    }

    /// The link was expected and is not there.
    pub(crate) fn missed_link(&self, link: Link, repository: &RepositoryName, digest: &Digest) {
        self.links.remove(&(link, repository.clone(), digest.clone()));
    }

    /// The manifest, or the turn to fetch it. Others that ask meanwhile wait until it is there, or one after the other get
    /// the turn when it was given back.
    pub(crate) async fn manifest_or_turn(&self, digest: &Digest) -> Result<Bytes, Turn<'_>> {
        let found = self.manifests.get_value_or_guard_async(digest).await;
        counter!("apus_manifest_cache_total", "type" => hit_or_miss(found.is_ok())).increment(1);
        found
    }

    pub(crate) fn keep_manifest(&self, digest: &Digest, content: &Bytes) {
        self.manifests.insert(digest.clone(), content.clone());
    }
}

fn hit_or_miss(hit: bool) -> &'static str {
    if hit { "Hit" } else { "Miss" }
}
