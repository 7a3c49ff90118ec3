//! Writing an object whole: small ones from memory, larger ones as a stream in one PUT, the largest as segments. Always
//! straight to the final name.

use apus_storage::{
    Body, ErrorKind, Freshness, ObjectInfo, ObjectName, Publication, Result, StageId, StorageError,
    WriteMode, body,
};
use bytes::Bytes;

use super::damage::damaged;
use super::parts::Parts;
use super::record::stage_header;
use super::replaced::Replaced;
use super::{Backend, Limits, info_of};
use crate::client::{Content, ObjectMetadata, Stored, Unused, Upload, Uploaded, free};
use crate::etag;
use crate::{SwiftError, SwiftErrorKind};

const OPERATION: &str = "write";
/// What is no longer than this replaces its like, such as a link, and never an object with segments: whether there is one
/// is not asked, so that it costs no request.
const NEVER_LARGE: u64 = 4096;

/// An object that is to be written in one PUT.
pub(super) struct Piece<'a> {
    pub(super) operation: &'static str,
    /// What it is called in an error.
    pub(super) subject: &'a (dyn std::fmt::Display + Sync),
    /// Its name in the container.
    pub(super) object: &'a str,
    pub(super) mode: WriteMode,
    /// The stage that it is published from.
    pub(super) stage: Option<&'a StageId>,
}

/// Where a PUT at a final name ended.
pub(super) struct Landed {
    pub(super) publication: Publication,
    /// The object that is there is this one: what was there before is no more.
    pub(super) is_there: bool,
    /// What was there before although nothing was to be replaced: it was damaged.
    pub(super) mended: Option<Replaced>,
}

impl Landed {
    pub(super) fn there(info: ObjectInfo) -> Self {
        Self { publication: Publication::Published(info), is_there: true, mended: None }
    }

    /// Swift counts something else as newer. That may be older by our clock, and then it is just what was to be replaced.
    pub(super) fn overtaken(info: ObjectInfo) -> Self {
        Self { publication: Publication::Published(info), is_there: false, mended: None }
    }

    pub(super) fn existing(info: ObjectInfo) -> Self {
        Self { publication: Publication::Existing(info), is_there: false, mended: None }
    }
}

impl Backend {
    pub(super) async fn write(&self, name: &ObjectName, body: Body, mode: WriteMode) -> Result<Publication> {
        let object = self.place(OPERATION, name).await?;
        let limits = self.limits(OPERATION, name).await?;
        let replaced = match mode {
            WriteMode::Replace if body.length() > NEVER_LARGE => {
                self.to_be_replaced(OPERATION, &object).await?
            }
            _ => None,
        };
        if body.length() > limits.piece {
            return self.write_large(name, &object, body, mode, limits, replaced).await;
        }
        let piece = Piece { operation: OPERATION, subject: name, object: &object, mode, stage: None };
        let (content, tag) =
            content_of(body, limits).await.map_err(|error| StorageError::body(OPERATION, name, error))?;
        let landed = self.write_piece(&piece, content, tag.as_deref()).await?;
        if let (true, Some(replaced)) = (landed.is_there, landed.mended.or(replaced)) {
            self.free_replaced(&object, replaced, None, &[]).await;
        }
        Ok(landed.publication)
    }

    /// Writes an object in one PUT. `tag` is its entity tag, when all of it is in memory.
    pub(super) async fn write_piece(
        &self,
        piece: &Piece<'_>,
        mut content: Content,
        tag: Option<&str>,
    ) -> Result<Landed> {
        let failed = |error: SwiftError| error.into_storage(piece.operation, piece.subject);
        let mut if_absent = piece.mode == WriteMode::IfAbsent;
        let mut mended = None;
        // Again when what was in the way has gone meanwhile, or is damaged.
        for _ in 0..3 {
            let upload = Upload::new(piece.object, content)
                .if_absent(if_absent)
                .headers(piece.stage.and_then(stage_header));
            let uploaded = match self.container.put(upload).await {
                // A Swift that refuses a body for what exists may close before all of it is sent, and the refusal is lost.
                // Such a body cannot be sent again, so look at what is there.
                Err(error)
                    if if_absent
                        && tag.is_none()
                        && matches!(error.kind(), SwiftErrorKind::Unavailable { .. })
                        && self.look(piece).await?.is_some() =>
                {
                    tracing::debug!(object = piece.object, %error, "it broke off, and is there");
                    Uploaded::Exists { again: None, repeated: false }
                }
                uploaded => uploaded.map_err(failed)?,
            };
            let again = match uploaded {
                Uploaded::Stored(stored) => {
                    return Ok(Landed { mended, ..Landed::there(info_of_stored(stored)) });
                }
                Uploaded::Exists { again, repeated } => match self.look(piece).await? {
                    Some(found) if is_ours(&found, piece.stage, tag, repeated) => {
                        return Ok(Landed::there(info_of(found)));
                    }
                    Some(found) if self.is_damaged(piece.operation, piece.object, &found).await? => {
                        if again.is_none() {
                            return Err(damaged(piece.operation, piece.subject));
                        }
                        mended = self.mending(piece, &found).await?;
                        if_absent = false;
                        again
                    }
                    Some(found) => return Ok(Landed::existing(info_of(found))),
                    None => again,
                },
                Uploaded::Superseded => match self.look(piece).await? {
                    Some(found) if tag.is_some() && found.entity_tag.as_deref() == tag => {
                        return Ok(Landed::there(info_of(found)));
                    }
                    Some(found) if if_absent => return Ok(Landed::existing(info_of(found))),
                    Some(found) => return Ok(Landed::overtaken(info_of(found))),
                    None => None,
                },
            };
            match again {
                Some(again) => content = again,
                None => break,
            }
        }
        let error = StorageError::new(ErrorKind::UNAVAILABLE, piece.operation, piece.subject);
        Err(error.with_advice("something else writes and deletes it at the same time; try again"))
    }

    /// What a damaged object has of its own, which is about to be replaced although it exists: it cannot be read.
    pub(super) async fn mending(
        &self,
        piece: &Piece<'_>,
        found: &ObjectMetadata,
    ) -> Result<Option<Replaced>> {
        tracing::warn!(object = piece.object, "replacing an object that is damaged");
        self.replaced(piece.operation, piece.object, found).await
    }

    async fn look(&self, piece: &Piece<'_>) -> Result<Option<ObjectMetadata>> {
        let found = self.container.head(piece.object, Freshness::Newest).await;
        found.map_err(|error| error.into_storage(piece.operation, piece.subject))
    }

    /// Segments and a manifest, of a stage that nobody else knows.
    async fn write_large(
        &self,
        name: &ObjectName,
        object: &str,
        body: Body,
        mode: WriteMode,
        limits: Limits,
        replaced: Option<Replaced>,
    ) -> Result<Publication> {
        let stage = new_stage(name)?;
        let mut parts = Parts {
            backend: self,
            operation: OPERATION,
            stage: &stage,
            limits,
            segments: Vec::new(),
            unused: Unused::new(self.container.clone()),
        };
        let rest = parts.take(Bytes::new(), body.into_stream()).await?;
        if !rest.is_empty() {
            let last = self.names.new_segment(&stage, parts.segments.len());
            parts.put(last, rest.into()).await?;
        }
        let Parts { segments, mut unused, .. } = parts;
        unused.add(&self.names.record(&stage));
        self.write_record(OPERATION, &stage, object, &segments).await?;
        // From here on the object may be there, whatever becomes of its answer.
        let parts = unused.release();
        let piece = Piece { operation: OPERATION, subject: name, object, mode, stage: Some(&stage) };
        match self.write_manifest(&piece, &stage, &segments).await {
            Ok(landed) => {
                if let Publication::Existing(_) = landed.publication {
                    free(&self.container, parts).await;
                }
                if let (true, Some(replaced)) = (landed.is_there, landed.mended.or(replaced)) {
                    self.free_replaced(object, replaced, Some(&stage), &segments).await;
                }
                Ok(landed.publication)
            }
            // It may be there, so its parts are left to upkeep.
            Err(error) if matches!(error.kind(), ErrorKind::Unavailable { .. }) => Err(error),
            Err(error) => {
                free(&self.container, parts).await;
                Err(error)
            }
        }
    }
}

/// What is sent: bytes where they are in memory or small, so that they can be sent again.
async fn content_of(body: Body, limits: Limits) -> Result<(Content, Option<String>), body::BoxError> {
    let length = body.length();
    let bytes = match body.as_bytes() {
        Some(bytes) => bytes.clone(),
        None if length <= limits.small => {
            body::collect(body.into_stream(), usize::try_from(length).unwrap_or(usize::MAX)).await?
        }
        None => return Ok((Content::stream(Some(length), body.into_stream()), None)),
    };
    let tag = etag::of_bytes(&bytes);
    Ok((bytes.into(), Some(tag)))
}

pub(super) fn info_of_stored(stored: Stored) -> ObjectInfo {
    ObjectInfo { size: stored.size, modified: stored.modified, entity_tag: Some(stored.entity_tag) }
}

/// Whether what is there is what was to be written. What was published from a stage says so; of anything else a request that
/// was repeated is taken to have written the same content.
fn is_ours(found: &ObjectMetadata, stage: Option<&StageId>, tag: Option<&str>, repeated: bool) -> bool {
    let same_content = tag.is_some() && found.entity_tag.as_deref() == tag;
    let same_writer = match stage {
        Some(stage) => super::record::stage_of(found).as_ref() == Some(stage),
        None => repeated,
    };
    same_content && same_writer
}

fn new_stage(name: &ObjectName) -> Result<StageId> {
    let id = format!("write-{}", data_encoding::HEXLOWER.encode(&rand::random::<[u8; 16]>()));
    StageId::parse(id)
        .map_err(|error| StorageError::new(ErrorKind::Unexpected, OPERATION, name).with_source(error))
}
