//! Dropping a stage, with everything that nothing else needs.
//!
//! A stage may be published by another process at the same moment. The record of segments orders the two: whoever publishes
//! writes it first, and whoever drops writes one that says so, each only if there is none; who comes second is refused. Swift
//! looks whether there is one before it writes; of two that do so within the same few milliseconds both may believe to be the
//! first. That gap remains.

use std::collections::BTreeSet;
use std::time::Duration;

use apus_storage::{ErrorKind, Outcome, Result, StageId, StorageError};
use futures_util::TryStreamExt;

use super::Backend;
use super::record::Record;
use crate::SwiftError;

const OPERATION: &str = "stage_drop";

impl Backend {
    /// Segments go first, then the session, and the record last: as long as any of them is there, the stage can be dropped
    /// again.
    pub(super) async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        let failed = |error: SwiftError| error.into_storage(OPERATION, stage);
        self.ready(OPERATION, stage).await?;
        self.sessions.forget(stage);
        let (is_there, session) = match self.load(OPERATION, stage).await {
            Ok(session) => (session.is_some(), session),
            // It cannot be gone on with, only away with.
            Err(error) if error.kind() == ErrorKind::Damaged => (true, None),
            Err(error) => return Err(error),
        };
        // Nobody begins to publish a stage that is not there.
        let record = if is_there { self.claim(stage).await? } else { self.claimed_before(stage).await? };
        if let Some(record) = &record {
            let segments = session.iter().flat_map(|session| &session.segments).chain(&record.segments);
            let names = segments.map(|segment| segment.name.clone()).collect();
            self.free_segments(OPERATION, stage, names).await?;
        }
        self.container.delete(&self.names.session(stage)).await.map_err(failed)?;
        if record.is_some() {
            self.container.delete(&self.names.record(stage)).await.map_err(failed)?;
        }
        Ok(if is_there { Outcome::Done } else { Outcome::Absent })
    }

    /// Keeps others from publishing the stage from now on. Answers the record that was there before, or an empty one;
    /// `None` when an object uses the segments.
    async fn claim(&self, stage: &StageId) -> Result<Option<Record>> {
        // A second time when the record that was in the way has gone meanwhile.
        for _ in 0..2 {
            let is_full = self.put_dropped(stage, true).await?;
            let Some((found, age)) = self.load_record_with_age(OPERATION, stage).await? else {
                if is_full {
                    return Ok(Some(Record::of_dropped()));
                }
                continue;
            };
            if found.is_of_dropped() {
                return Ok(Some(found));
            }
            if self.is_published(OPERATION, stage, &found).await? {
                return Ok(None);
            }
            if let Some(left) = self.lease.checked_sub(age).filter(|left| !left.is_zero()) {
                return Err(under_way(OPERATION, stage, left));
            }
            // Whoever wrote it has died, or has given up.
            self.put_dropped(stage, false).await?;
            return Ok(Some(found));
        }
        let error = StorageError::new(ErrorKind::UNAVAILABLE, OPERATION, stage);
        Err(error.with_advice("somebody publishes and drops it at the same time; try again"))
    }

    /// Writes the record of a stage that is being dropped. Answers whether there is no room even for that: a store that is
    /// full gets room by this, and must not refuse it.
    async fn put_dropped(&self, stage: &StageId, if_absent: bool) -> Result<bool> {
        match self.put_record(OPERATION, stage, &Record::of_dropped(), if_absent).await {
            Ok(_) => Ok(false),
            Err(error) if matches!(error.kind(), ErrorKind::Full | ErrorKind::TooLarge) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// As [`claim`](Self::claim), for a stage without a session.
    async fn claimed_before(&self, stage: &StageId) -> Result<Option<Record>> {
        match self.load_record(OPERATION, stage).await? {
            Some(found) if !found.is_of_dropped() && self.is_published(OPERATION, stage, &found).await? => {
                Ok(None)
            }
            found => Ok(Some(found.unwrap_or_else(Record::of_dropped))),
        }
    }

    /// Frees the segments of a stage that this process has just tried to publish, unless an object uses them.
    pub(super) async fn free_if_unpublished(&self, operation: &'static str, stage: &StageId) -> Result<()> {
        let failed = |error: SwiftError| error.into_storage(operation, stage);
        if let Some(record) = self.load_record(operation, stage).await? {
            if self.is_published(operation, stage, &record).await? {
                return Ok(());
            }
            let names = record.segments.into_iter().map(|segment| segment.name);
            self.free_segments(operation, stage, names.collect()).await?;
            self.container.delete(&self.names.record(stage)).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Deletes these segments, and those that a listing shows besides: of appends that lost a race or died. Their names
    /// belong to this stage alone, so a listing that lags does no harm.
    async fn free_segments(
        &self,
        operation: &'static str,
        stage: &StageId,
        mut names: BTreeSet<String>,
    ) -> Result<()> {
        let failed = |error: SwiftError| error.into_storage(operation, stage);
        let mut listed = self.container.entries(self.names.segments_of(stage), false);
        while let Some(entry) = listed.try_next().await.map_err(failed)? {
            names.insert(entry.name().to_owned());
        }
        for deletion in self.container.delete_many(names).await {
            deletion.map_err(failed)?;
        }
        Ok(())
    }
}

/// Somebody publishes the stage at this moment: it is no longer where the caller believed, and soon not there at all. Should
/// that publication have died, the stage is free again when `left` is over; nobody is made to wait for that.
pub(super) fn under_way(operation: &'static str, stage: &StageId, left: Duration) -> StorageError {
    let seconds = left.as_secs();
    StorageError::new(ErrorKind::StageMoved, operation, stage).with_advice(format!(
        "another process publishes it; if that has failed without an end, it is taken so in {seconds} seconds"
    ))
}
