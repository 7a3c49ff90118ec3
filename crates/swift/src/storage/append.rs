//! Appending to a stage: what is large becomes segments as it comes, the rest stays with the session, and the session's one
//! PUT is the step that counts.

use std::sync::Arc;

use apus_storage::{
    ByteStream, Checkpoint, ErrorKind, Result, StageId, StagePosition, StageRevision, StageState,
    StorageError,
};
use bytes::Bytes;

use super::parts::Parts;
use super::session::Session;
use super::{Backend, moved};
use crate::SwiftErrorKind;
use crate::client::{Unused, Upload, Uploaded, free};

const OPERATION: &str = "stage_append";

impl Backend {
    pub(super) async fn stage_append(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        stream: ByteStream,
        checkpoint: Checkpoint,
    ) -> Result<StageState> {
        self.ready(OPERATION, stage).await?;
        let before = match position {
            StagePosition::Start => Session::nothing(),
            StagePosition::At(revision) => (*self.load_at(OPERATION, stage, revision).await?).clone(),
        };
        let mut parts = Parts {
            backend: self,
            operation: OPERATION,
            stage,
            limits: self.limits(OPERATION, stage).await?,
            segments: before.segments,
            unused: Unused::new(self.container.clone()),
        };
        let compacted = parts.compact().await? || before.compacted;
        let tail = parts.take(before.tail, stream).await?;
        let checkpoint = checkpoint();
        if checkpoint.len() > StageState::MAX_CHECKPOINT_BYTES {
            let error = StorageError::new(ErrorKind::Unexpected, OPERATION, stage);
            return Err(error.with_advice(format!("its checkpoint has {} bytes", checkpoint.len())));
        }
        let session = Session {
            revision: StageRevision::random(),
            // What the caller's buffer holds besides is not kept alive by this.
            checkpoint: Bytes::copy_from_slice(&checkpoint),
            segments: parts.segments,
            compacted,
            tail,
        };
        self.commit(stage, position, session, parts.unused).await
    }

    /// Puts the session. Only when it is certain that it was not put are the new segments deleted: a session that was put,
    /// and whose answer was lost, names them.
    ///
    /// Of those who append in this process at the same position the first one to come here wins, and the others are told. Swift
    /// has no compare-and-set, so a process knows nothing of another: there the last one wins, and the record of segments
    /// sees to it that only one is published.
    async fn commit(
        &self,
        stage: &StageId,
        position: StagePosition<'_>,
        session: Session,
        mut unused: Unused,
    ) -> Result<StageState> {
        let _turn = self.turns.of(stage).await;
        let is_start = match position {
            StagePosition::Start => true,
            StagePosition::At(revision) if self.sessions.stands_elsewhere(stage, revision) => {
                return Err(moved(OPERATION, stage));
            }
            StagePosition::At(_) => false,
        };
        let object = session
            .encode()
            .map_err(|error| StorageError::new(ErrorKind::Unexpected, OPERATION, stage).with_source(error))?;
        let upload = Upload::new(self.names.session(stage), object).if_absent(is_start);
        let segments = unused.release();
        let is_kept = match self.container.put(upload).await {
            Err(error) => {
                let is_refused = matches!(
                    error.kind(),
                    SwiftErrorKind::Full | SwiftErrorKind::TooLarge | SwiftErrorKind::Denied
                );
                if is_refused {
                    free(&self.container, segments).await;
                }
                return Err(error.into_storage(OPERATION, stage));
            }
            Ok(Uploaded::Stored(_)) => true,
            // Another append was there before, or at the same time; or it was ours, and its answer was lost.
            Ok(Uploaded::Exists { .. } | Uploaded::Superseded) => {
                let found = self.load(OPERATION, stage).await?;
                found.is_some_and(|found| found.revision == session.revision)
            }
        };
        if !is_kept {
            free(&self.container, segments).await;
            return Err(moved(OPERATION, stage));
        }
        let state = session.state();
        self.sessions.keep(stage, Arc::new(session));
        Ok(state)
    }
}
