//! Lists of tags: the upstream's, or what is here while it cannot be asked.

use apus_registry::{Error as RegistryError, RepositoryName, TagPage};

use crate::cache::Cache;
use crate::{Result, UpstreamErrorKind};

impl Cache {
    /// The tags of a repository after `last`, at most `limit` of them.
    ///
    /// # Errors
    /// [`Error::Registry`](crate::Error::Registry) with [`RepositoryUnknown`](RegistryError::RepositoryUnknown) when the
    /// upstream says that there is no such repository; [`Error::Upstream`](crate::Error::Upstream) when it refuses, or cannot
    /// be asked and nothing is here.
    pub async fn tags(
        &self,
        repository: &RepositoryName,
        last: Option<&str>,
        limit: usize,
    ) -> Result<TagPage> {
        let Some(target) = self.target(repository) else {
            return Ok(self.registry.tags(repository, last, limit).await?);
        };
        let error = match target.upstream.tags(&target.remote, last, limit).await {
            Ok(page) => return Ok(page),
            Err(error) => error,
        };
        if error.kind == UpstreamErrorKind::NotFound {
            return Err(RegistryError::RepositoryUnknown { repository: repository.clone() }.into());
        }
        if !error.kind.leaves_it_open() {
            return Err(error.into());
        }
        tracing::warn!(%repository, %error, "the upstream cannot be asked for its tags; those that are here are listed");
        match self.registry.tags(repository, last, limit).await {
            Err(RegistryError::RepositoryUnknown { .. }) => Err(error.into()),
            page => Ok(page?),
        }
    }
}
