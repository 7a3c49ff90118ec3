//! Publishing a stage: the one PUT at the final name that makes it an object, and what surrounds it so that a lost answer
//! loses nothing.

use apus_storage::{
    ErrorKind, Freshness, ObjectName, Publication, Result, StageId, StageRevision, StorageError, WriteMode,
};

use super::record::uses_segments_of;
use super::session::Session;
use super::write::{Landed, Piece, info_of_stored};
use super::{Backend, info_of, moved};
use crate::client::{ObjectMetadata, Segment, SloManifest, Upload, Uploaded, free};
use crate::etag;
use crate::{SwiftError, SwiftErrorKind};

const OPERATION: &str = "stage_publish";

impl Backend {
    pub(super) async fn stage_publish(
        &self,
        stage: &StageId,
        revision: &StageRevision,
        name: &ObjectName,
        mode: WriteMode,
    ) -> Result<Publication> {
        let object = self.place(OPERATION, name).await?;
        let session = self.load_at(OPERATION, stage, revision).await?;
        let replaced = match mode {
            WriteMode::Replace => self.to_be_replaced(OPERATION, &object).await?,
            WriteMode::IfAbsent => None,
        };
        let piece = Piece { operation: OPERATION, subject: name, object: &object, mode, stage: Some(stage) };
        let (landed, segments) = if session.segments.is_empty() {
            let tag = etag::of_bytes(&session.tail);
            (self.write_piece(&piece, session.tail.clone().into(), Some(&tag)).await?, Vec::new())
        } else {
            let segments = self.all_segments(stage, &session).await?;
            (self.publish_segments(&piece, stage, &segments).await?, segments)
        };
        if let (true, Some(replaced)) = (landed.is_there, landed.mended.or(replaced)) {
            self.free_replaced(&object, replaced, Some(stage), &segments).await;
        }
        if let Publication::Published(_) = &landed.publication {
            if session.compacted && landed.is_there {
                self.free_all_but(stage, &segments).await;
            }
            self.end_session(stage).await;
        }
        Ok(landed.publication)
    }

    /// Writes the record and the manifest. The record stays as long as the object may be there, and no longer: whoever drops
    /// the stage takes it for a publication that is under way.
    async fn publish_segments(
        &self,
        piece: &Piece<'_>,
        stage: &StageId,
        segments: &[Segment],
    ) -> Result<Landed> {
        self.write_record(OPERATION, stage, piece.object, segments).await?;
        let landed = self.write_manifest(piece, stage, segments).await;
        let is_out = match &landed {
            Ok(landed) => matches!(landed.publication, Publication::Existing(_)),
            Err(error) => !matches!(error.kind(), ErrorKind::Unavailable { .. }),
        };
        if is_out {
            free(&self.container, vec![self.names.record(stage)]).await;
        }
        match landed {
            // A segment is missing because the stage was dropped.
            Err(error)
                if error.kind() == ErrorKind::Damaged && self.load(OPERATION, stage).await?.is_none() =>
            {
                Err(moved(OPERATION, stage))
            }
            landed => landed,
        }
    }

    /// The segments of the stage, the rest of it written as the last one.
    async fn all_segments(&self, stage: &StageId, session: &Session) -> Result<Vec<Segment>> {
        let mut segments = session.segments.clone();
        if !session.tail.is_empty() {
            let name = self.names.last_segment(stage, segments.len(), &session.revision);
            let (size, etag) = (session.tail.len() as u64, etag::of_bytes(&session.tail));
            // Whoever else writes this name, as in a repeated publish, writes the same bytes.
            let uploaded = self.container.put(Upload::new(&name, session.tail.clone())).await;
            uploaded.map_err(|error| error.into_storage(OPERATION, stage))?;
            segments.push(Segment { name, etag, size });
        }
        Ok(segments)
    }

    /// Writes the manifest of segments whose record is written. What came of it is looked up where the answer does not say.
    pub(super) async fn write_manifest(
        &self,
        piece: &Piece<'_>,
        stage: &StageId,
        segments: &[Segment],
    ) -> Result<Landed> {
        let expected = etag::of_segments(segments.iter().map(|segment| &*segment.etag));
        let mut if_absent = piece.mode == WriteMode::IfAbsent;
        let mut mended = None;
        // Again when what was in the way has gone meanwhile, or is damaged.
        for _ in 0..3 {
            let manifest = SloManifest::new(piece.object, segments)
                .if_absent(if_absent)
                .headers(super::record::stage_header(stage));
            let unclear = match self.container.put_manifest(manifest).await {
                Ok(Uploaded::Stored(stored)) => {
                    return Ok(Landed { mended, ..Landed::there(info_of_stored(stored)) });
                }
                Ok(Uploaded::Exists { .. }) => Unclear::Exists,
                Ok(Uploaded::Superseded) => Unclear::Superseded,
                Err(error) if matches!(error.kind(), SwiftErrorKind::Unavailable { .. }) => {
                    Unclear::Failed(error)
                }
                Err(error) => return Err(error.into_storage(piece.operation, piece.subject)),
            };
            let found = self.container.head(piece.object, Freshness::Newest).await;
            let is_ours = |found: &ObjectMetadata| {
                uses_segments_of(found, stage) && found.entity_tag.as_deref() == Some(&*expected)
            };
            match (unclear, found) {
                (_, Ok(Some(found))) if is_ours(&found) => {
                    return Ok(Landed { mended, ..Landed::there(info_of(found)) });
                }
                (Unclear::Failed(error), _) | (_, Err(error)) => {
                    return Err(error.into_storage(piece.operation, piece.subject));
                }
                (Unclear::Exists, Ok(Some(found)))
                    if self.is_damaged(piece.operation, piece.object, &found).await? =>
                {
                    mended = self.mending(piece, &found).await?;
                    if_absent = false;
                }
                (Unclear::Superseded, Ok(Some(found))) if !if_absent => {
                    self.free_if_unpublished(piece.operation, stage).await?;
                    return Ok(Landed::overtaken(info_of(found)));
                }
                (_, Ok(Some(found))) => return Ok(Landed::existing(info_of(found))),
                (_, Ok(None)) => {}
            }
        }
        let error = StorageError::new(ErrorKind::UNAVAILABLE, piece.operation, piece.subject);
        Err(error.with_advice("something else writes and deletes it at the same time; try again"))
    }

    /// The stage is an object now. If this fails the session stays, and whoever drops it finds that out.
    async fn end_session(&self, stage: &StageId) {
        self.sessions.forget(stage);
        if let Err(error) = self.container.delete(&self.names.session(stage)).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(%stage, error, "the upload is published, but its session could not be deleted");
        }
    }
}

/// Answers to the PUT of a manifest that do not say what is there now.
enum Unclear {
    Exists,
    Superseded,
    Failed(SwiftError),
}
