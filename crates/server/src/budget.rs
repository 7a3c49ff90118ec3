//! Memory for contents that have to be held whole: so much of it, whatever the number of those who ask.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a request waits for its share.
const PATIENCE: Duration = Duration::from_secs(5);

const KIB: u64 = 1024;

/// A number of bytes that requests share.
#[derive(Debug)]
pub(crate) struct Budget {
    kibibytes: u32,
    free: Semaphore,
}

/// A share, until it is dropped.
pub(crate) type Share<'a> = SemaphorePermit<'a>;

impl Budget {
    /// A budget of so many bytes, at least one KiB.
    pub(crate) fn new(bytes: u64) -> Self {
        let kibibytes = u32::try_from(bytes / KIB).unwrap_or(u32::MAX).max(1);
        Self { kibibytes, free: Semaphore::new(kibibytes as usize) }
    }

    /// A share of so many bytes, or all where that is less. Whoever came first is served first. `None` when others hold too
    /// much of it for a few seconds.
    pub(crate) async fn share(&self, bytes: u64) -> Option<Share<'_>> {
        tokio::time::timeout(PATIENCE, self.free.acquire_many(self.wanted(bytes))).await.ok()?.ok()
    }

    /// The same without any waiting.
    pub(crate) fn try_share(&self, bytes: u64) -> Option<Share<'_>> {
        self.free.try_acquire_many(self.wanted(bytes)).ok()
    }

    fn wanted(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(KIB)).unwrap_or(u32::MAX).min(self.kibibytes)
    }
}

#[cfg(test)]
mod tests;
