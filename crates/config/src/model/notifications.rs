//! `notifications`: who is told of pushes, pulls and deletions.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderMap;
use secrecy::SecretString;

/// Who is told, and how much. Without endpoints nobody is.
#[derive(Clone, Debug)]
pub struct NotificationsConfig {
    /// `events.includereferences`: an event of a manifest lists what the manifest names. Default false.
    pub include_references: bool,
    /// `endpoints`, without those that are `disabled`.
    pub endpoints: Vec<EndpointConfig>,
    /// `queue.directory`: events wait there, and outlive a restart. `None`, the default, for memory.
    pub queue_directory: Option<PathBuf>,
    /// `queue.maxsize`: bytes of events that may wait for one endpoint, at least 1 MiB. Default 16 MiB in memory, 1 GiB in a
    /// directory.
    pub queue_size: u64,
}

impl NotificationsConfig {
    pub(crate) const SIZE_IN_MEMORY: u64 = 16 << 20;
    pub(crate) const SIZE_IN_DIRECTORY: u64 = 1 << 30;
    pub(crate) const LEAST_SIZE: u64 = 1 << 20;
}

impl Default for NotificationsConfig {
    fn default() -> Self {
        Self {
            include_references: false,
            endpoints: Vec::new(),
            queue_directory: None,
            queue_size: Self::SIZE_IN_MEMORY,
        }
    }
}

/// One of `notifications.endpoints`.
#[derive(Clone, Debug)]
pub struct EndpointConfig {
    /// `name`: what logs and metrics call it. Default the host of the URL.
    pub name: String,
    /// `url`: an http or https URL. It may hold credentials, or a token in its path.
    pub url: SecretString,
    /// `headers`: sent with each event; every value is marked as sensitive.
    pub headers: HeaderMap,
    /// `timeout` of one attempt. Default 1 s, also for zero.
    pub timeout: Duration,
    /// `threshold`: after how many failures in a row it is left in peace for `backoff`. Default 10, also for zero and less.
    pub threshold: NonZeroU32,
    /// `backoff`. Default 1 s, also for zero.
    pub backoff: Duration,
    /// `ignoredmediatypes` and `ignore.mediatypes`: it is not told of content of these types.
    pub ignored_media_types: Vec<String>,
    /// `ignore.actions`: it is not told of these.
    pub ignored_actions: Vec<EventAction>,
}

/// What an event tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAction {
    /// Content was sent to a client.
    Pull,
    /// Content came from a client.
    Push,
    /// A blob of one repository was given to another.
    Mount,
    /// Something was deleted.
    Delete,
}
