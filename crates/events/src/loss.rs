//! Events that are lost: each is counted, and the log tells of them without being flooded.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics::{Counter, counter};

/// While events are being lost, how often the log says so.
const EVERY: Duration = Duration::from_mins(1);

/// The losses of one endpoint.
#[derive(Debug)]
pub(crate) struct Losses {
    endpoint: String,
    counter: Counter,
    untold: Mutex<Untold>,
}

#[derive(Debug, Default)]
struct Untold {
    events: u64,
    last_told: Option<Instant>,
}

impl Losses {
    pub(crate) fn of(endpoint: &str) -> Self {
        let counter = counter!("apus_notifications_lost_total", "endpoint" => endpoint.to_owned());
        // It is there from the start: a first loss is then seen as growth.
        counter.increment(0);
        Self { endpoint: endpoint.to_owned(), counter, untold: Mutex::default() }
    }

    /// So many are lost. `why` says to the operator what to do.
    pub(crate) fn add(&self, events: u64, why: &dyn fmt::Display) {
        self.counter.increment(events);
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        untold.events += events;
        if untold.last_told.is_none_or(|told| told.elapsed() >= EVERY) {
            let lost = std::mem::take(&mut untold.events);
            untold.last_told = Some(Instant::now());
            tracing::error!(endpoint = self.endpoint, lost, "events are lost: {why}");
        }
    }

    /// Events are taken again: says how many more were lost than the log told until now.
    pub(crate) fn over(&self) {
        let mut untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        if untold.events > 0 {
            let lost = std::mem::take(&mut untold.events);
            untold.last_told = Some(Instant::now());
            tracing::error!(endpoint = self.endpoint, lost, "events were lost; now they are taken again");
        }
    }
}
