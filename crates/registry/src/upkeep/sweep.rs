//! Deleting, in this order: what goes with a manifest (referrer records, entries of histories, signatures) and then its link;
//! the links of blobs; the blobs. What points to something goes before it, so that wherever this is cut off nothing is left that
//! promises what is gone. Where something cannot be deleted, what it points to stays, and so does all that comes later.

use std::collections::HashSet;

use apus_storage::{ErrorKind, ListEntry, ListRequest, ObjectName, Outcome};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::candidates::Doomed;
use super::entries::{Entry, of_repository};
use super::marks::Packed;
use super::walk::{Condemned, Walked};
use super::{CollectEvent, CollectSummary, Collection};
use crate::{Digest, Error, Result, layout};

/// Objects that are deleted in one call.
const BATCH: usize = 500;

impl Collection<'_> {
    /// Deletes what is not needed, and counts it.
    pub(super) async fn sweep(&self, walked: Walked, doomed: Vec<Doomed>, summary: &mut CollectSummary) {
        let swept = async {
            self.sweep_manifests(&walked.condemned, walked.stale, summary).await?;
            let doomed = self.sweep_links(doomed, summary).await?;
            self.sweep_blobs(&doomed, summary).await
        };
        if let Err(Stopped) = swept.await {
            self.warn("not all of it could be deleted; run it again");
        }
    }

    async fn sweep_manifests(
        &self,
        condemned: &[Condemned],
        stale: Vec<ObjectName>,
        summary: &mut CollectSummary,
    ) -> Result<(), Stopped> {
        self.delete(&stale, |summary| &mut summary.deleted_links, summary).await?;
        for batch in condemned.chunks(BATCH) {
            let attached: Vec<ObjectName> =
                batch.iter().flat_map(|manifest| &manifest.attached).cloned().collect();
            self.delete(&attached, |summary| &mut summary.deleted_links, summary).await?;
            let links: Vec<ObjectName> = batch.iter().map(|manifest| manifest.link.clone()).collect();
            self.delete(&links, |summary| &mut summary.deleted_manifests, summary).await?;
            self.tell(CollectEvent::Progress("manifests deleted", summary.deleted_manifests));
        }
        Ok(())
    }

    /// Deletes the links of blobs that are to go. A blob to which a young link points after all stays.
    async fn sweep_links(
        &self,
        mut doomed: Vec<Doomed>,
        summary: &mut CollectSummary,
    ) -> Result<Vec<Doomed>, Stopped> {
        if doomed.is_empty() {
            return Ok(doomed);
        }
        let place = |doomed: &[Doomed], digest: &Digest| {
            doomed.binary_search_by_key(&&Packed::from(digest), |blob| &blob.digest).ok()
        };
        let mut spared = HashSet::new();
        let request = match layout::repositories() {
            Ok(repositories) => ListRequest::under(repositories),
            Err(error) => return Err(self.stop(&error.into(), summary)),
        };
        let prefix = request.prefix();
        let mut next = Some(request);
        while let Some(request) = next {
            let page = self.registry.storage.list(&request).await;
            let page = page.map_err(|error| self.stop(&error.into(), summary))?;
            let mut links = Vec::new();
            for entry in page.entries {
                let ListEntry::Object { name, modified, .. } = entry else { continue };
                let Some((_, Entry::Layer(Some(digest)))) =
                    name.as_str().strip_prefix(&prefix).and_then(of_repository)
                else {
                    continue;
                };
                match place(&doomed, &digest) {
                    Some(place) if self.is_young(modified) => drop(spared.insert(place)),
                    Some(_) => links.push((name, digest)),
                    None => {}
                }
            }
            let links = self.own(links).await.map_err(|error| self.stop(&error, summary))?;
            self.delete(&links, |summary| &mut summary.deleted_links, summary).await?;
            self.tell(CollectEvent::Progress("links of blobs deleted", summary.deleted_links));
            next = page.next.map(|next| request.after(next));
        }
        let mut places = 0..;
        doomed.retain(|_| places.next().is_some_and(|place| !spared.contains(&place)));
        Ok(doomed)
    }

    /// Of these links those that do point where their names say. In registry:2 a name may be another of the blob's digests.
    async fn own(&self, links: Vec<(ObjectName, Digest)>) -> Result<Vec<ObjectName>> {
        stream::iter(links)
            .map(|(name, digest)| async move {
                let _turn = self.requests.acquire().await.ok();
                match self.registry.links.read(&name).await {
                    Ok(target) => Ok((target == Some(digest)).then_some(name)),
                    // It points nowhere, and so promises nothing.
                    Err(Error::Storage(error)) if error.kind() == ErrorKind::Damaged => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .buffer_unordered(self.options.parallel.max(1))
            .try_filter_map(|name| std::future::ready(Ok(name)))
            .try_collect()
            .await
    }

    /// Deletes blobs, each with its segments. It may be long since they were asked, so they are asked again.
    async fn sweep_blobs(&self, doomed: &[Doomed], summary: &mut CollectSummary) -> Result<(), Stopped> {
        for batch in doomed.chunks(BATCH) {
            let asked = stream::iter(batch).map(|blob| async move {
                let digest = Digest::from(&blob.digest);
                let is_same = self.ask(&digest).await? == Some(blob.size);
                Ok::<_, Error>(is_same.then_some((layout::blob_data(&digest)?, blob.size)))
            });
            let blobs: Vec<(ObjectName, u64)> = asked
                .buffered(self.options.parallel.max(1))
                .try_filter_map(|blob| std::future::ready(Ok(blob)))
                .try_collect()
                .await
                .map_err(|error| self.stop(&error, summary))?;
            let names: Vec<ObjectName> = blobs.iter().map(|(name, _)| name.clone()).collect();
            let outcomes = self.registry.storage.delete(&names).await;
            for ((name, size), outcome) in blobs.iter().zip(outcomes) {
                match outcome {
                    Ok(Outcome::Done) => {
                        summary.deleted_blobs += 1;
                        summary.freed_bytes += size;
                    }
                    Ok(Outcome::Absent) => {}
                    Err(error) => self.failed(&format!("{name}: {}", error.report()), summary),
                }
            }
            self.tell(CollectEvent::Progress("blobs deleted", summary.deleted_blobs));
        }
        Ok(())
    }

    /// Deletes objects, and counts those that were there.
    async fn delete(
        &self,
        names: &[ObjectName],
        counter: fn(&mut CollectSummary) -> &mut u64,
        summary: &mut CollectSummary,
    ) -> Result<(), Stopped> {
        let failures = summary.failures;
        for batch in names.chunks(BATCH) {
            for (name, outcome) in batch.iter().zip(self.registry.storage.delete(batch).await) {
                match outcome {
                    Ok(Outcome::Done) => *counter(summary) += 1,
                    Ok(Outcome::Absent) => {}
                    Err(error) => self.failed(&format!("{name}: {}", error.report()), summary),
                }
            }
        }
        if summary.failures > failures { Err(Stopped) } else { Ok(()) }
    }

    fn stop(&self, error: &Error, summary: &mut CollectSummary) -> Stopped {
        self.failed(&error.to_string(), summary);
        Stopped
    }

    pub(super) fn failed(&self, what: &str, summary: &mut CollectSummary) {
        summary.failures += 1;
        self.warn(&format!("cannot delete: {what}"));
    }
}

/// Something could not be deleted, and so what comes later must not be.
struct Stopped;
