//! Servers that are behind: which moment of the past an answer shows.
//!
//! Swift keeps several copies of everything and does not wait for all of them. Here the copies are one truth that
//! remembers, and a copy that is behind is a moment in it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};

/// One of two copies of what the store holds. See [`crate::FakeSwift::split_listings`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replica {
    /// It has seen every change.
    Fresh,
    /// It has seen nothing since the moment of the split.
    Stale,
}

/// The copies of one kind of thing: of listings, or of objects.
#[derive(Debug)]
pub(crate) struct Replicas {
    /// How far behind they all are.
    lag: Duration,
    split: Option<Split>,
}

#[derive(Debug)]
struct Split {
    since: Timestamp,
    turns: Vec<Replica>,
    /// Counted through a shared reference: a reader changes nothing else.
    taken: AtomicUsize,
}

impl Replicas {
    pub(crate) fn new(lag: Duration) -> Self {
        Self { lag, split: None }
    }

    /// From now on `turns` answer, over and over again; the stale ones go on showing what all show now. Without a
    /// turn, nothing is split. A split that there is already goes on from its own moment.
    pub(crate) fn split(&mut self, turns: &[Replica], clock: &mut Clock) {
        let since = match &self.split {
            Some(split) => split.since,
            None if self.lag.is_zero() => clock.tick(),
            None => self.joined(clock),
        };
        self.split =
            (!turns.is_empty()).then(|| Split { since, turns: turns.to_vec(), taken: AtomicUsize::new(0) });
    }

    /// Ends a split.
    pub(crate) fn join(&mut self) {
        self.split = None;
    }

    /// The moment that the next answer shows: that of the replica that is told, or else of the one whose turn it is.
    pub(crate) fn next(&self, told: Option<Replica>, clock: &Clock) -> Timestamp {
        let stale = self.split.as_ref().filter(|split| told.or_else(|| split.next()) == Some(Replica::Stale));
        stale.map_or_else(|| self.joined(clock), |split| split.since)
    }

    /// The earliest moment that any answer to come may show.
    pub(crate) fn oldest(&self, clock: &Clock) -> Timestamp {
        let joined = self.joined(clock).min(clock.now());
        self.split.as_ref().map_or(joined, |split| joined.min(split.since))
    }

    /// What shows where nothing is split.
    fn joined(&self, clock: &Clock) -> Timestamp {
        if self.lag.is_zero() { Timestamp::LATEST } else { clock.now().before(self.lag) }
    }
}

impl Split {
    fn next(&self) -> Option<Replica> {
        let taken = self.taken.fetch_add(1, Ordering::Relaxed);
        self.turns.get(taken.checked_rem(self.turns.len())?).copied()
    }
}

#[cfg(test)]
mod tests;
