//! Where content comes from: the registry itself, or the cache of other registries in front of it. What differs for clients of a
//! cache is here: `?ns=`, which says whose repository is meant (the parameter of containerd's mirrors), and that nothing is
//! pushed into one.

use apus_proxy::{Error as CacheError, UpstreamErrorKind};
use apus_registry::{
    Blob, BlobInfo, BlobUrl, Digest, Error, Manifest, Reference, ReferrerPage, RepositoryName, TagPage,
};
use apus_storage::ByteRange;
use http::{StatusCode, Uri};

use crate::errors::{ErrorCode, Failure};
use crate::parameters::query;
use crate::{Action, App, Route};

impl App {
    /// The same route by the name that its repository has here.
    ///
    /// # Errors
    /// When `?ns=` names a registry that this cache does not serve.
    pub(crate) fn localized(&self, route: Route, uri: &Uri) -> Result<Route, Failure> {
        let Some(cache) = self.cache() else { return Ok(route) };
        let Some(ns) = query(uri, "ns") else { return Ok(route) };
        Ok(match route {
            Route::Tags(name) => Route::Tags(cache.local_name(&name, &ns)?),
            Route::Manifest(name, reference) => Route::Manifest(cache.local_name(&name, &ns)?, reference),
            Route::Blob(name, digest) => Route::Blob(cache.local_name(&name, &ns)?, digest),
            Route::Referrers(name, digest) => Route::Referrers(cache.local_name(&name, &ns)?, digest),
            other => other,
        })
    }

    /// Nothing is pushed into a cache, and what is deleted there is for its time to live to say, as in registry:2.
    pub(crate) fn refuse_changes(&self, action: &Action) -> Result<(), Failure> {
        let changes = !matches!(
            action,
            Action::Root
                | Action::Base
                | Action::GiveToken
                | Action::ListRepositories
                | Action::ListReferrers(..)
                | Action::ListTags(_)
                | Action::GetManifest(..)
                | Action::GetBlob(..)
        );
        if self.cache().is_none() || !changes {
            return Ok(());
        }
        let message = "this registry is a cache of another one: nothing is pushed to it or deleted from it";
        Err(Failure::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message))
    }

    pub(crate) async fn manifest(
        &self,
        name: &RepositoryName,
        reference: &Reference,
    ) -> Result<Manifest, Failure> {
        match self.cache() {
            Some(cache) => Ok(cache.manifest(name, reference).await?),
            None => Ok(self.registry().manifest(name, reference).await?),
        }
    }

    /// As [`Registry::default_platform`](apus_registry::Registry::default_platform).
    pub(crate) async fn default_platform(
        &self,
        name: &RepositoryName,
        list: &Manifest,
    ) -> Result<Option<Manifest>, Failure> {
        let Some(cache) = self.cache() else {
            return Ok(self.registry().default_platform(name, list).await?);
        };
        let Some(digest) = list.default_platform() else { return Ok(None) };
        match cache.manifest(name, &Reference::Digest(digest)).await {
            Ok(manifest) => Ok(Some(manifest)),
            Err(CacheError::Registry(error)) if matches!(*error, Error::ManifestUnknown { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) async fn tags(
        &self,
        name: &RepositoryName,
        last: Option<&str>,
        limit: usize,
    ) -> Result<TagPage, Failure> {
        match self.cache() {
            Some(cache) => Ok(cache.tags(name, last, limit).await?),
            None => Ok(self.registry().tags(name, last, limit).await?),
        }
    }

    pub(crate) async fn referrers(
        &self,
        name: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        last: Option<&Digest>,
    ) -> Result<ReferrerPage, Failure> {
        match self.cache() {
            Some(cache) => Ok(cache.referrers(name, subject, artifact_type, last).await?),
            None => Ok(self.registry().referrers(name, subject, artifact_type, last).await?),
        }
    }

    /// Bytes of a blob.
    pub(crate) async fn blob_size(&self, name: &RepositoryName, digest: &Digest) -> Result<u64, Failure> {
        match self.cache() {
            Some(cache) => Ok(cache.blob_size(name, digest).await?),
            None => Ok(self.registry().blob_info(name, digest).await?.size),
        }
    }

    /// A blob that is in storage; `None` for one that is yet to be fetched.
    pub(crate) async fn stored_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<BlobInfo>, Failure> {
        match self.registry().blob_info(name, digest).await {
            Err(Error::BlobUnknown { .. }) if self.cache().is_some() => Ok(None),
            info => Ok(Some(info?)),
        }
    }

    /// Where a client may fetch a blob itself; `None` also for one that is yet to be fetched.
    pub(crate) async fn blob_url(
        &self,
        name: &RepositoryName,
        digest: &Digest,
    ) -> Result<Option<BlobUrl>, Failure> {
        match (self.registry().blob_url(name, digest).await, self.cache()) {
            (Err(Error::BlobUnknown { .. }), Some(_)) => Ok(None),
            (Ok(Some(url)), Some(cache)) => {
                cache.sent_by_storage(name, digest, url.size);
                Ok(Some(url))
            }
            (url, _) => Ok(url?),
        }
    }

    pub(crate) async fn open_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        range: ByteRange,
    ) -> Result<Blob, Failure> {
        match self.cache() {
            Some(cache) => Ok(cache.open_blob(name, digest, range).await?),
            None => Ok(self.registry().open_blob(name, digest, range).await?),
        }
    }
}

impl From<CacheError> for Failure {
    fn from(error: CacheError) -> Self {
        let message = error.to_string();
        let error = match error {
            CacheError::Registry(error) => return Self::from(&*error),
            CacheError::Upstream(error) => error,
            _ => return Self::new(StatusCode::NOT_FOUND, ErrorCode::NameUnknown, message),
        };
        let (status, code) = match error.kind {
            UpstreamErrorKind::NotFound => (StatusCode::NOT_FOUND, ErrorCode::NameUnknown),
            UpstreamErrorKind::Denied => (StatusCode::FORBIDDEN, ErrorCode::Denied),
            UpstreamErrorKind::TooManyRequests { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests)
            }
            UpstreamErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable),
            _ => (StatusCode::BAD_GATEWAY, ErrorCode::Unknown),
        };
        tracing::warn!(
            upstream = error.upstream,
            reason = error.message,
            "the upstream did not give what a client wants"
        );
        let failure = Self::new(status, code, message);
        match error.kind {
            UpstreamErrorKind::TooManyRequests { retry_after: Some(wait) } => {
                failure.retry_after(wait.as_secs().max(1))
            }
            _ => failure,
        }
    }
}
