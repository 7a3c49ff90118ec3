//! What an operator can choose: who is told, of what, and where events wait.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderMap;
use secrecy::SecretString;

use crate::{Action, Source};

/// What an operator can choose.
#[derive(Debug, Clone)]
pub struct EventsOptions {
    /// Who is told. Without any nothing is done.
    pub endpoints: Vec<EndpointOptions>,
    /// Where events wait until they are taken.
    pub queue: QueueOptions,
    /// Whether events of manifests list what the manifest names.
    pub include_references: bool,
    /// This process.
    pub source: Source,
}

/// Somebody who is told.
#[derive(Debug, Clone)]
pub struct EndpointOptions {
    /// What logs, metrics and the queue's directory call it.
    pub name: String,
    /// An http or https URL. It may hold credentials, or a token in its path.
    pub url: SecretString,
    /// Sent with each event.
    pub headers: HeaderMap,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// After how many failures in a row it is left in peace for `backoff`, and longer with each more.
    pub threshold: NonZeroU32,
    /// The first such pause.
    pub backoff: Duration,
    /// It is not told of content of these media types.
    pub ignored_media_types: Vec<String>,
    /// It is not told of these.
    pub ignored_actions: Vec<Action>,
}

/// Where events wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueOptions {
    /// In this directory, which is this process's own; `None` for its memory.
    pub directory: Option<PathBuf>,
    /// Bytes of events that wait for one endpoint; beyond, new ones are lost.
    pub limit: u64,
}
