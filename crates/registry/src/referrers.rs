//! Referrers: manifests that say something about another, their subject (OCI distribution specification, "Listing
//! Referrers"). Each is a small object under its subject's digest, written with the manifest and deleted with it; older clients
//! keep an index of them under a tag made from the digest, which is folded in.

use std::collections::BTreeMap;

use apus_storage::ListRequest;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::manifest::Outline;
use crate::{Digest, Error, Reference, Registry, RepositoryName, Result, Tag, layout};

/// Manifests that are read at once.
const PARALLEL_READS: usize = 8;

/// The longest page, in descriptors.
const LONGEST_PAGE: usize = 100;

/// The largest page, in bytes, unless its first descriptor alone is larger. Annotations are the larger part of them, and
/// clients read no more than 4 MiB of an index.
const LARGEST_PAGE: usize = 2 << 20;

/// What a list of referrers says of one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its length in bytes.
    pub size: u64,
    /// What sort of artifact it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Its annotations, as they stand in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<Box<RawValue>>,
}

impl Descriptor {
    /// Bytes in a list, but for a few.
    fn length(&self) -> usize {
        let artifact_type = self.artifact_type.as_ref().map_or(0, String::len);
        let annotations = self.annotations.as_ref().map_or(0, |annotations| annotations.get().len());
        self.media_type.len() + self.digest.len() + artifact_type + annotations + 100
    }
}

/// One page of the referrers of a subject.
#[derive(Debug, Clone)]
pub struct ReferrerPage {
    /// In the order of their digests.
    pub referrers: Vec<Descriptor>,
    /// Where the next page begins, if there is one.
    pub next: Option<Digest>,
}

impl Registry {
    /// The manifests of the repository whose subject is `subject`, after `last`, only those of `artifact_type` where one is
    /// given. None is no error, also when there is no such subject or repository.
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        last: Option<&Digest>,
    ) -> Result<ReferrerPage> {
        let under = layout::referrers(repository, subject)?;
        let mut request = ListRequest::under(under).limit(LONGEST_PAGE);
        if let Some(last) = last {
            request = request.after(layout::referrer_link(repository, subject, last)?.as_str());
        }
        let listed = self.links.list(&request).await?;
        let digests: Vec<Digest> = listed.keys.iter().filter_map(|key| layout::digest_of_link(key)).collect();
        let mut next = listed.next.and_then(|_| digests.last().cloned());
        let mut found = BTreeMap::new();
        let (mut size, mut taken) = (0, None);
        let mut descriptors = stream::iter(digests)
            .map(|digest| async move { Ok::<_, Error>((self.descriptor(&digest).await?, digest)) })
            .buffered(PARALLEL_READS);
        while let Some((descriptor, digest)) = descriptors.try_next().await? {
            if let Some(descriptor) = descriptor {
                size += descriptor.length();
                if size > LARGEST_PAGE && taken.is_some() {
                    next = taken;
                    break;
                }
                found.insert(descriptor.digest.clone(), descriptor);
            }
            taken = Some(digest);
        }
        if last.is_none() {
            for descriptor in self.fallback(repository, subject).await? {
                found.entry(descriptor.digest.clone()).or_insert(descriptor);
            }
        }
        let wanted = |descriptor: &Descriptor| {
            artifact_type.is_none_or(|wanted| descriptor.artifact_type.as_deref() == Some(wanted))
        };
        Ok(ReferrerPage { referrers: found.into_values().filter(wanted).collect(), next })
    }

    async fn descriptor(&self, digest: &Digest) -> Result<Option<Descriptor>> {
        let Some(content) = self.manifest_content(digest).await? else { return Ok(None) };
        let Ok(outline) = Outline::of(&content) else { return Ok(None) };
        Ok(Some(Descriptor {
            media_type: outline.media_type.to_string(),
            digest: digest.to_string(),
            size: content.len() as u64,
            artifact_type: outline.artifact_type,
            annotations: outline.annotations,
        }))
    }

    /// What clients keep under a tag where a registry has no list of referrers ("Referrers Tag Schema").
    async fn fallback(&self, repository: &RepositoryName, subject: &Digest) -> Result<Vec<Descriptor>> {
        #[derive(Deserialize)]
        struct Index {
            manifests: Vec<Descriptor>,
        }
        // The specification cuts the algorithm to 32 characters and the value to 64.
        let value = subject.hex().get(..64).unwrap_or(subject.hex());
        let tag = Tag::parse(&format!("{}-{value}", subject.algorithm().name()))?;
        match self.manifest(repository, &Reference::Tag(tag)).await {
            Ok(index) => Ok(serde_json::from_slice::<Index>(&index.content)
                .map(|index| index.manifests)
                .unwrap_or_default()),
            Err(Error::ManifestUnknown { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests;
