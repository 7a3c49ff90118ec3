//! The door for those who have something to tell.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use metrics::{Counter, counter};
use tokio::sync::oneshot;

use crate::deliveries::Deliveries;
use crate::queue::Queue;
use crate::{Action, EndpointOptions, Event, EventsOptions, Source};

/// How long a request waits at most until its events are in their files. They get there all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells everyone who wants to know. Clones are the same. The default tells nobody, until [`change`](Self::change) says whom.
#[derive(Debug, Clone, Default)]
pub struct Events(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    audience: RwLock<Arc<Audience>>,
    deliveries: Mutex<Deliveries>,
}

/// Who is told now, and in which form.
#[derive(Debug, Default)]
struct Audience {
    endpoints: Vec<Endpoint>,
    include_references: bool,
    source: Source,
}

#[derive(Debug)]
struct Endpoint {
    ignored_media_types: Vec<String>,
    ignored_actions: Vec<Action>,
    queue: Arc<Queue>,
    counter: Counter,
}

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventsError {
    /// The URL cannot be used.
    #[error("the url of the endpoint {endpoint} cannot be used: {reason}")]
    Url {
        /// What it is called.
        endpoint: String,
        /// Why, without a word of the URL.
        reason: &'static str,
    },
    /// There can be no connections to it.
    #[error("the endpoint {endpoint} cannot be reached by this process")]
    Client {
        /// What it is called.
        endpoint: String,
        /// Why.
        source: apus_http_client::Error,
    },
    /// Two queues would share their files.
    #[error("two endpoints are called {name}: give each a name of its own, for its queue is called by it")]
    SameName {
        /// The name.
        name: String,
    },
    /// The place where events wait is another one than before.
    #[error("notifications.queue says something else, which only a new start can change")]
    OtherQueue,
    /// The directory is another process's.
    #[error("another process keeps its events in {}: give each its own directory", directory.display())]
    Taken {
        /// Which.
        directory: PathBuf,
    },
    /// The directory cannot be used.
    #[error("cannot keep events in {}", directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Events {
    /// Begins to deliver, first of all what an earlier process left in the directory. To be called within a runtime. Reads
    /// the directory before it returns.
    pub fn open(options: EventsOptions) -> Result<Self, EventsError> {
        let events = Self::default();
        events.change(options)?;
        Ok(events)
    }

    /// From now on these endpoints are told, in place of those before. One that was there, by its name, keeps its queue, and what
    /// is new of it holds from the next attempt on, which comes at once. One that is gone is told of what waits for it, for as
    /// long as that goes well, and a minute at most; what then is left stays in the directory, or is lost, which the log tells.
    ///
    /// Where this fails, all stays as it was. To be called within a runtime.
    pub fn change(&self, options: EventsOptions) -> Result<(), EventsError> {
        let EventsOptions { endpoints, queue, include_references, source } = options;
        let told = endpoints.clone();
        let mut deliveries = self.0.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        let queues = deliveries.change(endpoints, &queue)?;
        let endpoints =
            told.iter().zip(queues).map(|(options, queue)| Endpoint::of(options, queue)).collect();
        let audience = Audience { endpoints, include_references, source };
        *self.0.audience.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(audience);
        Ok(())
    }

    fn audience(&self) -> Arc<Audience> {
        Arc::clone(&self.0.audience.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether anybody is told of anything: else nobody need make up an event.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        !self.audience().endpoints.is_empty()
    }

    /// Whether events of manifests list what the manifest names.
    #[must_use]
    pub fn include_references(&self) -> bool {
        self.audience().include_references
    }

    /// Puts an event into the queue of everyone who wants it. Never waits for an endpoint. Events are told in the order of these
    /// calls.
    pub fn tell(&self, mut event: Event) -> Told {
        let audience = self.audience();
        event.source = audience.source.clone();
        let wanting: Vec<&Endpoint> =
            audience.endpoints.iter().filter(|endpoint| endpoint.wants(&event)).collect();
        if wanting.is_empty() {
            return Told::default();
        }
        let text = match serde_json::to_vec(&event) {
            Ok(text) => Bytes::from(text),
            Err(error) => {
                tracing::error!(%error, "an event cannot be written");
                return Told::default();
            }
        };
        Told(
            wanting
                .into_iter()
                .filter_map(|endpoint| {
                    endpoint.counter.increment(1);
                    endpoint.queue.push(text.clone())
                })
                .collect(),
        )
    }

    /// Ends. What waits is tried once more, for as long as that goes well and `limit` allows. What then is left stays in the
    /// directory, or is lost, which the log tells.
    pub async fn close(self, limit: Duration) {
        let deliveries =
            std::mem::take(&mut *self.0.deliveries.lock().unwrap_or_else(PoisonError::into_inner));
        deliveries.close(limit).await;
    }
}

impl Endpoint {
    fn of(
        EndpointOptions { name, ignored_media_types, ignored_actions, .. }: &EndpointOptions,
        queue: Arc<Queue>,
    ) -> Self {
        let counter =
            counter!("registry_notifications_events_total", "type" => "Events", "endpoint" => name.clone());
        Self {
            ignored_media_types: ignored_media_types.clone(),
            ignored_actions: ignored_actions.clone(),
            queue,
            counter,
        }
    }

    /// As registry:2: what has no media type is ignored by none.
    fn wants(&self, event: &Event) -> bool {
        !self.ignored_actions.contains(&event.action)
            && !self.ignored_media_types.contains(&event.target.media_type)
    }
}

/// An event in its queues, though perhaps not in their files yet.
#[derive(Debug, Default)]
pub struct Told(Vec<oneshot::Receiver<()>>);

impl Told {
    /// Until the event is in its files, so that the end of this process does not end it too. At most for a second: a disk that
    /// is slow does not make a registry slow.
    pub async fn written(self) {
        if !self.0.is_empty() {
            let written = futures_util::future::join_all(self.0);
            // What comes of it is the queue's to tell.
            let _ = tokio::time::timeout(PATIENCE, written).await;
        }
    }
}

#[cfg(test)]
mod tests;
