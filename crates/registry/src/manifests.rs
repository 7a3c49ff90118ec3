//! Manifests: putting one in the order that never shows half of it (content, revision, tags), and finding one again.

use apus_storage::{Publication, WriteMode};
use bytes::Bytes;

use crate::cache::Link;
use crate::contents::damaged;
use crate::manifest::{MediaType, Outline, default_platform};
use crate::{Algorithm, Digest, Error, KeptTags, Reference, Registry, RepositoryName, Result, Tag, layout};

/// A manifest as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its digest, by the algorithm that it was asked for or tagged with.
    pub digest: Digest,
    /// What it says that it is.
    pub media_type: MediaType,
    /// Its bytes, as they were pushed.
    pub content: Bytes,
}

/// What became of a manifest that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its digest, by the algorithm that it was pushed with.
    pub digest: Digest,
    /// What it says that it is.
    pub media_type: MediaType,
    /// The manifest that it refers to, whether that exists or not.
    pub subject: Option<Digest>,
}

/// A manifest that a client pushes.
#[derive(Debug, Clone)]
pub struct PutManifest<'a> {
    /// Into this repository.
    pub repository: &'a RepositoryName,
    /// Under this tag, or only by this digest.
    pub reference: &'a Reference,
    /// Under these tags too.
    pub tags: &'a [Tag],
    /// Of these tags, those that may be made, but must not come to mean another manifest than they do.
    pub kept: KeptTags<'a>,
    /// What the client says that it is.
    pub media_type: Option<MediaType>,
    /// Its bytes, no more than the manifest limit.
    pub content: Bytes,
}

impl<'a> PutManifest<'a> {
    /// The tag that it is pushed under, and the others.
    fn all_tags(&self) -> impl Iterator<Item = &'a Tag> + use<'a> {
        let by_reference = match self.reference {
            Reference::Tag(tag) => Some(tag),
            Reference::Digest(_) => None,
        };
        by_reference.into_iter().chain(self.tags)
    }
}

impl Registry {
    /// Finds a manifest by tag or digest.
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`] when the repository has none.
    pub async fn manifest(&self, repository: &RepositoryName, reference: &Reference) -> Result<Manifest> {
        let unknown =
            || Error::ManifestUnknown { repository: repository.clone(), reference: reference.clone() };
        let digest = match reference {
            Reference::Digest(digest) => digest.clone(),
            Reference::Tag(tag) => {
                let tag = layout::tag_link(repository, tag)?;
                self.links.read(&tag).await?.ok_or_else(unknown)?
            }
        };
        // A deletion removes the revision; a tag may outlive it for a moment.
        let revision = layout::revision_link(repository, &digest)?;
        let stored = self.links.read(&revision).await?.ok_or_else(unknown)?;
        let content = self.manifest_content(&stored).await?.ok_or_else(|| {
            tracing::warn!(%repository, %reference, "the manifest's content is gone; push the image again");
            unknown()
        })?;
        let media_type = Outline::of(&content)
            .map_err(|error| damaged(&digest, error.to_string()).with_advice("push the image again"))?
            .media_type;
        Ok(Manifest { digest, media_type, content })
    }

    /// Stores a manifest, gives it to the repository, makes it a referrer of its subject, and moves the tags to it.
    ///
    /// # Errors
    /// [`Error::ManifestInvalid`], [`Error::ManifestTooLarge`]; [`Error::DigestMismatch`] when it was pushed under another
    /// digest; [`Error::ManifestReferencesUnknown`] when the repository lacks what it names and must have by the
    /// [`ReferenceChecks`](crate::ReferenceChecks); [`Error::TagKept`] when a tag that must stay means another manifest. Nothing
    /// was written then.
    pub async fn put_manifest(&self, put: PutManifest<'_>) -> Result<StoredManifest> {
        let (digest, outline) = self.judge(&put)?;
        self.check_references(put.repository, &outline).await?;
        for tag in put.all_tags() {
            self.refuse_to_move(put.repository, tag, &digest, put.kept).await?;
        }
        self.keep(put, digest, outline).await
    }

    /// Stores a manifest that was fetched from another registry, as [`Registry::put_manifest`] does, but whatever it names: that
    /// comes when somebody asks for it.
    ///
    /// # Errors
    /// As [`Registry::put_manifest`], without [`Error::ManifestReferencesUnknown`].
    pub async fn put_fetched_manifest(&self, put: PutManifest<'_>) -> Result<StoredManifest> {
        let (digest, outline) = self.judge(&put)?;
        self.keep(put, digest, outline).await
    }

    /// The digest of what is pushed, and what it says of itself; an error where it cannot be taken.
    fn judge(&self, put: &PutManifest<'_>) -> Result<(Digest, Outline)> {
        let PutManifest { reference, media_type, content, .. } = put;
        if content.len() > self.options.manifest_limit {
            return Err(Error::ManifestTooLarge { limit: self.options.manifest_limit });
        }
        let digest = match reference {
            Reference::Tag(_) => Digest::of(Algorithm::Sha256, content),
            Reference::Digest(expected) => {
                let actual = Digest::of(expected.algorithm(), content);
                if actual != *expected {
                    return Err(Error::DigestMismatch { expected: expected.clone(), actual });
                }
                actual
            }
        };
        Ok((digest, Outline::of_pushed(content, media_type.as_ref())?))
    }

    async fn keep(&self, put: PutManifest<'_>, digest: Digest, outline: Outline) -> Result<StoredManifest> {
        let PutManifest { repository, kept, content, .. } = &put;
        let name = layout::blob_data(&digest)?;
        let size = content.len() as u64;
        let written = self.storage.write(&name, content.clone().into(), WriteMode::IfAbsent).await?;
        if matches!(written, Publication::Existing(info) if info.size != size) {
            tracing::warn!(%digest, "replacing a damaged manifest");
            self.storage.write(&name, content.clone().into(), WriteMode::Replace).await?;
        }
        self.links.write(&layout::revision_link(repository, &digest)?, &digest).await?;
        if let Some(subject) = &outline.subject {
            self.links.write(&layout::referrer_link(repository, subject, &digest)?, &digest).await?;
        }
        for tag in put.all_tags() {
            self.write_tag(repository, tag, &digest, *kept).await?;
        }
        self.caches.keep_manifest(&digest, content);
        self.caches.saw_link(Link::Manifest, repository, &digest);
        Ok(StoredManifest { digest, media_type: outline.media_type, subject: outline.subject })
    }

    /// Takes a manifest from a repository, at once, with the tags that point to it. Its bytes stay: other repositories may have
    /// it.
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`] when the repository has none, [`Error::TagKept`] when a tag that must stay points to it,
    /// [`Error::DeletesDisabled`].
    pub async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        kept: KeptTags<'_>,
    ) -> Result<()> {
        self.delete_manifest_and_tell(repository, digest, kept, &|_| {}).await
    }

    /// As [`Registry::delete_manifest`]. Tells `gone` what was taken away, as soon as it is: first the manifest by its digest,
    /// then each tag.
    ///
    /// # Errors
    /// As [`Registry::delete_manifest`].
    pub async fn delete_manifest_and_tell(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        kept: KeptTags<'_>,
        gone: &(dyn Fn(Reference) + Sync),
    ) -> Result<()> {
        self.may_delete()?;
        let revision = layout::revision_link(repository, digest)?;
        let stored = self.links.read(&revision).await?.ok_or_else(|| Error::ManifestUnknown {
            repository: repository.clone(),
            reference: Reference::Digest(digest.clone()),
        })?;
        self.refuse_for_tags_of(repository, digest, kept).await?;
        self.caches.missed_link(Link::Manifest, repository, digest);
        self.links.delete(&revision).await?;
        gone(Reference::Digest(digest.clone()));
        // It is gone; what follows tidies up behind it. What cannot be read refers to nothing.
        if let Some(content) = self.manifest_content(&stored).await?
            && let Ok(Outline { subject: Some(subject), .. }) = Outline::of(&content)
        {
            self.links.delete(&layout::referrer_link(repository, &subject, digest)?).await?;
        }
        self.delete_tags_of(repository, digest, gone).await
    }

    /// The manifest for Linux on AMD64 that a list of manifests names, for clients that know no lists; `None` when it names
    /// none that the repository has.
    pub async fn default_platform(
        &self,
        repository: &RepositoryName,
        list: &Manifest,
    ) -> Result<Option<Manifest>> {
        let Some(digest) = list.default_platform() else { return Ok(None) };
        match self.manifest(repository, &Reference::Digest(digest)).await {
            Ok(manifest) => Ok(Some(manifest)),
            Err(Error::ManifestUnknown { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Manifest {
    /// Of a list of manifests, the digest of that for Linux on AMD64.
    #[must_use]
    pub fn default_platform(&self) -> Option<Digest> {
        default_platform(&self.content)
    }
}
