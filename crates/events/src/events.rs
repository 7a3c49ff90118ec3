//! The door for those who have something to tell.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use metrics::{Counter, counter};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::delivery::deliver;
use crate::loss::Losses;
use crate::queue::{Place, Queue};
use crate::receiver::Receiver;
use crate::{Action, EndpointOptions, Event, EventsOptions, Source};

/// How long a request waits at most until its events are in their files. They get there all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// Tells everyone who wants to know. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Events(Option<Arc<Inner>>);

#[derive(Debug)]
struct Inner {
    endpoints: Vec<Endpoint>,
    include_references: bool,
    source: Source,
    closing: watch::Sender<bool>,
    deliveries: tokio::sync::Mutex<JoinSet<()>>,
    place: Place,
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
        if options.endpoints.is_empty() {
            return Ok(Self::default());
        }
        let names: Vec<&str> = options.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
        let place = Place::open(&options.queue, &names)?;
        let (closing, closed) = watch::channel(false);
        let mut deliveries = JoinSet::new();
        let mut endpoints = Vec::new();
        for options in options.endpoints {
            let EndpointOptions { name, ignored_media_types, ignored_actions, .. } = &options;
            let counter = counter!("registry_notifications_events_total", "type" => "Events", "endpoint" => name.clone());
            let queue = Arc::new(place.queue(name, Arc::new(Losses::of(name)))?);
            endpoints.push(Endpoint {
                ignored_media_types: ignored_media_types.clone(),
                ignored_actions: ignored_actions.clone(),
                queue: Arc::clone(&queue),
                counter,
            });
            deliveries.spawn(deliver(Receiver::new(options)?, queue, closed.clone()));
        }
        Ok(Self(Some(Arc::new(Inner {
            endpoints,
            include_references: options.include_references,
            source: options.source,
            closing,
            deliveries: deliveries.into(),
            place,
        }))))
    }

    /// Whether anybody is told of anything: else nobody need make up an event.
    #[must_use]
    pub fn are_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Whether events of manifests list what the manifest names.
    #[must_use]
    pub fn include_references(&self) -> bool {
        self.0.as_ref().is_some_and(|inner| inner.include_references)
    }

    /// Puts an event into the queue of everyone who wants it. Never waits for an endpoint. Events are told in the order of these
    /// calls.
    pub fn tell(&self, mut event: Event) -> Told {
        let Some(inner) = &self.0 else { return Told::default() };
        event.source = inner.source.clone();
        let wanting: Vec<&Endpoint> =
            inner.endpoints.iter().filter(|endpoint| endpoint.wants(&event)).collect();
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
        let Some(inner) = self.0 else { return };
        inner.closing.send_replace(true);
        let mut deliveries = inner.deliveries.lock().await;
        let ended = async { while deliveries.join_next().await.is_some() {} };
        if tokio::time::timeout(limit, ended).await.is_err() {
            deliveries.shutdown().await;
        }
        for endpoint in &inner.endpoints {
            endpoint.queue.close().await;
        }
        inner.place.close();
    }
}

impl Endpoint {
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
