//! What uploads have left that came to nothing, and that no list of uploads shows: only storage knows of it. It is asked last,
//! when all that is deleted for the sake of manifests is.

use apus_storage::StorageError;

use super::{CollectEvent, CollectSummary, Collection};

impl Collection<'_> {
    /// Has storage free it, and counts it.
    pub(super) async fn free_remnants(&self, summary: &mut CollectSummary) {
        self.tell(CollectEvent::Progress("uploads that came to nothing", 0));
        let failed = |error: &StorageError, summary: &mut CollectSummary| {
            self.failed(&error.report(), summary);
        };
        let found = self.registry.storage.free_remnants(self.options.min_age, self.options.dry_run).await;
        let found = match found {
            Ok(found) => found,
            Err(error) => return failed(&error, summary),
        };
        if let Some(doubt) = &found.doubt {
            self.warn(doubt);
        }
        for error in &found.failures {
            failed(error, summary);
        }
        (summary.remnants, summary.remnant_bytes) = (found.stages, found.bytes);
        if found.stages > 0 {
            self.tell(CollectEvent::Remnants(found.stages, found.bytes));
        }
    }
}
