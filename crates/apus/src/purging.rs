//! `storage.maintenance.uploadpurging`: when uploads that nobody goes on with are purged.

use std::time::Duration;

use apus_config::UploadPurging;
use apus_registry::{PurgeOptions, Registry};

/// The longest time before the first look, as in registry:2.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The least time between two looks.
const LEAST_INTERVAL: Duration = Duration::from_secs(1);

/// Purges again and again for as long as it is polled. The first look comes at a random time, so that replicas that were
/// started together do not all look at once; it would do no harm.
pub(crate) async fn keep_purging(registry: Registry, purging: UploadPurging) {
    let options = PurgeOptions { age: purging.age, dry_run: purging.dry_run };
    let interval = purging.interval.max(LEAST_INTERVAL);
    let mut pause = interval.min(LONGEST_PAUSE).mul_f64(rand::random());
    loop {
        tokio::time::sleep(pause).await;
        match registry.purge_uploads(&options).await {
            Ok(found) => tracing::info!(
                purged = found.purged,
                kept = found.kept,
                failures = found.failures,
                dry_run = options.dry_run,
                "looked for uploads that nobody goes on with"
            ),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(
                    error,
                    "uploads that nobody goes on with could not be looked for; next time they are"
                );
            }
        }
        pause = interval;
    }
}
