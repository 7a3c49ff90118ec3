//! Manifests that are there though no listing shows them. A manifest among the blobs that are to go is one that no repository
//! was seen to have. But the links of the blobs that it alone names are older than its own, and say which repositories may have
//! it: these are asked.

use std::collections::{BTreeSet, HashMap};

use apus_storage::{ListEntry, ListRequest};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::candidates::Doomed;
use super::entries::{Entry, of_repository};
use super::manifest::Content;
use super::marks::Packed;
use super::walk::Condemned;
use super::{CollectError, CollectEvent, Collection};
use crate::{Digest, Error, Result, layout};

/// By what they name: manifests that are to go.
type Witnesses = HashMap<Packed, Vec<Packed>>;

impl Collection<'_> {
    /// Asks the repositories for the manifests that are to go, and that they were not seen to have.
    pub(super) async fn ask_for_unlisted(
        &self,
        doomed: &[Doomed],
        condemned: &[Condemned],
    ) -> Result<(), CollectError> {
        let witnesses = self.witnesses(doomed).await?;
        if witnesses.is_empty() {
            return Ok(());
        }
        let request = ListRequest::under(layout::repositories().map_err(Error::from)?);
        let prefix = request.prefix();
        let mut next = Some(request);
        while let Some(request) = next {
            let page = self.registry.storage.list(&request).await.map_err(Error::from)?;
            let mut questions = BTreeSet::new();
            for entry in &page.entries {
                let ListEntry::Object { name, .. } = entry else { continue };
                let Some((repository, Entry::Layer(Some(digest)) | Entry::Revision(digest))) =
                    name.as_str().strip_prefix(&prefix).and_then(of_repository)
                else {
                    continue;
                };
                for manifest in witnesses.get(&Packed::from(&digest)).into_iter().flatten() {
                    let manifest = Digest::from(manifest);
                    let place = condemned.binary_search_by_key(&(repository, &manifest), |condemned| {
                        (&*condemned.repository, &condemned.digest)
                    });
                    if place.is_err() {
                        questions.insert((repository, manifest));
                    }
                }
            }
            self.ask_all(questions).await?;
            next = page.next.map(|next| request.after(next));
        }
        Ok(())
    }

    /// The manifests among the blobs that are to go, by the first blob that goes with them.
    async fn witnesses(&self, doomed: &[Doomed]) -> Result<Witnesses> {
        let is_doomed = |digest: &Packed| doomed.binary_search_by_key(&digest, |blob| &blob.digest).is_ok();
        let limit = self.registry.manifest_limit() as u64;
        let small = doomed.iter().filter(|blob| blob.size <= limit);
        let mut contents = stream::iter(small)
            .map(|blob| async move {
                Ok::<_, Error>((self.content(&Digest::from(&blob.digest)).await?, &blob.digest))
            })
            .buffer_unordered(self.options.parallel.max(1));
        let mut witnesses = Witnesses::new();
        let mut count = 0;
        while let Some((content, digest)) = contents.try_next().await? {
            count += 1;
            if count % 1000 == 0 {
                self.tell(CollectEvent::Progress("blobs that may be manifests read", count));
            }
            let Content::Manifest(named) = content else { continue };
            if let Some(witness) = named.all.iter().map(Packed::from).find(is_doomed) {
                witnesses.entry(witness).or_default().push(digest.clone());
            }
        }
        Ok(witnesses)
    }

    async fn ask_all(&self, questions: BTreeSet<(&str, Digest)>) -> Result<(), CollectError> {
        let mut answers = stream::iter(questions)
            .map(|(repository, digest)| async move {
                Ok::<_, Error>((self.has_revision(repository, &digest).await?, repository, digest))
            })
            .buffer_unordered(self.options.parallel.max(1));
        while let Some((is_there, repository, digest)) = answers.try_next().await? {
            if is_there {
                let doubt = format!(
                    "{repository}: the manifest {digest} is there and is not listed; try again later"
                );
                return Err(CollectError::InDoubt { doubts: vec![doubt], more: 0 });
            }
        }
        Ok(())
    }
}
