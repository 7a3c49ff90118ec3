//! A queue that ends with the process.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use super::Reports;

#[derive(Debug)]
pub(crate) struct MemoryQueue {
    limit: u64,
    state: Mutex<State>,
    added: Notify,
    reports: Reports,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Bytes>,
    bytes: u64,
}

/// What an event takes beside its bytes.
const OVERHEAD: u64 = 64;

impl MemoryQueue {
    pub(crate) fn new(limit: u64, reports: Reports) -> Self {
        Self { limit, state: Mutex::default(), added: Notify::new(), reports }
    }

    pub(crate) fn push(&self, event: Bytes) {
        let mut state = self.state();
        let taken = state.bytes + cost(&event);
        if taken > self.limit {
            drop(state);
            let why = "too many wait for the endpoint (notifications.queue.maxsize); see that it takes them";
            self.reports.losses.add(1, &why);
            return;
        }
        state.bytes = taken;
        state.events.push_back(event);
        self.reports.pending(state.events.len() as u64);
        drop(state);
        self.reports.losses.over();
        self.added.notify_one();
    }

    pub(crate) async fn first(&self) -> Bytes {
        loop {
            if let Some(event) = self.state().events.front().cloned() {
                return event;
            }
            // There is one reader alone, and the word to it is kept until it comes.
            self.added.notified().await;
        }
    }

    pub(crate) fn take(&self) {
        let mut state = self.state();
        if let Some(event) = state.events.pop_front() {
            state.bytes -= cost(&event);
        }
        self.reports.pending(state.events.len() as u64);
    }

    pub(crate) fn len(&self) -> u64 {
        self.state().events.len() as u64
    }

    /// Drops what waits, and says why.
    pub(crate) fn lose(&self, why: &dyn fmt::Display) {
        let lost = std::mem::take(&mut *self.state()).events.len() as u64;
        if lost > 0 {
            self.reports.pending(0);
            self.reports.losses.add(lost, why);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(event: &Bytes) -> u64 {
    event.len() as u64 + OVERHEAD
}
