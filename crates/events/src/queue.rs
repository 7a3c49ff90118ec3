//! Where the events of one endpoint wait: in memory, or in files. Both are bounded in bytes, both keep the order, and what does
//! not fit is lost and told: those that came first stay.

mod disk;
mod journal;
mod memory;
mod place;

use std::sync::Arc;

use bytes::Bytes;
use metrics::{Gauge, gauge};
use tokio::sync::oneshot;

use crate::loss::Losses;
use disk::DiskQueue;
use memory::MemoryQueue;
pub(crate) use place::Place;

/// The events that wait for one endpoint, each as one line of JSON.
#[derive(Debug)]
pub(crate) enum Queue {
    Memory(MemoryQueue),
    Disk(DiskQueue),
}

impl Queue {
    /// Adds an event at the end. Never waits. Answers where the word will come that it is safe, if that is worth waiting for.
    pub(crate) fn push(&self, event: Bytes) -> Option<oneshot::Receiver<()>> {
        match self {
            Self::Memory(queue) => {
                queue.push(event);
                None
            }
            Self::Disk(queue) => queue.push(event),
        }
    }

    /// The first event, once there is one. It stays the first until it is [taken](Self::take).
    pub(crate) async fn first(&self) -> Bytes {
        match self {
            Self::Memory(queue) => queue.first().await,
            Self::Disk(queue) => queue.first().await,
        }
    }

    /// Takes away the first event, which was delivered.
    pub(crate) fn take(&self) {
        match self {
            Self::Memory(queue) => queue.take(),
            Self::Disk(queue) => queue.take(),
        }
    }

    /// How many events wait.
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Memory(queue) => queue.len(),
            Self::Disk(queue) => queue.len(),
        }
    }

    /// The endpoint is configured no more. What waits in memory is lost, and counted as such; files stay.
    pub(crate) fn give_up(&self) {
        const WHY: &str = "they waited in memory for an endpoint that was taken out of the configuration";
        match self {
            Self::Memory(queue) => queue.lose(&WHY),
            Self::Disk(queue) => queue.stay(),
        }
    }

    /// Ends it. What waits in memory is lost, and counted as such.
    pub(crate) async fn close(&self) {
        match self {
            Self::Memory(queue) => queue.lose(
                &"they waited in memory when this process ended; notifications.queue.directory keeps them",
            ),
            Self::Disk(queue) => queue.close().await,
        }
    }
}

/// To whom a queue reports what becomes of it: the log and the metrics of its endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Reports {
    pub(crate) endpoint: String,
    pub(crate) losses: Arc<Losses>,
    pending: Gauge,
}

impl Reports {
    fn of(endpoint: &str, losses: Arc<Losses>) -> Self {
        let pending = gauge!("registry_notifications_pending_total", "endpoint" => endpoint.to_owned());
        pending.set(0.0);
        Self { endpoint: endpoint.to_owned(), losses, pending }
    }

    #[expect(clippy::cast_precision_loss, reason = "a number of events, for a gauge")]
    fn pending(&self, events: u64) {
        self.pending.set(events as f64);
    }
}
