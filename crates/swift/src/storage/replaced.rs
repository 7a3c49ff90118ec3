//! What an object that is about to be replaced has of its own, so that it can be freed afterwards.

use std::collections::HashSet;

use apus_storage::{Freshness, Result, StageId};

use super::Backend;
use super::record::stage_of;
use crate::SwiftError;
use crate::client::{DynamicManifest, ObjectKind, ObjectMetadata, Segment, free};

/// The segments of a large object that is there.
pub(super) enum Replaced {
    /// Those that a manifest lists, and the stage that it was published from.
    Static { segments: Vec<String>, stage: Option<StageId> },
    /// Those that have such names.
    Dynamic(DynamicManifest),
}

impl Backend {
    /// What is there under this name and has segments; `None` when nothing is, or it has none.
    pub(super) async fn to_be_replaced(
        &self,
        operation: &'static str,
        object: &str,
    ) -> Result<Option<Replaced>> {
        let found = self.container.look(object, Freshness::Newest).await;
        match found.map_err(|error| error.into_storage(operation, object))? {
            Some(found) => self.replaced(operation, object, &found).await,
            None => Ok(None),
        }
    }

    /// What this object has of its own.
    pub(super) async fn replaced(
        &self,
        operation: &'static str,
        object: &str,
        found: &ObjectMetadata,
    ) -> Result<Option<Replaced>> {
        if let Some(manifest) = found.manifest() {
            return Ok(Some(Replaced::Dynamic(manifest)));
        }
        if found.kind != ObjectKind::Static {
            return Ok(None);
        }
        let segments = self.segments_of(operation, object, found).await?;
        let segments = segments.into_iter().map(|segment| segment.name).collect();
        Ok(Some(Replaced::Static { segments, stage: stage_of(found) }))
    }

    /// The segments of a static large object: as its manifest says, or its record, for Ceph RGW shows no manifest.
    pub(super) async fn segments_of(
        &self,
        operation: &'static str,
        object: &str,
        found: &ObjectMetadata,
    ) -> Result<Vec<Segment>> {
        let failed = |error: SwiftError| error.into_storage(operation, object);
        let segments = self.container.manifest(object).await.map_err(failed)?.unwrap_or_default();
        match stage_of(found).filter(|_| segments.is_empty()) {
            Some(stage) => {
                let record = self.load_record(operation, &stage).await?;
                let record = record.filter(|record| record.target == object);
                Ok(record.map(|record| record.segments).unwrap_or_default())
            }
            None => Ok(segments),
        }
    }

    /// Frees what only the replaced object used. `stage` is where the new one was published from, of `segments`.
    pub(super) async fn free_replaced(
        &self,
        object: &str,
        replaced: Replaced,
        stage: Option<&StageId>,
        segments: &[Segment],
    ) {
        match replaced {
            Replaced::Static { segments: mut names, stage: old } => {
                let kept: HashSet<&str> = segments.iter().map(|segment| &*segment.name).collect();
                names.retain(|name| !kept.contains(name.as_str()));
                let old = old.filter(|old| Some(old) != stage);
                names.extend(old.map(|old| self.names.record(&old)));
                free(&self.container, names).await;
            }
            Replaced::Dynamic(manifest) => {
                if let Err(error) = self.container.free_dynamic(object, &manifest, &self.names.own()).await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(
                        object,
                        ?manifest,
                        error,
                        "segments that nothing needs are left to upkeep"
                    );
                }
            }
        }
    }
}
