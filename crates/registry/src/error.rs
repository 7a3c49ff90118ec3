//! What a registry has to say when it cannot do what it was asked. Which status and code of the protocol belongs to each
//! is the server's business.

use apus_storage::{BoxError, ErrorKind, StorageError};

use crate::{Digest, Reference, RepositoryName, Tag};

/// The result of a registry operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a registry operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not the name of a repository.
    #[error("{name:?} is no repository name")]
    NameInvalid {
        /// What was given, cut short.
        name: String,
    },
    /// Not a tag.
    #[error("{tag:?} is no tag: 1 to 128 letters, digits, underscores, periods and hyphens")]
    TagInvalid {
        /// What was given, cut short.
        tag: String,
    },
    /// Not a digest, or of an algorithm that is not supported.
    #[error("{digest:?} is no digest that can be used: {reason}")]
    DigestInvalid {
        /// What was given, cut short.
        digest: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The content has another digest than the client said. Nothing of it was kept.
    #[error("the content has the digest {actual}, not {expected}")]
    DigestMismatch {
        /// What the client said.
        expected: Digest,
        /// What it is.
        actual: Digest,
    },
    /// The body broke off, or had another length than promised. Nothing of it was kept.
    #[error("the content could not be received: {0}")]
    ContentBroken(#[source] BoxError),
    /// The repository has no such blob.
    #[error("the repository {repository} has no blob {digest}")]
    BlobUnknown {
        /// The repository.
        repository: RepositoryName,
        /// The blob.
        digest: Digest,
    },
    /// The repository has no such upload: it never had, it is finished, or it was cancelled.
    #[error("the repository {repository} has no such upload")]
    UploadUnknown {
        /// The repository.
        repository: RepositoryName,
    },
    /// The chunk does not begin where the upload ends. The upload stays as it was.
    #[error("the upload stands at {position_offset} bytes; the chunk begins elsewhere", position_offset = position.offset())]
    ChunkOutOfOrder {
        /// Where the upload stands.
        position: Box<crate::UploadPosition>,
    },
    /// The repository has no such manifest.
    #[error("the repository {repository} has no manifest {reference}")]
    ManifestUnknown {
        /// The repository.
        repository: RepositoryName,
        /// The tag or digest.
        reference: Reference,
    },
    /// Not a manifest that can be stored.
    #[error("the manifest is invalid: {reason}")]
    ManifestInvalid {
        /// What is wrong with it.
        reason: String,
    },
    /// The manifest is larger than the limit.
    #[error("the manifest is larger than {limit} bytes")]
    ManifestTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The manifest names blobs or manifests that the repository does not have.
    #[error("the manifest names {} blobs or manifests that the repository does not have", missing.len())]
    ManifestReferencesUnknown {
        /// All of them.
        missing: Vec<Digest>,
    },
    /// The tag must stay what it is.
    #[error("the tag {tag} of {repository} may not be changed")]
    TagKept {
        /// The repository.
        repository: RepositoryName,
        /// The tag.
        tag: Tag,
    },
    /// Deleting is switched off.
    #[error("this registry does not delete; its operator can allow it")]
    DeletesDisabled,
    /// Nothing may be written.
    #[error("this registry is read-only")]
    ReadOnly,
    /// There is no such repository, or nothing in it.
    #[error("there is no repository {repository}")]
    RepositoryUnknown {
        /// The repository.
        repository: RepositoryName,
    },
    /// Storage failed. What is asked for may or may not be there.
    #[error(transparent)]
    Storage(StorageError),
}

impl From<StorageError> for Error {
    /// A body that failed tells its own story: the verdict of the registry that ended it, or what became of the client.
    fn from(error: StorageError) -> Self {
        if error.kind() != ErrorKind::Body {
            return Self::Storage(error);
        }
        match error.into_source() {
            Some(source) => match source.downcast::<Self>() {
                Ok(verdict) => *verdict,
                Err(source) => Self::ContentBroken(source),
            },
            None => Self::ContentBroken("the content could not be taken to its end".into()),
        }
    }
}

impl From<apus_storage::InvalidName> for Error {
    /// Layouts are built from parts that were checked; a name that does not fit is longer than storage can hold.
    fn from(error: apus_storage::InvalidName) -> Self {
        Self::Storage(StorageError::new(ErrorKind::InvalidName, "name", &error.name).with_source(error))
    }
}
