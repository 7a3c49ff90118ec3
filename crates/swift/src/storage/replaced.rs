//! What an object that is about to be replaced has of its own, so that it can be freed afterwards.

use std::collections::HashSet;

use apus_storage::{Freshness, Result, StageId};

use super::Backend;
use super::parts::free;
use super::record::stage_of;
use crate::SwiftError;
use crate::client::{ObjectKind, Segment};

/// The segments of a large object that is there, and the stage that it was published from.
pub(super) struct Replaced {
    segments: Vec<String>,
    stage: Option<StageId>,
}

impl Backend {
    /// What is there under this name and has segments; `None` when nothing is, or it has none.
    pub(super) async fn to_be_replaced(
        &self,
        operation: &'static str,
        object: &str,
    ) -> Result<Option<Replaced>> {
        let failed = |error: SwiftError| error.into_storage(operation, object);
        let Some(metadata) = self.container.head(object, Freshness::Newest).await.map_err(failed)? else {
            return Ok(None);
        };
        if metadata.kind != ObjectKind::Static {
            return Ok(None);
        }
        let stage = stage_of(&metadata);
        let mut segments = self.container.manifest(object).await.map_err(failed)?.unwrap_or_default();
        if let (true, Some(stage)) = (segments.is_empty(), &stage) {
            // Ceph RGW does not say what its manifests hold.
            let record = self.load_record(operation, stage).await?.filter(|record| record.target == object);
            let named = record.into_iter().flat_map(|record| record.segments);
            segments.extend(named.map(|segment| segment.name));
        }
        Ok(Some(Replaced { segments, stage }))
    }

    /// Frees what only the replaced object used. `stage` is where the new one was published from, of `segments`.
    pub(super) async fn free_replaced(
        &self,
        replaced: Replaced,
        stage: Option<&StageId>,
        segments: &[Segment],
    ) {
        let kept: HashSet<&str> = segments.iter().map(|segment| &*segment.name).collect();
        let mut names = replaced.segments;
        names.retain(|name| !kept.contains(name.as_str()));
        let old_stage = replaced.stage.filter(|old| Some(old) != stage);
        names.extend(old_stage.map(|old| self.names.record(&old)));
        free(&self.container, names).await;
    }
}
