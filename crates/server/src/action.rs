//! What is to be done: a route and a method, and nothing that could not be.

use apus_registry::{Digest, Reference, RepositoryName};
use http::Method;

use crate::Route;

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Say that somebody is there.
    Root,
    /// Say which protocol is spoken.
    Base,
    /// Give a token of the registry's own to who signs in.
    GiveToken,
    /// List the repositories.
    ListRepositories,
    /// List the manifests that refer to one.
    ListReferrers(RepositoryName, Digest),
    /// List the tags of a repository.
    ListTags(RepositoryName),
    /// Send a manifest.
    GetManifest(RepositoryName, Reference),
    /// Take a manifest.
    PutManifest(RepositoryName, Reference),
    /// Take a manifest away, or a tag.
    DeleteManifest(RepositoryName, Reference),
    /// Take a blob away.
    DeleteBlob(RepositoryName, Digest),
    /// Send a blob, or say how large it is.
    GetBlob(RepositoryName, Digest, Content),
    /// Begin an upload, take a whole blob, or mount one.
    StartUpload(RepositoryName),
    /// Say where an upload stands.
    UploadStatus(RepositoryName, String),
    /// Take a chunk.
    AppendUpload(RepositoryName, String),
    /// Take the last chunk, and publish.
    FinishUpload(RepositoryName, String),
    /// Drop an upload.
    CancelUpload(RepositoryName, String),
}

/// Whether content is fetched to be sent. Elsewhere it is at hand, and left out of the answer to `HEAD` at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// `GET`
    Sent,
    /// `HEAD`: the same headers, and no content.
    Omitted,
}

impl Action {
    /// Puts a method and a route together; else the methods that this route knows, for the `Allow` header.
    pub fn new(method: &Method, route: Route) -> Result<Self, &'static str> {
        let content = if method == Method::HEAD { Content::Omitted } else { Content::Sent };
        let read = method == Method::GET || method == Method::HEAD;
        match route {
            Route::Root if read => Ok(Self::Root),
            Route::Base if read => Ok(Self::Base),
            Route::Token if read || method == Method::POST => Ok(Self::GiveToken),
            Route::Catalog if read => Ok(Self::ListRepositories),
            Route::Referrers(name, digest) if read => Ok(Self::ListReferrers(name, digest)),
            Route::Tags(name) if read => Ok(Self::ListTags(name)),
            Route::Manifest(name, reference) if read => Ok(Self::GetManifest(name, reference)),
            Route::Manifest(name, reference) if method == Method::PUT => {
                Ok(Self::PutManifest(name, reference))
            }
            Route::Manifest(name, reference) if method == Method::DELETE => {
                Ok(Self::DeleteManifest(name, reference))
            }
            Route::Blob(name, digest) if method == Method::DELETE => Ok(Self::DeleteBlob(name, digest)),
            Route::Blob(name, digest) if read => Ok(Self::GetBlob(name, digest, content)),
            Route::Uploads(name) if method == Method::POST => Ok(Self::StartUpload(name)),
            Route::Upload(name, id) => match *method {
                Method::GET | Method::HEAD => Ok(Self::UploadStatus(name, id)),
                Method::PATCH => Ok(Self::AppendUpload(name, id)),
                Method::PUT => Ok(Self::FinishUpload(name, id)),
                Method::DELETE => Ok(Self::CancelUpload(name, id)),
                _ => Err("GET, HEAD, PATCH, PUT, DELETE"),
            },
            Route::Root | Route::Base | Route::Catalog | Route::Tags(_) | Route::Referrers(..) => {
                Err("GET, HEAD")
            }
            Route::Token => Err("GET, HEAD, POST"),
            Route::Blob(..) => Err("GET, HEAD, DELETE"),
            Route::Manifest(..) => Err("GET, HEAD, PUT, DELETE"),
            Route::Uploads(_) => Err("POST"),
        }
    }

    /// Whether it changes what is stored, or begins to: what a registry that is read-only refuses.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self {
            Self::PutManifest(..)
            | Self::DeleteManifest(..)
            | Self::DeleteBlob(..)
            | Self::StartUpload(_)
            | Self::AppendUpload(..)
            | Self::FinishUpload(..)
            | Self::CancelUpload(..) => true,
            Self::Root
            | Self::Base
            | Self::GiveToken
            | Self::ListRepositories
            | Self::ListReferrers(..)
            | Self::ListTags(_)
            | Self::GetManifest(..)
            | Self::GetBlob(..)
            | Self::UploadStatus(..) => false,
        }
    }

    /// Whether content that comes with it is a blob's, or a part of one.
    pub(crate) fn takes_blob(&self) -> bool {
        matches!(self, Self::StartUpload(_) | Self::AppendUpload(..) | Self::FinishUpload(..))
    }

    /// A name for logs and metrics, of a small and fixed set.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Base => "base",
            Self::GiveToken => "give token",
            Self::ListRepositories => "list repositories",
            Self::ListReferrers(..) => "list referrers",
            Self::DeleteManifest(..) => "delete manifest",
            Self::DeleteBlob(..) => "delete blob",
            Self::ListTags(_) => "list tags",
            Self::GetManifest(..) => "get manifest",
            Self::PutManifest(..) => "put manifest",
            Self::GetBlob(..) => "get blob",
            Self::StartUpload(_) => "start upload",
            Self::UploadStatus(..) => "upload status",
            Self::AppendUpload(..) => "append upload",
            Self::FinishUpload(..) => "finish upload",
            Self::CancelUpload(..) => "cancel upload",
        }
    }
}
