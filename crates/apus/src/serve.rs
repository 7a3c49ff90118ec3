//! `apus serve`: configuration, storage, registry, server, in this order, until the signal comes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use apus_acme::{Acme, AcmeError};
use apus_auth::Policy;
use apus_config::{ConfigError, HttpConfig, ListenAddress, Loaded, StorageDriver};
use apus_legacy::LegacyRegistry;
use apus_proxy::Cache;
use apus_registry::Registry;
use apus_server::{App, AppOptions, CurrentApp, Listener, Tls, TlsError};
use apus_storage::{MeasuredStorage, StorageError};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;

use crate::logging::SetLevel;
use crate::reload::Running;
use crate::traces::Traces;
use crate::{
    acme, authorization, backend, configuration, debug, events, health, logging, notify, options, version_1,
};

/// Why the registry does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// What the operator wrote.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What the operator wrote of Swift, and only Swift can judge.
    #[error("storage.swift: {0}")]
    Swift(apus_swift::ConfigError),
    /// The files that say who may come in.
    #[error(transparent)]
    SignIn(#[from] authorization::SignInError),
    /// Version 1 of the protocol.
    #[error(transparent)]
    Version1(#[from] version_1::Version1Error),
    /// The storage on this machine.
    #[error("the storage cannot be opened")]
    Storage(#[source] StorageError),
    /// The prefix of an upstream.
    #[error("proxy.upstreams: a prefix cannot be used")]
    Prefix(#[from] apus_registry::Error),
    /// The way to other registries.
    #[error("proxy: other registries cannot be asked")]
    Proxy(#[from] apus_proxy::HttpError),
    /// The address.
    #[error("cannot listen on {address}: choose another {key}, or stop what listens there")]
    Listen {
        /// Where it is configured.
        key: &'static str,
        /// As configured.
        address: ListenAddress,
        /// What the system said.
        source: std::io::Error,
    },
    /// The socket in the file system.
    #[error("cannot listen on the unix socket {}: choose another http.addr, or remove what is there", path.display())]
    Socket {
        /// As configured.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate and what belongs to it.
    #[error("http.tls: the registry cannot speak TLS")]
    Tls(#[from] TlsError),
    /// The way to a certificate that is not there yet.
    #[error("http.tls.letsencrypt: no certificate can be asked for")]
    Acme(#[from] AcmeError),
    /// What is needed to ask other services how they are.
    #[error("health.http: services cannot be asked")]
    Health(#[source] apus_http_client::Error),
    /// A URL that can be written, but not asked.
    #[error("health.http: {0} is no URL that can be asked")]
    HealthUri(String),
    /// Those who are to be told.
    #[error("notifications: nobody can be told what happens")]
    Events(#[from] apus_events::EventsError),
    /// The system itself.
    #[error("cannot begin to serve")]
    System(#[from] std::io::Error),
}

/// Serves until SIGTERM or SIGINT, then lets requests end.
pub(crate) fn run(file: Option<&Path>) -> Result<(), ServeError> {
    let loaded = configuration::load(file)?.fit_to_serve()?;
    let policy = authorization::policy(&loaded)?;
    let (traces, no_traces) = match Traces::of_environment() {
        Ok(traces) => (traces, None),
        Err(error) => (None, Some(error)),
    };
    let set_level = logging::begin_with(&loaded.config.log, traces.as_ref());
    if let Some(error) = no_traces {
        tracing::error!(error = &error as &dyn std::error::Error, "there are no traces");
    }
    configuration::log(&loaded);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(file, loaded, policy, traces, set_level))
}

async fn serve(
    file: Option<&Path>,
    loaded: Loaded,
    policy: Option<Policy>,
    traces: Option<Traces>,
    set_level: SetLevel,
) -> Result<(), ServeError> {
    // Before anything else: a signal that comes while storage opens is not lost.
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let hangup = signal(SignalKind::hangup())?;
    let config = &loaded.config;
    let recorder = debug::keep_metrics(&config.http);
    let opened = backend::open(&config.storage, config.storage.read_only)?;
    let mut storage = Arc::clone(&opened.storage);
    if recorder.is_some() || traces.is_some() {
        storage = Arc::new(MeasuredStorage::new(storage));
    }
    let checking = health::Checking::begin(config, &storage)?;
    let traces = traces.map(Traces::begin);
    let legacy = LegacyRegistry::new(Arc::clone(&storage));
    let stored = Registry::new(Arc::clone(&storage), options::of_registry(config));
    let version_1 = version_1::open(config, &legacy, &stored)?;
    let shown = version_1::shown(config, &legacy);
    let registry = Arc::new(match &shown {
        Some(shown) => Registry::new(Arc::new(shown.clone()), options::of_registry(config)),
        None => stored.clone(),
    });
    let authorization = authorization::open(config, policy, &stored)?;
    let events = events::open(config)?;
    let app_options = AppOptions {
        authorization,
        version_1,
        shown: shown.clone(),
        ..options::of_app(config, events.clone())
    };
    let app = match &config.proxy {
        Some(proxy) => {
            let cache = Cache::new(Arc::clone(&registry), storage, options::of_cache(proxy)?)?;
            tokio::spawn(Arc::clone(&cache).keep_house());
            App::caching(registry, cache, app_options)
        }
        None => App::new(registry, app_options),
    };
    let app = CurrentApp::from(app);
    let (tls, acme) = tls(&config.http)?;
    let (listener, address) = listen(&config.http).await?;
    let _showing = match &config.http.debug {
        Some(debug) => {
            let pages = debug::pages(debug, checking.health(), recorder);
            Some(debug::Showing::begin(debug, pages).await?)
        }
        None => None,
    };
    tracing::info!(address, tls = tls.is_some(), version = env!("CARGO_PKG_VERSION"), "listening");
    notify::ready(&address);
    if loaded.file.is_none() && loaded.effective.is_default() {
        greet(&address, &config.storage.driver);
    }
    let (serving, drain_timeout) = (options::of_server(config, tls.clone()), config.http.drain_timeout);
    let running = Running {
        file: file.map(Path::to_owned),
        address,
        opened,
        stored,
        shown,
        app: app.clone(),
        events: events.clone(),
        tls: tls.clone(),
        set_level,
        purging: JoinSet::new(),
        loaded,
    };
    let mut following = JoinSet::new();
    if let (Some(acme), Some(tls)) = (acme, tls) {
        following.spawn(acme.keep(acme::Port(tls)));
    }
    following.spawn(running.follow(hangup));
    let stopped = async {
        asked_to_stop(terminate, interrupt, drain_timeout).await;
        checking.health().stops();
    };
    apus_server::serve(listener, app, serving, stopped).await;
    events.close(events::LAST_TRY).await;
    if let Some(traces) = traces {
        traces.end().await;
    }
    tracing::info!("stopped");
    Ok(())
}

/// What is spoken, and who keeps its certificate good, if not the operator.
fn tls(http: &HttpConfig) -> Result<(Option<Tls>, Option<Acme>), ServeError> {
    let Some(tls) = &http.tls else { return Ok((None, None)) };
    let (certificate, key, acme) = acme::open(&tls.certificate)?;
    Ok((Some(Tls::open(options::of_tls(certificate, key, tls, http))?), acme))
}

/// Answers where it listens, too.
async fn listen(http: &HttpConfig) -> Result<(Listener, String), ServeError> {
    if let Some(path) = &http.unix_socket {
        let failed = |source| ServeError::Socket { path: path.clone(), source };
        return Ok((Listener::unix(path).await.map_err(failed)?, path.display().to_string()));
    }
    let listener = listen_on_port("http.addr", &http.addr).await?;
    let address = listener.local_addr()?.to_string();
    Ok((listener.into(), address))
}

/// `key` is where the address was configured.
pub(crate) async fn listen_on_port(
    key: &'static str,
    address: &ListenAddress,
) -> Result<TcpListener, ServeError> {
    let failed = |source| ServeError::Listen { key, address: address.clone(), source };
    if !address.host.is_empty() {
        return TcpListener::bind((address.host.as_str(), address.port)).await.map_err(failed);
    }
    // Every address: of both families, or of IPv4 alone where the machine has no IPv6.
    match TcpListener::bind(("::", address.port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("0.0.0.0", address.port)).await.map_err(failed),
    }
}

async fn asked_to_stop(mut terminate: Signal, mut interrupt: Signal, drain_timeout: Duration) {
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: no new requests"),
        _ = interrupt.recv() => tracing::info!("SIGINT: no new requests"),
    }
    notify::stopping(drain_timeout);
}

/// What someone types next who has just typed `apus serve`.
fn greet(address: &str, driver: &StorageDriver) {
    let place = match driver {
        StorageDriver::Filesystem(filesystem) => filesystem.root_directory.display().to_string(),
        StorageDriver::InMemory => "memory".to_owned(),
        StorageDriver::Swift(swift) => format!("the container {}", swift.container),
    };
    let text = format!(
        "Apus serves http://{address} and keeps its images in {place}. Try:\n\
         \x20 docker pull alpine\n\
         \x20 docker tag alpine {address}/alpine\n\
         \x20 docker push {address}/alpine\n"
    );
    // A reader that went away has read enough.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
