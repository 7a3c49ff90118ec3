//! Manifests: what a tag means is the upstream's word, asked for each time or once in a while; what a digest means never changes.
//! While the upstream cannot be asked, what is here is served.

use std::sync::Arc;
use std::time::Instant;

use apus_registry::{
    Algorithm, Digest, Error as RegistryError, KeptTags, Manifest, MediaType, PutManifest, Reference,
    RepositoryName, Tag,
};
use apus_storage::ErrorKind;
use metrics::counter;
use quick_cache::sync::Cache as Table;

use crate::cache::Cache;
use crate::records::Kind;
use crate::routes::Target;
use crate::upstream::FetchedManifest;
use crate::{Error, Result, UpstreamError, UpstreamErrorKind};

/// Tags of which it is remembered when the upstream was asked.
const SEEN: usize = 16_384;

/// A manifest that is being asked for: of which upstream, by which name here, by what.
pub(crate) type Wanted = (usize, RepositoryName, Reference);

/// When the upstream was asked last what a tag means.
#[derive(Debug)]
pub(crate) struct Seen(Table<(RepositoryName, Tag), Instant>);

impl Default for Seen {
    fn default() -> Self {
        Self(Table::new(SEEN))
    }
}

impl Cache {
    /// Finds a manifest by tag or digest, here or at the upstream.
    ///
    /// # Errors
    /// [`Error::Registry`] with [`ManifestUnknown`](RegistryError::ManifestUnknown) when the upstream says that there is none;
    /// [`Error::Upstream`] when it refuses, or cannot be asked and nothing is here.
    pub async fn manifest(
        self: &Arc<Self>,
        repository: &RepositoryName,
        reference: &Reference,
    ) -> Result<Manifest> {
        let Some(target) = self.target(repository) else {
            return Ok(self.registry.manifest(repository, reference).await?);
        };
        counter!("registry_proxy_requests_total", "type" => "manifest").increment(1);
        let found = self.find(&target, reference).await;
        if let Ok(manifest) = &found {
            counter!("registry_proxy_pushed_bytes_total", "type" => "manifest")
                .increment(manifest.content.len() as u64);
        }
        found
    }

    async fn find(self: &Arc<Self>, target: &Target, reference: &Reference) -> Result<Manifest> {
        let at_hand = match reference {
            Reference::Digest(_) => true,
            Reference::Tag(tag) => self.is_fresh(target, tag),
        };
        if at_hand && let Some(manifest) = self.kept(target, reference).await? {
            self.records.touch(target, Kind::Manifest, &manifest.digest);
            hit();
            return Ok(manifest);
        }
        let (cache, wanted) = (Arc::clone(self), (target.index, target.local.clone(), reference.clone()));
        let work = || {
            let (cache, target, reference) = (Arc::clone(&cache), target.clone(), reference.clone());
            async move {
                let found = match &reference {
                    Reference::Digest(digest) => cache.fetch_manifest(&target, digest, None).await,
                    Reference::Tag(tag) => cache.ask_for_tag(&target, tag).await,
                };
                found.map_err(|error| unknown(error, &target, &reference))
            }
        };
        self.fetching.get(wanted, work).await
    }

    fn is_fresh(&self, target: &Target, tag: &Tag) -> bool {
        let freshness = target.upstream.options.freshness;
        let key = (target.local.clone(), tag.clone());
        !freshness.is_zero() && self.seen.0.get(&key).is_some_and(|asked| asked.elapsed() < freshness)
    }

    /// A manifest that is here; one that is damaged counts as absent, for fetching it mends it.
    async fn kept(&self, target: &Target, reference: &Reference) -> Result<Option<Manifest>> {
        match self.registry.manifest(&target.local, reference).await {
            Ok(manifest) => Ok(Some(manifest)),
            Err(RegistryError::ManifestUnknown { .. }) => Ok(None),
            Err(RegistryError::Storage(error)) if error.kind() == ErrorKind::Damaged => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What a tag means by the upstream's word, or by what is here while the upstream has none.
    async fn ask_for_tag(&self, target: &Target, tag: &Tag) -> Result<Manifest> {
        let reference = Reference::Tag(tag.clone());
        let kept = self.kept(target, &reference).await?;
        match self.ask_upstream(target, tag, kept.as_ref()).await {
            Err(Error::Upstream(error)) if error.kind.leaves_it_open() => {
                let Some(kept) = kept else { return Err(error.into()) };
                if !self.records.came_from(target, Kind::Manifest, &kept.digest).await? {
                    return Err(error.into());
                }
                tracing::warn!(repository = %target.local, %tag, %error, "the upstream cannot be asked; what is here is served");
                self.records.touch(target, Kind::Manifest, &kept.digest);
                hit();
                Ok(kept)
            }
            found => found,
        }
    }

    async fn ask_upstream(&self, target: &Target, tag: &Tag, kept: Option<&Manifest>) -> Result<Manifest> {
        let reference = Reference::Tag(tag.clone());
        let said = target.upstream.head_manifest(&target.remote, &reference).await?;
        if let (Some(said), Some(kept)) = (&said, kept)
            && *said == kept.digest
        {
            self.confirmed(target, tag, &kept.digest);
            hit();
            return Ok(kept.clone());
        }
        let fetched = match &said {
            Some(digest) => self.fetch_manifest(target, digest, Some(tag)).await,
            None => self.fetch_by_tag(target, tag).await,
        };
        if let Ok(manifest) = &fetched {
            self.confirmed(target, tag, &manifest.digest);
        }
        fetched
    }

    /// The upstream itself has just said what the tag means.
    fn confirmed(&self, target: &Target, tag: &Tag, digest: &Digest) {
        self.seen.0.insert((target.local.clone(), tag.clone()), Instant::now());
        self.records.adopt(target, Kind::Manifest, digest);
    }

    /// For upstreams that do not say the digest beforehand.
    async fn fetch_by_tag(&self, target: &Target, tag: &Tag) -> Result<Manifest> {
        let fetched = self.download(target, &Reference::Tag(tag.clone())).await?;
        let said = fetched.said.as_deref().and_then(|said| Digest::parse(said).ok());
        let algorithm = said.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
        let digest = Digest::of(algorithm, &fetched.content);
        self.keep_manifest(target, &digest, Some(tag), fetched).await
    }

    async fn fetch_manifest(&self, target: &Target, digest: &Digest, tag: Option<&Tag>) -> Result<Manifest> {
        let fetched = self.download(target, &Reference::Digest(digest.clone())).await?;
        self.keep_manifest(target, digest, tag, fetched).await
    }

    async fn download(&self, target: &Target, reference: &Reference) -> Result<FetchedManifest> {
        counter!("registry_proxy_misses_total", "type" => "manifest").increment(1);
        let limit = self.registry.manifest_limit();
        let fetched = target.upstream.get_manifest(&target.remote, reference, limit).await?;
        counter!("registry_proxy_pulled_bytes_total", "type" => "manifest")
            .increment(fetched.content.len() as u64);
        Ok(fetched)
    }

    /// Proves a manifest, and keeps it. What is right but cannot be kept is served all the same.
    async fn keep_manifest(
        &self,
        target: &Target,
        digest: &Digest,
        tag: Option<&Tag>,
        fetched: FetchedManifest,
    ) -> Result<Manifest> {
        let wrong = |message: String| target.upstream.home.error(UpstreamErrorKind::Wrong, message);
        let FetchedManifest { content, content_type, said } = fetched;
        let actual = Digest::of(digest.algorithm(), &content);
        if actual != *digest {
            return Err(wrong(format!("the manifest {digest} that it sent has the digest {actual}")).into());
        }
        if let Some(said) = said.and_then(|said| Digest::parse(&said).ok())
            && said != Digest::of(said.algorithm(), &content)
        {
            return Err(wrong(format!("the manifest {digest} came under the digest {said}")).into());
        }
        // Some send everything as plain JSON: then the manifest's own word counts.
        let media_type = content_type
            .as_deref()
            .filter(|content_type| content_type.starts_with("application/vnd."))
            .and_then(MediaType::parse);
        let reference = Reference::Digest(digest.clone());
        let put = PutManifest {
            repository: &target.local,
            reference: &reference,
            tags: tag.map_or(&[], std::slice::from_ref),
            kept: KeptTags::NONE,
            media_type: media_type.clone(),
            content: content.clone(),
        };
        match self.registry.put_fetched_manifest(put).await {
            Ok(_) => {
                self.records.keep(target, Kind::Manifest, digest).await;
                Ok(self.registry.manifest(&target.local, &reference).await?)
            }
            Err(RegistryError::Storage(error)) if media_type.is_some() => {
                tracing::error!(repository = %target.local, %digest, error = error.report(), "a fetched manifest was not kept");
                let media_type =
                    media_type.ok_or_else(|| wrong("it sends a manifest of no type".to_owned()))?;
                Ok(Manifest { digest: digest.clone(), media_type, content })
            }
            Err(RegistryError::ManifestInvalid { reason }) => {
                Err(wrong(format!("the manifest {digest} that it sent is invalid: {reason}")).into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn hit() {
    counter!("registry_proxy_hits_total", "type" => "manifest").increment(1);
}

/// What an upstream does not have is unknown here.
fn unknown(error: Error, target: &Target, reference: &Reference) -> Error {
    match error {
        Error::Upstream(UpstreamError { kind: UpstreamErrorKind::NotFound, .. }) => {
            let (repository, reference) = (target.local.clone(), reference.clone());
            RegistryError::ManifestUnknown { repository, reference }.into()
        }
        error => error,
    }
}
