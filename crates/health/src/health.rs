//! The checks as they stand: what each has found lately, and what follows for this replica.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use apus_storage::Storage;
use futures_util::future::join_all;
use metrics::gauge;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{Probe, Trouble};

/// The least time between two looks, whatever is asked for: a check is no load.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// How soon a storage that has not answered yet is asked again.
const NEXT_TRY: Duration = Duration::from_secs(1);

/// How often a check looks.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// From one look to the next; the first is at once. At least 100 ms.
    pub interval: Duration,
    /// It fails after so many looks in a row that found trouble. One that finds none ends it.
    pub threshold: NonZeroU32,
}

/// A probe, and how often it is used.
#[derive(Debug)]
pub struct Check {
    /// By which it is known on pages, in metrics and in the log. No two checks have the same, and no secret is in it.
    pub name: String,
    /// What is looked at.
    pub probe: Probe,
    /// How often.
    pub pace: Pace,
}

/// Why this replica should be sent no requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotReady {
    /// It ends.
    Stopping,
    /// The storage has not answered since it started: most likely it is set up wrongly, and another replica is not.
    StorageNotReached,
    /// A person says so, by this file.
    File(String),
}

impl fmt::Display for NotReady {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopping => formatter.write_str("the registry stops"),
            Self::StorageNotReached => formatter.write_str("the storage has not answered since the start"),
            Self::File(path) => write!(formatter, "the file {path} says so"),
        }
    }
}

/// All checks. Clones share what was found.
#[derive(Debug, Clone)]
pub struct Health(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    checks: Vec<Watched>,
    reached: AtomicBool,
    stopping: AtomicBool,
}

#[derive(Debug)]
struct Watched {
    check: Check,
    standing: Mutex<Standing>,
}

/// What was found.
#[derive(Debug, Default)]
struct Standing {
    /// In a row until now.
    failures: u32,
    /// Of the latest of them, once they count.
    trouble: Option<String>,
}

impl Health {
    /// These checks, all well until one has looked.
    #[must_use]
    pub fn new(checks: Vec<Check>) -> Self {
        let checks = checks.into_iter().map(Watched::new).collect();
        Self(Arc::new(Inner { checks, reached: AtomicBool::new(false), stopping: AtomicBool::new(false) }))
    }

    /// Looks again and again, for ever.
    pub async fn follow(self) {
        join_all(self.0.checks.iter().map(Watched::follow)).await;
    }

    /// Asks a storage until it has answered once: see [`NotReady::StorageNotReached`].
    pub async fn reach(self, storage: Arc<dyn Storage>) {
        let storage = Probe::Storage(storage);
        while let Err(trouble) = storage.look().await {
            tracing::debug!(%trouble, "not ready");
            sleep(NEXT_TRY).await;
        }
        self.0.reached.store(true, Ordering::Relaxed);
    }

    /// The registry begins to end.
    pub fn stops(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// The checks that fail, and why, by their names.
    #[must_use]
    pub fn failing(&self) -> BTreeMap<&str, String> {
        let failing = self.0.checks.iter().filter_map(|watched| {
            let trouble = watched.standing().trouble.clone();
            trouble.map(|trouble| (watched.check.name.as_str(), trouble))
        });
        failing.collect()
    }

    /// Whether this replica should be sent requests; if not, why.
    ///
    /// What all replicas share has no say, once it was reached: all of them would be taken out at the same time, and nobody would
    /// be left to answer what can be answered.
    pub fn ready(&self) -> Result<(), NotReady> {
        if self.0.stopping.load(Ordering::Relaxed) {
            return Err(NotReady::Stopping);
        }
        if !self.0.reached.load(Ordering::Relaxed) {
            return Err(NotReady::StorageNotReached);
        }
        let switched_off = |watched: &&Watched| {
            matches!(watched.check.probe, Probe::File(_)) && watched.standing().trouble.is_some()
        };
        match self.0.checks.iter().find(switched_off) {
            Some(watched) => Err(NotReady::File(watched.check.name.clone())),
            None => Ok(()),
        }
    }
}

impl Watched {
    fn new(check: Check) -> Self {
        let watched = Self { check, standing: Mutex::default() };
        watched.show(true);
        watched
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn follow(&self) {
        let mut ticks = interval(self.check.pace.interval.max(LEAST_INTERVAL));
        // A look that takes long delays the next.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.judge(self.check.probe.look().await);
        }
    }

    fn judge(&self, found: Result<(), Trouble>) {
        let name = self.check.name.as_str();
        let mut standing = self.standing();
        match found {
            Ok(()) => {
                if standing.trouble.is_some() {
                    tracing::info!(check = name, "a health check is well again");
                    self.show(true);
                }
                *standing = Standing::default();
            }
            Err(trouble) => {
                let trouble = trouble.to_string();
                standing.failures = standing.failures.saturating_add(1);
                if standing.failures < self.check.pace.threshold.get() {
                    tracing::debug!(check = name, error = trouble, "a health check has found trouble");
                    return;
                }
                if standing.trouble.is_none() {
                    tracing::warn!(check = name, error = trouble, "a health check fails");
                    self.show(false);
                }
                standing.trouble = Some(trouble);
            }
        }
    }

    fn show(&self, well: bool) {
        let well = if well { 1.0 } else { 0.0 };
        gauge!("apus_health_check_ok", "check" => self.check.name.clone()).set(well);
    }
}

#[cfg(test)]
mod tests;
