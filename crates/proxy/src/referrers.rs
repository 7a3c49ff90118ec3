//! Lists of referrers: the upstream's, by its list or by the tag that stands for one; what is here while it cannot be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use apus_registry::{
    Descriptor, Digest, Error as RegistryError, Reference, ReferrerPage, RepositoryName, Tag,
};
use serde::Deserialize;

use crate::cache::Cache;
use crate::{Error, Result, UpstreamErrorKind};

impl Cache {
    /// The manifests whose subject is `subject`, after `last`, only those of `artifact_type` where one is given. None is no
    /// error.
    ///
    /// # Errors
    /// [`Error::Upstream`] when the upstream refuses; what is here is listed while it cannot be asked.
    pub async fn referrers(
        self: &Arc<Self>,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        last: Option<&Digest>,
    ) -> Result<ReferrerPage> {
        let here = || self.registry.referrers(repository, subject, artifact_type, last);
        let Some(target) = self.target(repository) else { return Ok(here().await?) };
        let listed = match target.upstream.referrers(&target.remote, subject).await {
            Ok(listed) => listed,
            // It knows no such lists, or no such repository.
            Err(error) if error.kind == UpstreamErrorKind::NotFound => {
                self.tagged_referrers(repository, subject).await?
            }
            Err(error) if error.kind.leaves_it_open() => {
                tracing::warn!(%repository, %subject, %error, "the upstream cannot be asked for referrers; those that are here are listed");
                return Ok(here().await?);
            }
            Err(error) => return Err(error.into()),
        };
        let wanted = |descriptor: &Descriptor| {
            artifact_type.is_none_or(|wanted| descriptor.artifact_type.as_deref() == Some(wanted))
                && last.is_none_or(|last| descriptor.digest > last.to_string())
        };
        let sorted: BTreeMap<String, Descriptor> =
            listed.into_iter().map(|descriptor| (descriptor.digest.clone(), descriptor)).collect();
        Ok(ReferrerPage { referrers: sorted.into_values().filter(wanted).collect(), next: None })
    }

    /// What clients keep under a tag where a registry has no list of referrers ("Referrers Tag Schema").
    async fn tagged_referrers(
        self: &Arc<Self>,
        repository: &RepositoryName,
        subject: &Digest,
    ) -> Result<Vec<Descriptor>> {
        #[derive(Deserialize)]
        struct Index {
            manifests: Vec<Descriptor>,
        }
        // The specification cuts the value to 64 characters.
        let value = subject.hex().get(..64).unwrap_or(subject.hex());
        let tag = Tag::parse(&format!("{}-{value}", subject.algorithm().name()))?;
        match self.manifest(repository, &Reference::Tag(tag)).await {
            Ok(index) => Ok(serde_json::from_slice::<Index>(&index.content)
                .map(|index| index.manifests)
                .unwrap_or_default()),
            Err(Error::Registry(error)) if matches!(*error, RegistryError::ManifestUnknown { .. }) => {
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}
