//! The end of what nobody has pulled for its time to live. Each replica looks for itself, and any number of them may at once: what
//! is deleted twice is deleted, and what is deleted too early is fetched again.
//!
//! First goes what a repository has, then the record of it. The bytes go when a listing of all repositories shows nobody who
//! has them, whoever wrote that: nothing is ever pushed into a cache, so what a listing that lags does not show yet was fetched.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apus_registry::{Digest, Error as RegistryError, KeptTags, layout};
use apus_storage::{BoxError, Freshness, ListEntry, ListRequest, ObjectName};
use metrics::counter;
use rand::RngExt;
use tokio::time::sleep;

use crate::cache::Cache;
use crate::error::chain;
use crate::records::{Kind, ROOT, Record};

/// How often in a time to live is looked for what has expired; between the next two.
const LOOKS_IN_TTL: u32 = 24;
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// Contents that one look frees at most; the rest waits for the next.
const MOST_CONTENTS: usize = 10_000;
/// Bytes that were written more lately may belong to a fetch that is about to link them.
const YOUNG: Duration = Duration::from_hours(1);

impl Cache {
    /// Deletes what has expired, again and again, for as long as it is not dropped. Ends at once where nothing ever expires.
    pub async fn keep_house(self: Arc<Self>) {
        let ttls = self.routes.upstreams().iter().filter_map(|upstream| upstream.options.ttl);
        let Some(shortest) = ttls.min() else { return };
        let pause = (shortest / LOOKS_IN_TTL).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        loop {
            // So that replicas that were started together do not look together.
            let share = rand::rng().random_range(0.5..1.5);
            sleep(pause.mul_f64(share)).await;
            match self.expire(SystemTime::now()).await {
                Ok(()) => {}
                Err(error) if is_disabled(&*error) => {
                    tracing::warn!("proxy.ttl: nothing expires, for storage.delete.enabled is not set");
                    return;
                }
                Err(error) => {
                    tracing::warn!(
                        error = chain(&*error),
                        "what has expired could not all be deleted; it is tried again"
                    );
                }
            }
        }
    }

    /// Deletes what has expired at this time.
    ///
    /// # Errors
    /// Whatever kept something from being deleted; the rest was, or will be next time.
    pub async fn expire(&self, now: SystemTime) -> Result<(), BoxError> {
        let mut loose = HashSet::new();
        let mut request = ListRequest::under(ObjectName::parse(ROOT)?);
        loop {
            let page = self.storage.list(&request).await?;
            for entry in &page.entries {
                let ListEntry::Object { name, modified, .. } = entry else { continue };
                let Some(record) = Record::parse(name.as_str()) else { continue };
                if loose.len() < MOST_CONTENTS
                    && self.has_expired(&record, *modified, now)
                    && self.drop_if_expired(name, &record, now).await?
                {
                    loose.insert(record.digest);
                }
            }
            match page.next {
                Some(next) => request = request.after(next),
                None => break,
            }
        }
        self.free(loose, now).await
    }

    fn has_expired(&self, record: &Record, used: SystemTime, now: SystemTime) -> bool {
        let upstreams = self.routes.upstreams();
        let ttl = match upstreams.iter().find(|upstream| upstream.identity() == record.identity) {
            Some(upstream) => upstream.options.ttl,
            // It is not configured any more.
            None => upstreams
                .iter()
                .map(|upstream| upstream.options.ttl)
                .max_by_key(|ttl| ttl.unwrap_or(Duration::MAX))
                .flatten(),
        };
        ttl.is_some_and(|ttl| now.duration_since(used).is_ok_and(|unused| unused > ttl))
    }

    /// Answers whether it was dropped. A listing may lag; the object itself says when it was used.
    async fn drop_if_expired(
        &self,
        name: &ObjectName,
        record: &Record,
        now: SystemTime,
    ) -> Result<bool, BoxError> {
        let Some(info) = self.storage.stat(name, Freshness::Newest).await? else { return Ok(false) };
        if !self.has_expired(record, info.modified, now) {
            return Ok(false);
        }
        let dropped = match record.kind {
            Kind::Blob => self.registry.delete_blob(&record.repository, &record.digest).await,
            Kind::Manifest => {
                self.registry.delete_manifest(&record.repository, &record.digest, KeptTags::NONE).await
            }
        };
        match dropped {
            Ok(()) | Err(RegistryError::BlobUnknown { .. } | RegistryError::ManifestUnknown { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        for deleted in self.storage.delete(std::slice::from_ref(name)).await {
            deleted?;
        }
        let kind = match record.kind {
            Kind::Blob => "blob",
            Kind::Manifest => "manifest",
        };
        counter!("apus_proxy_expired_total", "type" => kind).increment(1);
        tracing::info!(repository = %record.repository, digest = %record.digest, kind, "expired");
        Ok(true)
    }

    /// Deletes the bytes of those contents that no repository has.
    async fn free(&self, mut loose: HashSet<Digest>, now: SystemTime) -> Result<(), BoxError> {
        let mut request = ListRequest::under(layout::repositories()?);
        while !loose.is_empty() {
            let page = self.storage.list(&request).await?;
            for digest in
                page.entries.iter().filter_map(|entry| layout::digest_of_link(entry.name().as_str()))
            {
                loose.remove(&digest);
            }
            match page.next {
                Some(next) => request = request.after(next),
                None => break,
            }
        }
        // What has expired was written before its time to live began, unless it was fetched anew meanwhile.
        let ttls = self.routes.upstreams().iter().filter_map(|upstream| upstream.options.ttl);
        let young = ttls.min().unwrap_or(YOUNG).min(YOUNG);
        for digest in loose {
            let Some(info) = self.storage.stat(&layout::blob_data(&digest)?, Freshness::Newest).await? else {
                continue;
            };
            if now.duration_since(info.modified).is_ok_and(|age| age > young) {
                self.registry.delete_content(&digest).await?;
            }
        }
        Ok(())
    }
}

fn is_disabled(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(RegistryError::DeletesDisabled))
}
