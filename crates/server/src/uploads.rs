//! Uploads: begun, continued in chunks or in one stream, finished with a digest (OCI distribution specification, "Pushing
//! blobs").

use apus_auth::{Access, Action as Right};
use apus_registry::{Algorithm, Digest, Error, RepositoryName, UploadOwner, UploadPosition};
use http::{HeaderName, StatusCode, header};

use crate::answer::{Answer, CONTENT_DIGEST, UPLOAD_UUID, WithHeader, status};
use crate::errors::{ErrorCode, Failure};
use crate::parameters::{chunk_range, query};
use crate::received::Received;
use crate::request::Head;
use crate::{App, Route};

/// `OCI-Chunk-Min-Length`: the bytes that a chunk should have at least.
const LEAST_CHUNK: HeaderName = HeaderName::from_static("oci-chunk-min-length");

impl App {
    pub(crate) async fn start_upload(
        &self,
        name: &RepositoryName,
        head: &Head,
        received: Received,
    ) -> Result<Answer, Failure> {
        if let Some(digest) = query(&head.uri, "digest") {
            let digest = Digest::parse(&digest)?;
            return self.take_whole(name, &digest, head, received).await;
        }
        if let Some(digest) = query(&head.uri, "mount") {
            let digest = Digest::parse(&digest)?;
            let from = query(&head.uri, "from").map(|from| RepositoryName::parse(&from)).transpose()?;
            // Only who may read a blob is given it; else it is uploaded, as where there is none to mount.
            let mounted = match &from {
                Some(from) if head.permit.allows(&Access::repository(from.as_str(), Right::Pull)) => {
                    self.registry().mount_blob(&digest, from, name).await?
                }
                None if head.permit.may_pull_everywhere() => {
                    self.registry().mount_blob_from_anywhere(&digest, name).await?
                }
                _ => None,
            };
            if let Some(size) = mounted {
                self.blob_mounted(name, from.as_ref(), &digest, size, head).await;
                return Ok(created(name, &digest, head));
            }
        }
        let algorithm = match query(&head.uri, "digest-algorithm") {
            None => Algorithm::Sha256,
            Some(text) => Algorithm::parse(&text).ok_or_else(|| {
                let message = "digest-algorithm is sha256 or sha512";
                Failure::new(StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid, message)
            })?,
        };
        let position = self.registry().begin_upload(owner(name, head), algorithm);
        let begun = self.standing(status(StatusCode::ACCEPTED), &position, head).await?;
        Ok(match self.registry().least_append() {
            Some(bytes) => begun.with_header(LEAST_CHUNK, bytes.to_string()),
            None => begun,
        })
    }

    /// One request with all of a blob.
    async fn take_whole(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        head: &Head,
        received: Received,
    ) -> Result<Answer, Failure> {
        let length = received.length;
        let owner = owner(name, head);
        let position = self.registry().begin_upload(owner, digest.algorithm());
        let token = self.registry().upload_token(&position).await?;
        let upload = self.registry().upload(owner, position.id().as_str(), Some(&token)).await?;
        let size = self.registry().finish(upload, None, length, received.into_stream(), digest).await?;
        self.blob_pushed(name, digest, size, head).await;
        Ok(created(name, digest, head))
    }

    pub(crate) async fn upload_status(
        &self,
        name: &RepositoryName,
        id: &str,
        head: &Head,
    ) -> Result<Answer, Failure> {
        let position = self.registry().upload_status(owner(name, head), id, state(head).as_deref()).await?;
        self.standing(status(StatusCode::NO_CONTENT), &position, head).await
    }

    pub(crate) async fn append_upload(
        &self,
        name: &RepositoryName,
        id: &str,
        head: &Head,
        received: Received,
    ) -> Result<Answer, Failure> {
        let first = first_byte(head, received.length)?;
        let upload = self.registry().upload(owner(name, head), id, state(head).as_deref()).await?;
        match self.registry().append(upload, first, received.into_stream()).await {
            Ok(upload) => self.standing(status(StatusCode::ACCEPTED), upload.position(), head).await,
            Err(error) => self.refused(error, head).await,
        }
    }

    pub(crate) async fn finish_upload(
        &self,
        name: &RepositoryName,
        id: &str,
        head: &Head,
        received: Received,
    ) -> Result<Answer, Failure> {
        let Some(digest) = query(&head.uri, "digest") else {
            let message = "an upload is finished with the parameter digest: the digest of all of it";
            return Err(Failure::new(StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid, message));
        };
        let digest = Digest::parse(&digest)?;
        let first = first_byte(head, received.length)?;
        let upload = self.registry().upload(owner(name, head), id, state(head).as_deref()).await?;
        let length = received.length;
        match self.registry().finish(upload, first, length, received.into_stream(), &digest).await {
            Ok(size) => {
                self.blob_pushed(name, &digest, size, head).await;
                Ok(created(name, &digest, head))
            }
            Err(error) => self.refused(error, head).await,
        }
    }

    pub(crate) async fn cancel_upload(
        &self,
        name: &RepositoryName,
        id: &str,
        head: &Head,
    ) -> Result<Answer, Failure> {
        self.registry().cancel_upload(owner(name, head), id, state(head).as_deref()).await?;
        Ok(status(StatusCode::NO_CONTENT))
    }

    /// A chunk out of order is told together with where the upload stands, so that the client can go on from there.
    async fn refused(&self, error: Error, head: &Head) -> Result<Answer, Failure> {
        if let Error::ChunkOutOfOrder { position } = &error {
            let position = position.clone();
            return self.standing(Failure::from(error).answer(), &position, head).await;
        }
        Err(error.into())
    }

    /// Says where an upload stands, and by which URL it goes on.
    async fn standing(
        &self,
        answer: Answer,
        position: &UploadPosition,
        head: &Head,
    ) -> Result<Answer, Failure> {
        let place = Route::Upload(position.repository().clone(), position.id().to_string());
        let token = self.registry().upload_token(position).await?;
        // The specification has no way to say that nothing is there yet; `0-0` is what everyone says.
        let last = position.offset().saturating_sub(1);
        Ok(answer
            .with_header(header::LOCATION, format!("{}?_state={token}", head.location(&place)))
            .with_header(header::RANGE, format!("0-{last}"))
            .with_header(UPLOAD_UUID, position.id().as_str()))
    }
}

fn created(name: &RepositoryName, digest: &Digest, head: &Head) -> Answer {
    let place = Route::Blob(name.clone(), digest.clone());
    status(StatusCode::CREATED)
        .with_header(header::LOCATION, head.location(&place))
        .with_header(CONTENT_DIGEST, digest.to_string())
}

/// Whose an upload is: of this repository, and of who began it.
fn owner<'a>(repository: &'a RepositoryName, head: &'a Head) -> UploadOwner<'a> {
    UploadOwner { repository, principal: head.permit.identity().name() }
}

/// What the upload's URL says of it.
fn state(head: &Head) -> Option<String> {
    query(&head.uri, "_state")
}

/// Where a chunk begins, where the client says so; its two ways to say how long it is must agree.
fn first_byte(head: &Head, length: Option<u64>) -> Result<Option<u64>, Failure> {
    let invalid = |message: &str| Failure::new(StatusCode::BAD_REQUEST, ErrorCode::SizeInvalid, message);
    match chunk_range(&head.headers) {
        Ok(None) => Ok(None),
        // `0-0` with nothing behind it: how some clients say that there is no chunk.
        Ok(Some(_)) if length == Some(0) => Ok(None),
        Ok(Some((first, last))) if length.is_none_or(|length| last - first == length - 1) => Ok(Some(first)),
        Ok(Some(_)) => Err(invalid("Content-Range and Content-Length do not agree")),
        Err(()) => Err(invalid("Content-Range is not of the form <first byte>-<last byte>")),
    }
}
