//! Uploads: a blob on its way in. One whole body of known length goes straight to its final name; anything else is staged,
//! chunk by chunk, by whichever replica the client meets, and published when its digest has been proven.

use apus_storage::{
    Body, ByteStream, ErrorKind, Outcome, Publication, StageId, StagePosition, StageRevision, StageState,
    StorageError, WriteMode, body,
};
use metrics::counter;

use crate::checkpoint::UploadCheckpoint;
use crate::hashing::{HashedContent, Hasher};
use crate::{Algorithm, Digest, Error, Registry, RepositoryName, Result, layout};

/// Whose an upload is: to all others it is unknown, whatever they know of its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadOwner<'a> {
    /// Into which repository it goes.
    pub repository: &'a RepositoryName,
    /// Who sends it, by whatever name their caller knows them; `None` for nobody in particular.
    pub principal: Option<&'a str>,
}

impl<'a> From<&'a RepositoryName> for UploadOwner<'a> {
    fn from(repository: &'a RepositoryName) -> Self {
        Self { repository, principal: None }
    }
}

/// Where an upload stands: what an upload URL says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPosition {
    repository: RepositoryName,
    principal: Option<String>,
    id: StageId,
    algorithm: Algorithm,
    standing: Standing,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing has been sent, and storage knows nothing of it.
    Fresh,
    /// So many bytes are staged.
    At { offset: u64, revision: StageRevision },
}

impl UploadPosition {
    pub(crate) fn new(owner: UploadOwner<'_>, id: StageId, algorithm: Algorithm, standing: Standing) -> Self {
        let UploadOwner { repository, principal } = owner;
        let (repository, principal) = (repository.clone(), principal.map(str::to_owned));
        Self { repository, principal, id, algorithm, standing }
    }

    /// Into which repository it goes.
    #[must_use]
    pub fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Whose upload it is.
    #[must_use]
    pub fn owner(&self) -> UploadOwner<'_> {
        UploadOwner { repository: &self.repository, principal: self.principal.as_deref() }
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> &StageId {
        &self.id
    }

    /// Bytes that have been received.
    #[must_use]
    pub fn offset(&self) -> u64 {
        match self.standing {
            Standing::Fresh => 0,
            Standing::At { offset, .. } => offset,
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn standing(&self) -> &Standing {
        &self.standing
    }
}

/// An upload that was found, with its hash so far.
#[derive(Debug, Clone)]
pub struct Upload {
    position: UploadPosition,
    hasher: Hasher,
    /// The URL by which it was found is not its latest: only a chunk that says where it begins may be appended.
    outdated: bool,
}

impl Upload {
    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> &UploadPosition {
        &self.position
    }

    fn fresh(position: UploadPosition) -> Self {
        let hasher = Hasher::new(position.algorithm);
        Self { position, hasher, outdated: false }
    }

    fn out_of_order(self) -> Error {
        Error::ChunkOutOfOrder { position: Box::new(self.position) }
    }
}

impl Registry {
    /// Begins an upload. Storage is not asked: the upload lives in its URL until the first chunk.
    ///
    /// `algorithm` is what the digest at the end is expected to use; another one costs a second reading of the content.
    #[must_use]
    pub fn begin_upload<'a>(
        &self,
        owner: impl Into<UploadOwner<'a>>,
        algorithm: Algorithm,
    ) -> UploadPosition {
        counter!("apus_uploads_begun_total").increment(1);
        UploadPosition::new(owner.into(), StageId::random(), algorithm, Standing::Fresh)
    }

    /// The signed text for an upload's URL, by which [`Registry::upload`] finds it again.
    ///
    /// # Errors
    /// [`Error::Storage`] when the secret that signs it cannot be read.
    pub async fn upload_token(&self, position: &UploadPosition) -> Result<String> {
        Ok(self.signer().await?.sign(position))
    }

    /// Finds an upload by what its URL says. Without a token, storage is asked where it stands.
    ///
    /// # Errors
    /// [`Error::UploadUnknown`] when this owner has no such upload, or the token is not one that was given out for it.
    pub async fn upload<'a>(
        &self,
        owner: impl Into<UploadOwner<'a>>,
        id: &str,
        token: Option<&str>,
    ) -> Result<Upload> {
        let owner = owner.into();
        let unknown = || unknown(owner);
        let (id, believed) = self.named(owner, id, token).await?;
        let revision = match believed {
            Some(position) if position.standing == Standing::Fresh => return Ok(Upload::fresh(position)),
            Some(UploadPosition { standing: Standing::At { revision, .. }, .. }) => Some(revision),
            _ => None,
        };
        let state = self.storage.stage_state(&id, revision.as_ref()).await?.ok_or_else(unknown)?;
        let outdated = revision.is_some_and(|revision| revision != state.revision);
        Self::staged(owner, id, state, outdated)
    }

    /// The identifier in an upload's URL, and the position that the URL believes in, when it has a token.
    async fn named(
        &self,
        owner: UploadOwner<'_>,
        id: &str,
        token: Option<&str>,
    ) -> Result<(StageId, Option<UploadPosition>)> {
        let unknown = || unknown(owner);
        let id = StageId::parse(id).map_err(|_| unknown())?;
        let believed = match token {
            Some(token) => match self.signer().await {
                Ok(signer) => Some(signer.open(token, owner, &id).ok_or_else(unknown)?),
                // Where there is no secret nobody was ever given an upload.
                Err(Error::ReadOnly) => return Err(unknown()),
                Err(error) => return Err(error),
            },
            None => None,
        };
        if self.has_ended(&id) {
            return Err(unknown());
        }
        Ok((id, believed))
    }

    fn staged(owner: UploadOwner<'_>, id: StageId, state: StageState, outdated: bool) -> Result<Upload> {
        let checkpoint = UploadCheckpoint::decode(&id, &state.checkpoint)?;
        if checkpoint.owner() != owner {
            return Err(unknown(owner));
        }
        let standing = Standing::At { offset: state.offset, revision: state.revision };
        let position = UploadPosition::new(owner, id, checkpoint.hasher.algorithm(), standing);
        Ok(Upload { position, hasher: checkpoint.hasher, outdated })
    }

    /// Where an upload stands by the newest that storage knows, whatever this process remembers of it: another one may have
    /// gone on with it, or ended it.
    ///
    /// # Errors
    /// As [`Registry::upload`].
    pub async fn upload_status<'a>(
        &self,
        owner: impl Into<UploadOwner<'a>>,
        id: &str,
        token: Option<&str>,
    ) -> Result<UploadPosition> {
        let owner = owner.into();
        let (id, believed) = self.named(owner, id, token).await?;
        match (self.storage.stage_state(&id, None).await?, believed) {
            (Some(state), _) => Ok(Self::staged(owner, id, state, true)?.position),
            (None, Some(position)) if position.standing == Standing::Fresh => Ok(position),
            (None, _) => Err(unknown(owner)),
        }
    }

    /// The upload as storage knows it, for one that was found by the URL of its beginning.
    async fn look_again(&self, upload: Upload) -> Result<Upload> {
        if upload.position.standing != Standing::Fresh {
            return Ok(upload);
        }
        match self.storage.stage_state(&upload.position.id, None).await? {
            Some(state) => Self::staged(upload.position.owner(), upload.position.id.clone(), state, true),
            None => Ok(upload),
        }
    }

    /// Appends a chunk. `first` is the offset at which the client says that it begins, where it says so.
    ///
    /// # Errors
    /// [`Error::ChunkOutOfOrder`] when that is not where the upload stands, [`Error::ContentBroken`] when the body broke
    /// off. The upload stays as it was.
    pub async fn append(&self, upload: Upload, first: Option<u64>, stream: ByteStream) -> Result<Upload> {
        let upload = match first {
            Some(first) if first != upload.position.offset() => self.look_again(upload).await?,
            _ => upload,
        };
        if first.map_or(upload.outdated, |first| first != upload.position.offset()) {
            return Err(upload.out_of_order());
        }
        let (owner, id) = (upload.position.owner(), upload.position.id.clone());
        let position = match &upload.position.standing {
            Standing::Fresh => StagePosition::Start,
            Standing::At { revision, .. } => StagePosition::At(revision),
        };
        let content = HashedContent::new(stream, upload.hasher.clone());
        let (stream, appended_to) = (content.stream(), upload.position.clone());
        let checkpoint = move || UploadCheckpoint::new(appended_to.owner(), content.hasher()).encode();
        match self.storage.stage_append(&id, position, stream, Box::new(checkpoint)).await {
            Ok(_) if self.has_ended(&id) => {
                // While the chunk was on its way.
                self.storage.stage_drop(&id).await?;
                Err(unknown(owner))
            }
            Ok(state) => Self::staged(owner, id, state, false),
            Err(error) if error.kind() == ErrorKind::StageMoved => {
                // Somebody else was faster. Say where it stands, if it still does.
                match self.storage.stage_state(&id, None).await? {
                    Some(state) => Err(Self::staged(owner, id, state, true)?.out_of_order()),
                    None => Err(unknown(owner)),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the last chunk, if there is one, proves the digest, publishes the blob and gives it to the repository. Answers the
    /// bytes of the blob.
    ///
    /// `length` is that of the last chunk, where it is known; 0 means that there is none.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] when the content is not what the client said: the upload is then dropped and nothing is
    /// left of it. [`Error::ChunkOutOfOrder`] and [`Error::ContentBroken`] as [`Registry::append`].
    pub async fn finish(
        &self,
        upload: Upload,
        first: Option<u64>,
        length: Option<u64>,
        stream: ByteStream,
        digest: &Digest,
    ) -> Result<u64> {
        let id = upload.position.id.clone();
        let finished = self.try_to_finish(upload, first, length, stream, digest).await;
        let outcome = match finished {
            Ok(_) => "finished",
            Err(Error::DigestMismatch { .. }) => "mismatched",
            Err(_) => return finished,
        };
        self.ended.insert(id, ());
        counter!("apus_uploads_ended_total", "outcome" => outcome).increment(1);
        finished
    }

    async fn try_to_finish(
        &self,
        upload: Upload,
        first: Option<u64>,
        length: Option<u64>,
        stream: ByteStream,
        digest: &Digest,
    ) -> Result<u64> {
        let upload = if length == Some(0) { self.look_again(upload).await? } else { upload };
        match (&upload.position.standing, length) {
            (Standing::Fresh, Some(length)) if first.unwrap_or(0) == 0 => {
                self.write_whole(&upload.position.repository, length, stream, digest).await?;
                Ok(length)
            }
            (Standing::At { .. }, Some(0)) => self.publish(upload, digest).await,
            _ => {
                let upload = self.append(upload, first, stream).await?;
                self.publish(upload, digest).await
            }
        }
    }

    /// Takes a whole blob of known length, straight to its final name: the last bytes are held back until the digest agrees.
    ///
    /// # Errors
    /// As [`Registry::finish`].
    pub async fn write_whole(
        &self,
        repository: &RepositoryName,
        length: u64,
        stream: ByteStream,
        digest: &Digest,
    ) -> Result<()> {
        let content = HashedContent::new(stream, Hasher::new(digest.algorithm()));
        let (judged, expected) = (content.clone(), digest.clone());
        let verdict = move || Ok(compare(&expected, judged.hasher())?);
        let body = Body::stream(length, body::hold_back(content.stream(), length, verdict));
        let written = self.storage.write(&layout::blob_data(digest)?, body, WriteMode::IfAbsent).await?;
        if let Publication::Existing(info) = written {
            // Storage may not have looked at the body. Only who has the content may have the blob by its digest.
            content.drain().await.map_err(Error::ContentBroken)?;
            compare(digest, content.hasher())?;
            if info.size != length {
                return Err(self.damaged_blob(digest, length, info.size));
            }
        }
        self.link_blob(repository, digest, digest, length).await
    }

    /// What lies under the blob's name has another size than the digest allows. The body is gone, so it cannot be mended
    /// now; a client that tries again does not find the blob, and the staged path replaces it.
    fn damaged_blob(&self, digest: &Digest, expected: u64, actual: u64) -> Error {
        self.caches.missed_blob(digest);
        StorageError::new(ErrorKind::Damaged, "write", digest)
            .with_source(format!("{actual} bytes lie under its name, it has {expected}"))
            .with_advice("push it in chunks, which replaces what is damaged")
            .into()
    }

    async fn publish(&self, upload: Upload, digest: &Digest) -> Result<u64> {
        let Upload { position, hasher, .. } = upload;
        let UploadPosition { repository, id, standing, .. } = position;
        let Standing::At { offset, revision } = standing else {
            return compare(digest, hasher).map(|()| 0);
        };
        let hasher = if hasher.algorithm() == digest.algorithm() {
            hasher
        } else {
            self.hash_again(&id, &revision, digest.algorithm()).await?
        };
        if let Err(mismatch) = compare(digest, hasher) {
            self.storage.stage_drop(&id).await?;
            return Err(mismatch);
        }
        let name = layout::blob_data(digest)?;
        match self.storage.stage_publish(&id, &revision, &name, WriteMode::IfAbsent).await? {
            Publication::Published(_) => {}
            Publication::Existing(info) if info.size == offset => {
                self.storage.stage_drop(&id).await?;
            }
            Publication::Existing(info) => {
                tracing::warn!(%digest, size = info.size, expected = offset, "replacing a damaged blob");
                self.storage.stage_publish(&id, &revision, &name, WriteMode::Replace).await?;
            }
        }
        self.link_blob(&repository, digest, digest, offset).await?;
        Ok(offset)
    }

    /// The hash of what is staged, by another algorithm than the one that ran along.
    async fn hash_again(
        &self,
        id: &StageId,
        revision: &StageRevision,
        algorithm: Algorithm,
    ) -> Result<Hasher> {
        let staged = HashedContent::new(self.storage.stage_read(id, revision).await?, Hasher::new(algorithm));
        staged.drain().await.map_err(|error| {
            StorageError::new(ErrorKind::UNAVAILABLE, "read upload", id).with_source(error)
        })?;
        Ok(staged.hasher())
    }

    /// Cancels an upload and frees what it held.
    ///
    /// # Errors
    /// As [`Registry::upload`]; also [`Error::UploadUnknown`] when another process has ended it, and [`Error::Storage`] of the
    /// kind [`ErrorKind::StageMoved`] while another process publishes it.
    pub async fn cancel_upload<'a>(
        &self,
        owner: impl Into<UploadOwner<'a>>,
        id: &str,
        token: Option<&str>,
    ) -> Result<()> {
        let owner = owner.into();
        let UploadPosition { id, standing, .. } = self.upload(owner, id, token).await?.position;
        self.ended.insert(id.clone(), ());
        match (self.storage.stage_drop(&id).await, standing) {
            // Another process has ended it.
            (Ok(Outcome::Absent), Standing::At { .. }) => Err(unknown(owner)),
            (Ok(_), _) => {
                counter!("apus_uploads_ended_total", "outcome" => "cancelled").increment(1);
                Ok(())
            }
            (Err(error), _) => {
                self.ended.remove(&id);
                Err(error.into())
            }
        }
    }

    fn has_ended(&self, id: &StageId) -> bool {
        self.ended.get(id).is_some()
    }
}

fn unknown(owner: UploadOwner<'_>) -> Error {
    Error::UploadUnknown { repository: owner.repository.clone() }
}

fn compare(expected: &Digest, hasher: Hasher) -> Result<()> {
    let actual = hasher.digest();
    if actual == *expected {
        Ok(())
    } else {
        Err(Error::DigestMismatch { expected: expected.clone(), actual })
    }
}
