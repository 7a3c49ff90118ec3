//! Deleting objects, each with its segments.

use apus_storage::{Freshness, ObjectName, Outcome, Result};
use futures_util::{StreamExt, stream};

use super::parts::free;
use super::record::stage_of;
use super::{Backend, outcome_of};
use crate::SwiftError;
use crate::client::{Container, ObjectKind};

impl Backend {
    pub(super) async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        let deletions = names.iter().cloned().map(|name| async move { self.delete_one(&name).await });
        stream::iter(deletions).buffered(Container::DELETES_AT_ONCE).collect().await
    }

    /// Of a dynamic large object, which only registry:2 and its like have written, the manifest is deleted. Its segments
    /// are what a listing says they are, and a listing is not believed here: they are left to upkeep.
    async fn delete_one(&self, name: &ObjectName) -> Result<Outcome> {
        let failed = |error: SwiftError| error.into_storage("delete", name);
        let object = self.place("delete", name).await?;
        let Some(metadata) = self.container.head(&object, Freshness::Newest).await.map_err(failed)? else {
            return Ok(Outcome::Absent);
        };
        if metadata.kind != ObjectKind::Static {
            return self.container.delete(&object).await.map(outcome_of).map_err(failed);
        }
        let deletion = self.container.delete_with_segments(&object).await.map_err(failed)?;
        if let Some(stage) = stage_of(&metadata) {
            free(&self.container, vec![self.names.record(&stage)]).await;
        }
        Ok(outcome_of(deletion))
    }
}
