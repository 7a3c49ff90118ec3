//! Upkeep: collecting garbage, which is what no manifest of any repository needs.
//!
//! It is for a registry that is stopped or read-only: a push that goes on meanwhile may name what is being deleted. Apart from
//! that it would rather delete nothing than something that is needed:
//!
//! - All repositories are walked until two walks in a row have shown the same, and what any walk has found needed is kept. What a
//!   listing shows is asked of the object, and what links say of each other is held against it. Whatever contradicts itself,
//!   or cannot be read, is a doubt; with a doubt nothing is deleted at all.
//! - Nothing is deleted that is younger than the least age, nor what a link or a manifest names that is.
//! - Before a blob is deleted it is asked itself, as the newest.
//! - What points goes before what it points to: referrer records, revisions, links of blobs, blobs. Wherever it is cut off,
//!   nothing is left that promises what is gone, and the next run does the rest.
//!
//! | room | what lives there |
//! |---|---|
//! | `entries` | what an object is, by its name |
//! | `named` | what a manifest names |
//! | `marks` | sets of digests as large as a registry |
//! | `walk` | the way through all repositories, and whether two of them have shown the same |
//! | `repository` | what one repository needs |
//! | `manifest` | asking for manifests, and reading them |
//! | `candidates` | blobs that nothing needs |
//! | `witnesses` | manifests among these that a repository has after all |
//! | `sweep` | deleting |
//! | `remnants` | what uploads have left that came to nothing |

mod candidates;
mod entries;
mod manifest;
mod marks;
mod named;
mod remnants;
mod repository;
mod sweep;
mod walk;
mod witnesses;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;

use crate::{Digest, Error, Registry, Result};
use marks::Marks;
use walk::{Doubts, Walk, Walked};

/// The most walks that are made to see two in a row that agree.
const MOST_WALKS: u32 = 5;

/// How garbage is collected.
#[derive(Debug, Clone)]
pub struct CollectOptions {
    /// Delete manifests too that no tag keeps: that have none, that no index names which is kept, and that are no referrer of a
    /// manifest which is kept.
    pub delete_untagged: bool,
    /// Delete nothing, and report the same.
    pub dry_run: bool,
    /// What is younger is kept, by the time that storage gives it and the clock of this machine; with zero nothing is young.
    pub min_age: Duration,
    /// Requests at storage at once; 0 counts as 1.
    pub parallel: usize,
    /// How long to wait before walking again when what was seen did not hold still; twice as long each time.
    pub pause: Duration,
}

impl Default for CollectOptions {
    /// Keeps untagged manifests, and what is younger than a day; 16 requests at once.
    fn default() -> Self {
        Self {
            delete_untagged: false,
            dry_run: false,
            min_age: Duration::from_hours(24),
            parallel: 16,
            pause: Duration::from_secs(1),
        }
    }
}

/// What happens while garbage is collected, in this order, but for warnings and progress.
#[derive(Debug)]
#[non_exhaustive]
pub enum CollectEvent<'a> {
    /// A repository is looked at, for the first time.
    Repository(&'a str),
    /// A manifest is needed. Told once, by whichever repository needs it first.
    Manifest(&'a str, &'a Digest),
    /// A blob is needed by a manifest. Told once for each manifest.
    Blob(&'a str, &'a Digest),
    /// A manifest of this repository is not needed.
    EligibleManifest(&'a str, &'a Digest),
    /// It is known what is needed and what is not; the counts of what is deleted are still to come.
    Counted(&'a CollectSummary),
    /// A blob of so many bytes is not needed.
    EligibleBlob(&'a Digest, u64),
    /// So many uploads came to nothing and have left so many bytes, which were deleted; in a dry run they would be. Told if
    /// there are any, last.
    Remnants(u64, u64),
    /// Something is not as it should be, and nothing was deleted for it; or could not be deleted.
    Warning(&'a str),
    /// What is being done, and how many objects were looked at in it.
    Progress(&'static str, u64),
}

/// What became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectSummary {
    /// Repositories that hold anything.
    pub repositories: u64,
    /// Digests that are needed, whether they are there or not.
    pub marked: u64,
    /// Blobs that are not needed, but younger than the least age.
    pub young_blobs: u64,
    /// Blobs that are not needed. Manifests' bytes are blobs too.
    pub eligible_blobs: u64,
    /// Bytes in these.
    pub eligible_bytes: u64,
    /// Manifests that no tag keeps.
    pub eligible_manifests: u64,
    /// Blobs that were deleted.
    pub deleted_blobs: u64,
    /// Bytes in these.
    pub freed_bytes: u64,
    /// Manifests that were taken from their repositories.
    pub deleted_manifests: u64,
    /// Links of blobs, referrer records and entries of histories that were deleted because what they name is gone.
    pub deleted_links: u64,
    /// Uploads that came to nothing, and of which storage had bytes left; in a dry run they are still there.
    pub remnants: u64,
    /// Bytes in these. They are not in `eligible_bytes`, nor in `freed_bytes`.
    pub remnant_bytes: u64,
    /// Warnings given.
    pub warnings: u64,
    /// Objects that could not be deleted. What these point to was kept too; another run goes on from there.
    pub failures: u64,
}

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// It is not certain what is needed.
    #[error("it is in doubt what is still needed, so nothing was deleted:{}", listed(doubts, *more))]
    InDoubt {
        /// Why, and what to do; the first of them.
        doubts: Vec<String>,
        /// How many more there are.
        more: usize,
    },
    /// Storage could not be asked.
    #[error("storage could not be asked, so nothing was deleted")]
    Storage(#[from] Error),
}

fn listed(doubts: &[String], more: usize) -> String {
    let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
    format!("\n  {}{more}", doubts.join("\n  "))
}

/// Takes what happens.
pub type CollectReport<'a> = &'a (dyn Fn(CollectEvent<'_>) + Send + Sync);

impl Registry {
    /// Deletes what no manifest needs. See the module for how careful it is. Whether clients may delete is of no account here.
    ///
    /// Memory: about 40 bytes for each digest that is needed or lies in storage, 60 while the set grows; 90 for each blob that
    /// is not needed; some 200 for each link in the largest repositories, eight at a time; and `parallel` manifests.
    ///
    /// Cut off at any point, it leaves a registry in which all that is listed can be read, and the next run does the rest.
    ///
    /// # Errors
    /// [`CollectError`]: nothing was deleted. What could not be deleted later is counted in [`CollectSummary::failures`].
    pub async fn collect_garbage(
        &self,
        options: &CollectOptions,
        report: CollectReport<'_>,
    ) -> Result<CollectSummary, CollectError> {
        self.collect_garbage_at(options, SystemTime::now(), report).await
    }

    /// The same, as if it were this time now.
    pub(crate) async fn collect_garbage_at(
        &self,
        options: &CollectOptions,
        now: SystemTime,
        report: CollectReport<'_>,
    ) -> Result<CollectSummary, CollectError> {
        let collection = Collection {
            registry: self,
            options,
            young_after: (!options.min_age.is_zero())
                .then(|| now.checked_sub(options.min_age).unwrap_or(SystemTime::UNIX_EPOCH)),
            requests: Semaphore::new(options.parallel.max(1)),
            marks: Mutex::default(),
            followed: Mutex::default(),
            report,
            warnings: Mutex::default(),
        };
        collection.run().await
    }
}

/// One collection of garbage.
struct Collection<'a> {
    registry: &'a Registry,
    options: &'a CollectOptions,
    /// What was written after this is young. `None` when nothing is, not even what storage dates ahead of our clock: Swift
    /// rounds up to whole seconds.
    young_after: Option<SystemTime>,
    requests: Semaphore,
    /// What is needed.
    marks: Mutex<Marks>,
    /// The manifests of which all that they name is marked.
    followed: Mutex<Marks>,
    report: CollectReport<'a>,
    warnings: Mutex<u64>,
}

impl Collection<'_> {
    async fn run(&self) -> Result<CollectSummary, CollectError> {
        let walked = self.walk_until_it_holds_still().await?;
        let candidates = self.candidates(walked.repositories > 0).await?;
        let mut summary = CollectSummary {
            repositories: walked.repositories,
            young_blobs: candidates.young,
            eligible_manifests: walked.condemned.len() as u64,
            ..CollectSummary::default()
        };
        let doomed = self.asked(candidates.old).await?;
        self.ask_for_unlisted(&doomed, &walked.condemned).await?;
        summary.marked = held(&self.marks).len() as u64;
        summary.eligible_blobs = doomed.len() as u64;
        summary.eligible_bytes = doomed.iter().map(|blob| blob.size).sum();
        for condemned in &walked.condemned {
            self.tell(CollectEvent::EligibleManifest(&condemned.repository, &condemned.digest));
        }
        self.tell(CollectEvent::Counted(&summary));
        for blob in &doomed {
            self.tell(CollectEvent::EligibleBlob(&Digest::from(&blob.digest), blob.size));
        }
        if !self.options.dry_run {
            self.sweep(walked, doomed, &mut summary).await;
        }
        // Where storage fails it is left to the next run, as all that comes later is.
        if summary.failures == 0 {
            self.free_remnants(&mut summary).await;
        }
        summary.warnings = *held(&self.warnings);
        Ok(summary)
    }

    /// Walks until two walks in a row have shown the same, and none of it contradicted what the objects say.
    async fn walk_until_it_holds_still(&self) -> Result<Walked, CollectError> {
        let mut pause = self.options.pause;
        let mut seen_before = None;
        for round in 1..=MOST_WALKS {
            let walk = Walk::through_all(self, round == 1).await?;
            let agrees = seen_before == Some(walk.seen);
            let is_clear = walk.doubts.is_none();
            seen_before = is_clear.then_some(walk.seen);
            if agrees && is_clear {
                return Ok(walk);
            }
            if walk.doubts.lasting || round == MOST_WALKS {
                return Err(walk.doubts.into_error());
            }
            // After a first walk that met no doubt there is nothing to wait for.
            if round > 1 || !is_clear {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Err(Doubts::default().into_error())
    }

    fn tell(&self, event: CollectEvent<'_>) {
        (self.report)(event);
    }

    fn warn(&self, text: &str) {
        *held(&self.warnings) += 1;
        self.tell(CollectEvent::Warning(text));
    }

    fn is_young(&self, modified: SystemTime) -> bool {
        self.young_after.is_some_and(|time| modified > time)
    }

    fn mark<'a>(&self, digests: impl IntoIterator<Item = &'a Digest>) {
        let mut marks = held(&self.marks);
        for digest in digests {
            marks.insert(digest);
        }
    }
}

/// What it guards is changed in single steps, so a panic elsewhere leaves nothing half done.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
