//! From `notifications` to those who are told.

use std::time::Duration;

use apus_config::{Config, EndpointConfig, EventAction};
use apus_events::{Action, EndpointOptions, Events, EventsError, EventsOptions, QueueOptions, Source};

use crate::instance;

/// When requests have ended, how long events may still be delivered.
pub(crate) const LAST_TRY: Duration = Duration::from_secs(5);

/// Begins to tell those who are configured. To be called before anything happens that they want to know.
pub(crate) fn open(config: &Config) -> Result<Events, EventsError> {
    Events::open(options(config))
}

pub(crate) fn options(config: &Config) -> EventsOptions {
    let notifications = &config.notifications;
    let port = config.http.unix_socket.is_none().then_some(config.http.addr.port);
    EventsOptions {
        endpoints: notifications.endpoints.iter().map(endpoint).collect(),
        queue: QueueOptions {
            directory: notifications.queue_directory.clone(),
            limit: notifications.queue_size,
        },
        include_references: notifications.include_references,
        source: Source::new(&host(), port, instance::id()),
    }
}

fn endpoint(config: &EndpointConfig) -> EndpointOptions {
    let action = |action: &EventAction| match action {
        EventAction::Pull => Action::Pull,
        EventAction::Push => Action::Push,
        EventAction::Mount => Action::Mount,
        EventAction::Delete => Action::Delete,
    };
    EndpointOptions {
        name: config.name.clone(),
        url: config.url.clone(),
        headers: config.headers.clone(),
        timeout: config.timeout,
        threshold: config.threshold,
        backoff: config.backoff,
        ignored_media_types: config.ignored_media_types.clone(),
        ignored_actions: config.ignored_actions.iter().map(action).collect(),
    }
}

/// The name of this machine, as the kernel knows it; empty where it tells nobody.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}
