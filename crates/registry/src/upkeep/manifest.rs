//! Asking for manifests, and reading them, each whole and proven by its digest: what cannot be read is never taken for naming
//! nothing.

use apus_storage::{ByteRange, ErrorKind, Freshness, ObjectName, StorageError, body};

use super::Collection;
use super::named::Named;
use crate::{Digest, Result, layout};

/// What lies under a digest.
pub(super) enum Content {
    /// A manifest.
    Manifest(Named),
    /// A whole blob, but no manifest: why not.
    Other(String),
    /// Something that has not this digest, or cannot be read: why.
    Damaged(String),
    /// Nothing.
    Absent,
}

impl Collection<'_> {
    /// Whether a repository has a manifest, by the newest of its own link.
    pub(super) async fn has_revision(&self, repository: &str, digest: &Digest) -> Result<bool> {
        let repositories = layout::repositories()?;
        let (algorithm, hex) = (digest.algorithm().name(), digest.hex());
        let link = format!("{repositories}/{repository}/_manifests/revisions/{algorithm}/{hex}/link");
        let link = ObjectName::parse(link)?;
        let _turn = self.requests.acquire().await.ok();
        Ok(self.registry.storage.stat(&link, Freshness::Newest).await?.is_some())
    }

    /// Reads what lies under a digest. Any replica's answer will do if it is what the digest says, else the newest counts.
    pub(super) async fn content(&self, digest: &Digest) -> Result<Content> {
        match self.content_by(digest, Freshness::Any).await? {
            Content::Absent | Content::Damaged(_) => self.content_by(digest, Freshness::Newest).await,
            content => Ok(content),
        }
    }

    async fn content_by(&self, digest: &Digest, freshness: Freshness) -> Result<Content> {
        let _turn = self.requests.acquire().await.ok();
        let name = layout::blob_data(digest)?;
        let damaged = |error: StorageError| match error.kind() {
            ErrorKind::Damaged => Ok(Content::Damaged(error.report())),
            _ => Err(error.into()),
        };
        let reader = match self.registry.storage.read(&name, ByteRange::Full, freshness).await {
            Ok(Some(reader)) => reader,
            Ok(None) => return Ok(Content::Absent),
            Err(error) => return damaged(error),
        };
        let limit = self.registry.manifest_limit();
        if reader.info.size > limit as u64 {
            return Ok(Content::Other(format!("it is larger than {limit} bytes")));
        }
        let content = match body::collect(reader.stream, limit).await {
            Ok(content) => content,
            Err(error) => {
                return match error.downcast::<StorageError>() {
                    Ok(error) => damaged(*error),
                    Err(error) => {
                        let unavailable = StorageError::new(ErrorKind::UNAVAILABLE, "read manifest", digest);
                        Err(unavailable.with_source(error).into())
                    }
                };
            }
        };
        let actual = Digest::of(digest.algorithm(), &content);
        if actual != *digest {
            return Ok(Content::Damaged(format!("its content has the digest {actual}")));
        }
        Ok(match Named::by(&content) {
            Ok(named) => Content::Manifest(named),
            Err(reason) => Content::Other(reason),
        })
    }
}
