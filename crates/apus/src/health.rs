//! Health: which checks there are, by what the configuration says, and how they are shown.

use std::collections::BTreeSet;
use std::sync::Arc;

use apus_config::{Config, HealthConfig, HealthPace, StorageDriver};
use apus_health::{Check, Health, NotReady, Pace, Probe};
use apus_http_client::{HttpClient, Options, Proxies};
use apus_server::DebugPages;
use apus_storage::Storage;
use bytes::Bytes;
use http::{Response, StatusCode};
use tokio::task::JoinSet;

use crate::debug::{page, text};
use crate::serve::ServeError;

/// Checks what `health` says, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Checking {
    health: Health,
    _tasks: JoinSet<()>,
}

impl Checking {
    /// Begins. Whether the storage can be reached is found out wherever that is shown.
    pub(crate) fn begin(config: &Config, storage: &Arc<dyn Storage>) -> Result<Self, ServeError> {
        let health = Health::new(checks(&config.health, &config.storage.driver, storage)?);
        let mut tasks = JoinSet::new();
        tasks.spawn(health.clone().follow());
        if config.http.debug.is_some() {
            tasks.spawn(health.clone().reach(Arc::clone(storage)));
        } else if config.health != HealthConfig::default() {
            tracing::warn!(
                "health checks are told in this log alone: http.debug.addr, where they would be shown, is not set"
            );
        }
        Ok(Self { health, _tasks: tasks })
    }

    /// What was found, to be asked.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }
}

fn checks(
    config: &HealthConfig,
    driver: &StorageDriver,
    storage: &Arc<dyn Storage>,
) -> Result<Vec<Check>, ServeError> {
    let mut checks = Vec::new();
    if let Some(of_storage) = config.storage {
        let name = format!("storagedriver_{}", word(driver));
        checks.push(Check { name, probe: Probe::Storage(Arc::clone(storage)), pace: pace(of_storage) });
    }
    for file in &config.files {
        let name = file.path.display().to_string();
        checks.push(Check { name, probe: Probe::File(file.path.clone()), pace: pace(file.pace) });
    }
    if !config.http.is_empty() {
        let options = Options { name: "health", proxies: Proxies::from_env(), ..Options::default() };
        let client = HttpClient::new(options).map_err(ServeError::Health)?;
        for http in &config.http {
            // What is asked may hold a secret.
            let name = http.uri.split('?').next().unwrap_or_default().to_owned();
            let probe = Probe::Http {
                client: Box::new(client.clone()),
                uri: http.uri.parse().map_err(|_| ServeError::HealthUri(name.clone()))?,
                headers: http.headers.clone(),
                status: http.status,
                timeout: http.timeout,
            };
            checks.push(Check { name, probe, pace: pace(http.pace) });
        }
    }
    for tcp in &config.tcp {
        let probe = Probe::Tcp { address: tcp.address.clone(), timeout: tcp.timeout };
        checks.push(Check { name: tcp.address.clone(), probe, pace: pace(tcp.pace) });
    }
    tell_apart(&mut checks);
    Ok(checks)
}

/// Gives those that would have the name of another a number.
fn tell_apart(checks: &mut [Check]) {
    let mut names = BTreeSet::new();
    for check in checks {
        let name = check.name.clone();
        let mut number = 1;
        while !names.insert(check.name.clone()) {
            number += 1;
            check.name = format!("{name} ({number})");
        }
    }
}

fn pace(pace: HealthPace) -> Pace {
    Pace { interval: pace.interval, threshold: pace.threshold }
}

/// registry:2's word.
fn word(driver: &StorageDriver) -> &'static str {
    match driver {
        StorageDriver::Filesystem(_) => "filesystem",
        StorageDriver::InMemory => "inmemory",
        StorageDriver::Swift(_) => "swift",
    }
}

/// The pages, beside others.
pub(crate) fn with_health(pages: DebugPages, health: &Health) -> DebugPages {
    let (of_checks, of_ready) = (health.clone(), health.clone());
    pages
        .with("/debug/health", move |_| std::future::ready(in_form_of_registry_2(&of_checks)))
        .with("/debug/live", |_| std::future::ready(text(StatusCode::OK, "alive\n")))
        .with("/debug/ready", move |_| std::future::ready(readiness(of_ready.ready())))
}

/// The checks that fail, by name, with 503; nothing with 200.
fn in_form_of_registry_2(health: &Health) -> Response<Bytes> {
    let failing = health.failing();
    let status = if failing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    // Names and texts are text, which JSON can hold.
    let content = serde_json::to_vec(&failing).unwrap_or_default();
    page(status, "application/json; charset=utf-8", content)
}

fn readiness(ready: Result<(), NotReady>) -> Response<Bytes> {
    match ready {
        Ok(()) => text(StatusCode::OK, "ready\n"),
        Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}

#[cfg(test)]
mod tests;
