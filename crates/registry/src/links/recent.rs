//! The memory of this replica's latest changes: which links it wrote or deleted. It is only a hint at what to ask, bounded by
//! count and by time, and holds nothing of what a link says.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apus_storage::ObjectName;

use super::merge::Doubt;

/// Changes that are remembered; the oldest is forgotten first. The push of an image of 20 layers makes 23 of them, so these are
/// the last 400 pushes. They take 3 MB, and 10 MB where all names are as long as they can be.
const MOST: usize = 10_000;

/// How long a change is remembered. An object server of Swift that cannot tell the container at once leaves that to its
/// updater, which passes every five minutes unless told otherwise; so these are two passes.
const LONGEST: Duration = Duration::from_mins(10);

/// The latest changes, by name and by age.
#[derive(Debug)]
pub(super) struct Recent {
    most: usize,
    longest: Duration,
    changes: BTreeMap<Arc<str>, Change>,
    /// The names of `changes` by their numbers, and so the oldest first.
    by_age: BTreeMap<u64, Arc<str>>,
    last_number: u64,
}

/// What this replica did last to an object, or learned of it since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    /// Counts changes: no two have the same.
    pub(super) number: u64,
    at: Instant,
    pub(super) is_present: bool,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new(MOST, LONGEST)
    }
}

impl Recent {
    pub(super) fn new(most: usize, longest: Duration) -> Self {
        Self { most, longest, changes: BTreeMap::new(), by_age: BTreeMap::new(), last_number: 0 }
    }

    /// Remembers that an object was written or deleted.
    pub(super) fn remember(&mut self, name: &ObjectName, is_present: bool, now: Instant) {
        if let Some(earlier) = self.changes.remove(name.as_str()) {
            self.by_age.remove(&earlier.number);
        }
        self.last_number += 1;
        let (number, name) = (self.last_number, Arc::<str>::from(name.as_str()));
        self.by_age.insert(number, Arc::clone(&name));
        self.changes.insert(name, Change { number, at: now, is_present });
        self.forget_what_is_old(now);
    }

    /// Puts right what was found to be otherwise, unless this replica has changed the object again meanwhile.
    pub(super) fn correct(&mut self, doubt: &Doubt, is_there: bool) {
        if let Some(change) =
            self.changes.get_mut(&doubt.object).filter(|change| change.number == doubt.number)
        {
            change.is_present = is_there;
        }
    }

    /// The changes to names that begin with `prefix` and come after `after`, in the order of the names.
    pub(super) fn within<'a>(
        &'a mut self,
        prefix: &'a str,
        after: &str,
        now: Instant,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Change)> {
        self.forget_what_is_old(now);
        let behind = (Bound::Excluded(after.max(prefix)), Bound::Unbounded);
        self.changes.range::<str, _>(behind).take_while(move |(name, _)| name.starts_with(prefix))
    }

    fn forget_what_is_old(&mut self, now: Instant) {
        while let Some(oldest) = self.by_age.first_entry() {
            let age = self.changes.get(oldest.get()).map(|change| now.saturating_duration_since(change.at));
            if self.changes.len() <= self.most && age.is_some_and(|age| age <= self.longest) {
                break;
            }
            self.changes.remove(&oldest.remove());
        }
    }
}

#[cfg(test)]
mod tests;
