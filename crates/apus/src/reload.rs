//! SIGHUP: the configuration is read again, and what can change in flight does. It is checked as at the start; where it cannot be
//! read, or says something else of what cannot change, everything stays as it is, and the log names what is in the way.

use std::path::PathBuf;

use apus_config::{ConfigError, Loaded};
use apus_events::{Events, EventsError};
use apus_legacy::View;
use apus_registry::{Registry, RegistryOptions};
use apus_server::{AppOptions, CurrentApp, Tls, TlsError};
use apus_storage::StorageError;
use tokio::signal::unix::Signal;
use tokio::task::JoinSet;

use crate::authorization::SignInError;
use crate::backend::Opened;
use crate::logging::SetLevel;
use crate::{authorization, configuration, events, notify, options, purging};

/// The keys that can change while the registry runs, with all that is below them.
const IN_FLIGHT: [&str; 17] = [
    "access",
    "catalog",
    "http.headers",
    "http.host",
    "http.prefix",
    "http.relativeurls",
    "http.trustedproxies",
    "limits",
    "log.level",
    "loglevel",
    "notifications",
    "storage.delete",
    "storage.maintenance",
    "storage.redirect",
    "tags",
    "validation",
    "version",
];

/// Why everything stays as it is.
#[derive(Debug, thiserror::Error)]
enum NotReloaded {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("it says something else of {0}, which only a new start can change")]
    Fixed(String),
    #[error("http.tls: the files cannot be used")]
    Tls(#[from] TlsError),
    #[error(transparent)]
    SignIn(#[from] SignInError),
    #[error("the storage cannot be written to")]
    Storage(#[from] StorageError),
    #[error("notifications: nobody else can be told what happens")]
    Events(#[from] EventsError),
}

/// What runs, as far as it can change.
pub(crate) struct Running {
    /// The configuration file as it was given on the command line.
    pub(crate) file: Option<PathBuf>,
    pub(crate) loaded: Loaded,
    /// Where it listens.
    pub(crate) address: String,
    pub(crate) opened: Opened,
    /// What is in storage, and is served unless images of version 1 are shown in its place.
    pub(crate) stored: Registry,
    pub(crate) shown: Option<View>,
    pub(crate) app: CurrentApp,
    pub(crate) events: Events,
    pub(crate) tls: Option<Tls>,
    pub(crate) set_level: SetLevel,
    pub(crate) purging: JoinSet<()>,
}

impl Running {
    /// Reads the configuration again at each SIGHUP, for as long as it is polled.
    pub(crate) async fn follow(mut self, mut hangup: Signal) {
        self.purge();
        while hangup.recv().await.is_some() {
            notify::reloading();
            let reloaded = self.reload();
            notify::ready(&self.address);
            match reloaded {
                Ok(changed) if changed.is_empty() => {
                    tracing::info!("SIGHUP: the configuration says the same as before");
                }
                Ok(changed) => {
                    let changed = changed.join(", ");
                    tracing::info!(changed, "SIGHUP: the configuration was read again, and is in force");
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "SIGHUP: the configuration stays as it was");
                }
            }
        }
    }

    /// Answers what has changed.
    fn reload(&mut self) -> Result<Vec<String>, NotReloaded> {
        let loaded = configuration::load(self.file.as_deref())?.fit_to_serve()?;
        let changed = self.loaded.differences(&loaded);
        let fixed: Vec<&str> = changed.iter().map(String::as_str).filter(|key| !is_in_flight(key)).collect();
        if !fixed.is_empty() {
            return Err(NotReloaded::Fixed(fixed.join(", ")));
        }
        // What may fail comes first.
        if let Some(tls) = &self.tls {
            tls.reload()?;
        }
        let policy = authorization::policy(&loaded)?;
        let config = &loaded.config;
        let authorization = authorization::open(config, policy, &self.stored)?;
        if !config.storage.read_only {
            self.opened.set_read_only(false)?;
        }
        if changed.iter().any(|key| key.starts_with("notifications")) {
            self.events.change(events::options(config))?;
        }
        configuration::log(&loaded);
        let app = self.app.get();
        let registry = app.registry().with_options(options::of_registry(config));
        self.app.replace(app.with_options(
            registry,
            AppOptions { authorization, ..options::of_app(config, self.events.clone()) },
        ));
        if config.storage.read_only {
            self.opened.set_read_only(true)?;
        }
        if let Some(shown) = &self.shown {
            shown.keep_records(!config.storage.read_only);
        }
        (self.set_level)(config.log.level);
        let purges_otherwise = config.storage.upload_purging != self.loaded.config.storage.upload_purging
            || config.storage.read_only != self.loaded.config.storage.read_only;
        self.loaded = loaded;
        if purges_otherwise {
            self.purge();
        }
        Ok(changed.into_iter().collect())
    }

    /// Begins to purge as is configured now, in place of what was before.
    fn purge(&mut self) {
        self.purging.abort_all();
        let config = &self.loaded.config;
        if let Some(purging) = config.storage.upload_purging.clone().filter(|_| !config.storage.read_only) {
            // Also where images of version 1 are shown: those that push them leave uploads behind.
            let options = RegistryOptions { read_only: false, ..options::of_registry(config) };
            self.purging.spawn(purging::keep_purging(self.stored.with_options(options), purging));
        }
    }
}

fn is_in_flight(key: &str) -> bool {
    IN_FLIGHT.iter().any(|prefix| {
        key.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_change_in_flight() {
        for (key, can) in [
            ("log.level", true),
            ("http.headers.X-Frame-Options[0]", true),
            ("limits.client.burst", true),
            ("storage.maintenance.readonly.enabled", true),
            ("validation.manifests.urls.allow[3]", true),
            ("notifications.endpoints[0].url", true),
            ("http.trustedproxies[0]", true),
            ("log.formatter", false),
            ("http.headersomething", false),
            ("http.addr", false),
            ("storage.filesystem.rootdirectory", false),
            ("http.tls.certificate", false),
        ] {
            assert_eq!(is_in_flight(key), can, "{key}");
        }
    }
}
