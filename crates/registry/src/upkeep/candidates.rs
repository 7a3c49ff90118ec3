//! Blobs that nothing needs: those that lie in storage, that no walk has marked, and that are old. A listing only proposes them;
//! each is asked itself.

use apus_storage::{ErrorKind, Freshness, ListEntry, ListRequest, ObjectName};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::entries::of_blob;
use super::manifest::Content;
use super::marks::Packed;
use super::{CollectError, CollectEvent, Collection, held};
use crate::{Digest, Error, Result, layout};

/// Blobs that a listing shows and nothing needs.
#[derive(Default)]
pub(super) struct Candidates {
    /// In their order.
    pub(super) old: Vec<Packed>,
    pub(super) young: u64,
}

/// A blob that is there, and that nothing needs.
pub(super) struct Doomed {
    pub(super) digest: Packed,
    /// Bytes of content.
    pub(super) size: u64,
}

impl Collection<'_> {
    /// The blobs that are listed and not marked.
    ///
    /// One that is young may be a manifest whose link is not listed yet, and so keeps what it names.
    pub(super) async fn candidates(&self, has_repositories: bool) -> Result<Candidates, CollectError> {
        let mut candidates = Candidates::default();
        let mut listed = 0;
        let mut request = ListRequest::under(layout::blobs().map_err(Error::from)?);
        let prefix = request.prefix();
        loop {
            let page = self.registry.storage.list(&request).await.map_err(Error::from)?;
            listed += page.entries.len() as u64;
            self.tell(CollectEvent::Progress("blobs listed", listed));
            let mut young = Vec::new();
            for entry in page.entries {
                let ListEntry::Object { name, size, modified } = entry else { continue };
                let Some(digest) = name.as_str().strip_prefix(&prefix).and_then(of_blob) else { continue };
                if held(&self.marks).contains(&digest) {
                    continue;
                }
                if self.is_young(modified) {
                    candidates.young += 1;
                    // A manifest larger than the limit is none.
                    if size <= self.registry.manifest_limit() as u64 {
                        young.push(digest);
                    }
                } else {
                    candidates.old.push(Packed::from(&digest));
                }
            }
            self.keep_what_young_manifests_name(young).await?;
            match page.next {
                Some(next) => request = request.after(next),
                None => break,
            }
        }
        if listed > 0 && !has_repositories {
            let doubt = "there are blobs, and storage lists no repository at all; if that is so, remove the blobs by hand";
            return Err(CollectError::InDoubt { doubts: vec![doubt.to_owned()], more: 0 });
        }
        let marks = held(&self.marks);
        candidates.old.retain(|digest| !marks.contains(&Digest::from(digest)));
        drop(marks);
        Ok(candidates)
    }

    async fn keep_what_young_manifests_name(&self, young: Vec<Digest>) -> Result<()> {
        stream::iter(young)
            .map(|digest| async move {
                if let Content::Manifest(named) = self.content(&digest).await? {
                    self.mark(&named.all);
                }
                Ok::<_, Error>(())
            })
            .buffer_unordered(self.options.parallel.max(1))
            .try_collect()
            .await
    }

    /// Asks each candidate itself, as the newest. What is gone, or younger than it was listed, is none; what cannot be read
    /// is left where it is.
    pub(super) async fn asked(&self, candidates: Vec<Packed>) -> Result<Vec<Doomed>> {
        let mut doomed = Vec::new();
        let mut asked = stream::iter(candidates)
            .map(|digest| async move { Ok::<_, Error>((self.ask(&Digest::from(&digest)).await?, digest)) })
            .buffered(self.options.parallel.max(1));
        let mut count = 0;
        while let Some((size, digest)) = asked.try_next().await? {
            count += 1;
            if count % 1000 == 0 {
                self.tell(CollectEvent::Progress("blobs asked", count));
            }
            doomed.extend(size.map(|size| Doomed { digest, size }));
        }
        Ok(doomed)
    }

    /// The size of a blob that is there and old.
    pub(super) async fn ask(&self, digest: &Digest) -> Result<Option<u64>> {
        let _turn = self.requests.acquire().await.ok();
        let name: ObjectName = layout::blob_data(digest)?;
        match self.registry.storage.stat(&name, Freshness::Newest).await {
            Ok(info) => Ok(info.filter(|info| !self.is_young(info.modified)).map(|info| info.size)),
            Err(error) if error.kind() == ErrorKind::Damaged => {
                self.warn(&format!(
                    "{digest} is damaged, and nothing needs it; it is left there, remove it by hand: {}",
                    error.report()
                ));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}
