//! The last step: nothing of the doctor's own stays.

use std::time::Duration;

use apus_storage::Freshness;
use tokio::time::{Instant, sleep, timeout};

use super::Doctor;
use super::examine::{LISTING_PATIENCE, LISTING_PAUSE};
use super::finding::{Finding, Found, told};
use super::step::Step;
use crate::error::{Result, SwiftError};

/// How long clearing away may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// What is left after all was deleted.
#[derive(Default)]
struct Left {
    /// Objects that can still be asked for.
    objects: Vec<String>,
    /// Objects that a listing still shows after a while.
    listed: usize,
}

impl Doctor {
    /// Deletes all that the examination has made, as far as it came, and checks that nothing is left. To do it twice does
    /// no harm.
    pub async fn clear_away(&mut self) -> Finding {
        let begun = Instant::now();
        let found = match timeout(PATIENCE, self.clear()).await {
            Ok(found) => found,
            Err(_) => self.failed_to_clear(format!("gave up after {} s", PATIENCE.as_secs())),
        };
        found.of(Step::Delete, begun.elapsed())
    }

    async fn clear(&self) -> Found {
        if !self.has_written && !self.container_was_missing {
            return Found::skipped("nothing was written");
        }
        let because = |error: &SwiftError| self.failed_to_clear(told(error, error.transaction()));
        let left = match self.delete_objects().await {
            Ok(left) => left,
            Err(error) => return because(&error),
        };
        if !left.objects.is_empty() {
            return self.failed_to_clear(format!("still there: {}", left.objects.join(", ")));
        }
        if self.container_was_missing {
            match self.remove_container().await {
                Ok(true) => {
                    return Found::works("nothing is left, and the container that was made is removed again");
                }
                Ok(false) => {
                    let text = "no object is left, but the container that was made cannot be removed yet";
                    return Found::warning(text, "leave it for the registry to use, or remove it later");
                }
                Err(error) => return because(&error),
            }
        }
        if left.listed > 0 {
            let text =
                format!("nothing is left, but a listing still shows {} objects that are gone", left.listed);
            return Found::warning(text, "see why the container servers of Swift are behind");
        }
        Found::works("nothing is left")
    }

    fn failed_to_clear(&self, why: String) -> Found {
        let (beginning, container) = (&self.probes.beginning, self.container.name());
        Found::failed(why, format!("delete what lies under {beginning} in the container {container}"))
    }

    /// Deletes each object, whatever becomes of the others, and then looks for each.
    async fn delete_objects(&self) -> Result<Left> {
        if !self.has_written {
            return Ok(Left::default());
        }
        let large = self.container.delete_with_segments(&self.probes.large).await;
        let mut outcomes = self.container.delete_many(self.probes.names().map(str::to_owned)).await;
        // Where its segments are deleted one by one, the large object need not be deleted as a whole.
        outcomes.retain(Result::is_err);
        if let Some(Err(error)) = outcomes.pop() {
            return Err(large.err().unwrap_or(error));
        }
        let mut left = Left::default();
        for name in self.probes.names() {
            if self.container.head(name, Freshness::Newest).await?.is_some() {
                left.objects.push(name.to_owned());
            }
        }
        let begun = Instant::now();
        loop {
            left.listed = self.listed().await?.len();
            if left.listed == 0 || begun.elapsed() > LISTING_PATIENCE {
                return Ok(left);
            }
            sleep(LISTING_PAUSE).await;
        }
    }

    /// Swift may believe for a while that the container is not empty.
    async fn remove_container(&self) -> Result<bool> {
        let begun = Instant::now();
        loop {
            if self.container.remove().await? {
                return Ok(true);
            }
            if begun.elapsed() > LISTING_PATIENCE {
                return Ok(false);
            }
            sleep(LISTING_PAUSE).await;
        }
    }
}
