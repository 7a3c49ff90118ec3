//! Dropping a stage, with everything that nothing else needs.

use std::collections::BTreeSet;

use apus_storage::{ErrorKind, Outcome, Result, StageId};

use super::Backend;
use super::record::Record;
use crate::SwiftError;
use crate::client::ListingRequest;

const OPERATION: &str = "stage_drop";
const PAGE: usize = 10_000;

impl Backend {
    /// The session goes last: as long as it is there, the stage can be found and dropped again.
    pub(super) async fn stage_drop(&self, stage: &StageId) -> Result<Outcome> {
        let failed = |error: SwiftError| error.into_storage(OPERATION, stage);
        self.ready(OPERATION, stage).await?;
        self.sessions.forget(stage);
        let session = match self.load(OPERATION, stage).await {
            Ok(session) => session,
            // It cannot be gone on with, only away with.
            Err(error) if error.kind() == ErrorKind::Damaged => None,
            Err(error) => return Err(error),
        };
        let mut names: BTreeSet<String> = session
            .iter()
            .flat_map(|session| &session.segments)
            .map(|segment| segment.name.clone())
            .collect();
        if self.is_free(OPERATION, stage, &mut names).await? {
            self.free_segments(OPERATION, stage, names).await?;
        }
        let deletion = self.container.delete(&self.names.session(stage)).await.map_err(failed)?;
        Ok(super::outcome_of(deletion))
    }

    /// Frees the segments of a stage, unless an object uses them.
    pub(super) async fn free_if_unpublished(&self, operation: &'static str, stage: &StageId) -> Result<()> {
        let mut names = BTreeSet::new();
        if self.is_free(operation, stage, &mut names).await? {
            self.free_segments(operation, stage, names).await?;
        }
        Ok(())
    }

    /// Whether no object uses segments of the stage; adds those that its record names. That an object uses them can be told
    /// only from its record, which was there before the object.
    async fn is_free(
        &self,
        operation: &'static str,
        stage: &StageId,
        names: &mut BTreeSet<String>,
    ) -> Result<bool> {
        let Some(record) = self.load_record(operation, stage).await? else { return Ok(true) };
        if self.is_published(operation, stage, &record).await? {
            return Ok(false);
        }
        let Record { segments, .. } = record;
        names.extend(segments.into_iter().map(|segment| segment.name));
        Ok(true)
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
        let prefix = self.names.segments_of(stage);
        let mut marker = String::new();
        loop {
            let request = ListingRequest { prefix: &prefix, marker: &marker, one_level: false, limit: PAGE };
            let page = self.container.list(&request).await.map_err(failed)?;
            if let Some(last) = page.entries.last() {
                last.name().clone_into(&mut marker);
            }
            names.extend(page.entries.into_iter().map(|entry| entry.name().to_owned()));
            if page.is_last {
                break;
            }
        }
        for deletion in self.container.delete_many(names).await {
            deletion.map_err(failed)?;
        }
        self.container.delete(&self.names.record(stage)).await.map_err(failed)?;
        Ok(())
    }
}
