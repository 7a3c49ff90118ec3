//! `apus import docker-registry`: brings the images of a docker-registry 0.x over, and tells of it in lines for people or as JSON.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use apus_config::{
    ConfigError, DockerRegistryStorage, Environment, FilesystemConfig, LogLevel, RedirectConfig,
    StorageConfig, StorageDriver,
};
use apus_legacy::{ImportEvent, ImportOptions, ImportSummary, Store};
use apus_registry::Registry;
use apus_storage::StorageError;
use apus_swift::{SwiftClient, SwiftError};
use clap::{Args, Subcommand};
use report::Printer;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::serve::ServeError;
use crate::{backend, configuration, logging, options};

/// How a run ended that could not bring everything.
const LEFT: u8 = 3;

/// As a shell has it of a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    DockerRegistry(DockerRegistry),
}

/// Bring the images of a docker-registry 0.x into this registry
///
/// Each tag becomes an image of today with the same files: Docker's schema 2, or OCI where a layer is not
/// compressed. Layers are proven by the checksums that the old registry kept; what is unfinished, damaged
/// or not proven is told, and left. Nothing is changed in the old registry.
///
/// It may be stopped and run again at any time: what is there is not brought twice. Tags that are there
/// already and mean something else stay, unless --overwrite is given.
///
/// On a terminal prints a line for each tag, and last how many there were; a bar on standard error shows
/// how far it is. Elsewhere, or with --json, each line is an object whose member event says what it is:
/// surveyed, progress, private, image, image-left, tag or, last, summary.
///
/// Exit status: 0 everything is there; 1 something did not work, run it again; 2 wrong usage; 3 something
/// cannot come over, or stays as it is here; 130 interrupted, run it again.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct DockerRegistry {
    /// The old registry: its configuration file, obeyed as there with SETTINGS_FLAVOR and variables, or the
    /// directory that holds its images and repositories.
    from: PathBuf,
    /// The configuration file that `apus serve` is given; else the one that REGISTRY_CONFIGURATION_PATH names.
    file: Option<PathBuf>,
    /// Read and prove everything, and write nothing.
    #[arg(short, long)]
    dry_run: bool,
    /// Move tags that are here already and mean something else.
    #[arg(long)]
    overwrite: bool,
    /// Bring images too of which no checksum was kept, if their archives can be read to their ends.
    #[arg(long)]
    without_checksum: bool,
    /// Keep `library/` in names; else library/base becomes base, as clients have always called it.
    #[arg(long)]
    keep_library: bool,
    /// Layers at once.
    #[arg(long, default_value_t = 4, value_name = "NUMBER")]
    parallel: usize,
    /// Print JSON, a line for each thing that happens, on a terminal too.
    #[arg(long, conflicts_with = "text")]
    json: bool,
    /// Print lines for people, whoever reads them.
    #[arg(long)]
    text: bool,
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// What the operator wrote.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// What the operator wrote of the storage.
    #[error(transparent)]
    Open(#[from] ServeError),
    /// The old registry's directory.
    #[error("the old registry cannot be opened")]
    Old(#[source] StorageError),
    /// The old registry's tags.
    #[error("the old registry cannot be read")]
    Import(#[from] apus_legacy::Error),
    /// It has no tags.
    #[error(
        "there are no tags in the old registry: is this the directory that holds its images and repositories, or are \
         storage_path, container and flavour those of the old registry?"
    )]
    Nothing,
    /// The old registry's Swift, as the operator wrote it.
    #[error("the old registry's Swift: {0}")]
    Swift(#[from] apus_swift::ConfigError),
    /// The old registry's Swift could not tell.
    #[error("the old registry's Swift cannot be used")]
    Unreached(#[source] SwiftError),
    /// Nothing is made where nothing is to be changed.
    #[error(
        "the old registry's Swift has no container {0:?}: see swift_container, the user's project, and the flavour"
    )]
    NoContainer(String),
    /// By SIGINT or SIGTERM.
    #[error("interrupted; what has come over is kept, run it again for the rest")]
    Interrupted,
    /// The system itself.
    #[error("cannot begin to import")]
    System(#[from] std::io::Error),
}

/// Runs the command to its end.
pub(crate) fn run(command: &ImportCommand) -> ExitCode {
    let ImportCommand::DockerRegistry(command) = command;
    match import(command) {
        Ok(summary) if summary.failed_tags > 0 => ExitCode::FAILURE,
        Ok(summary) if summary.unfit_tags + summary.differing_tags > 0 => ExitCode::from(LEFT),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            logging::complain(&error);
            match error {
                Failure::Interrupted => ExitCode::from(INTERRUPTED),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

fn import(command: &DockerRegistry) -> Result<ImportSummary, Failure> {
    let loaded = configuration::load(command.file.as_deref())?;
    configuration::warn(&loaded);
    let mut config = loaded.config;
    // What goes well is told by the command itself.
    if config.log.level == LogLevel::Info {
        config.log.level = LogLevel::Warn;
    }
    logging::begin(&config.log);
    // No client is sent anywhere, so it need not be tried whether that works.
    config.storage.redirect.enabled = false;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let printer = Arc::new(Printer::new(command));
    let told = Arc::clone(&printer);
    let imported = runtime.block_on(async {
        let stopped = asked_to_stop(signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let importing = async {
            let store = old_registry(command).await?;
            let storage = backend::open(&config.storage, false)?.storage;
            let registry = Registry::new(Arc::clone(&storage), options::of_registry(&config));
            let options = ImportOptions {
                dry_run: command.dry_run,
                overwrite: command.overwrite,
                without_checksum: command.without_checksum,
                keep_library: command.keep_library,
                parallel: command.parallel,
            };
            let report = Arc::new(move |event: ImportEvent<'_>| told.print(&event));
            match apus_legacy::import(&store, &registry, storage, &options, report).await? {
                ImportSummary { tags: 0, .. } => Err(Failure::Nothing),
                summary => Ok(summary),
            }
        };
        tokio::select! {
            imported = importing => imported,
            () = stopped => Err(Failure::Interrupted),
        }
    });
    printer.end(imported.as_ref().ok());
    imported
}

async fn asked_to_stop(mut interrupt: Signal, mut terminate: Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

async fn old_registry(command: &DockerRegistry) -> Result<Store, Failure> {
    let driver = if command.from.is_dir() {
        StorageDriver::Filesystem(FilesystemConfig { root_directory: command.from.clone() })
    } else {
        let storage = DockerRegistryStorage::load(&command.from, &Environment::of_process())?;
        for warning in &storage.warnings {
            tracing::warn!("{warning}");
        }
        storage.driver
    };
    match driver {
        StorageDriver::Filesystem(filesystem) => {
            let storage = apus_storage::FilesystemStorage::open_to_read(filesystem.root_directory);
            Ok(Store::new(Arc::new(storage.map_err(Failure::Old)?)))
        }
        driver => {
            if let StorageDriver::Swift(swift) = &driver {
                // Whoever writes would make a container that is missing; here it would hide a wrong name.
                let client = SwiftClient::new(&backend::swift_config(swift)?)?;
                let exists = client.container(&swift.container).exists().await.map_err(Failure::Unreached)?;
                if !exists {
                    return Err(Failure::NoContainer(swift.container.clone()));
                }
            }
            let redirect = RedirectConfig { enabled: false, ..RedirectConfig::default() };
            let config = StorageConfig { driver, redirect, ..StorageConfig::default() };
            Ok(Store::new(backend::open(&config, true)?.storage))
        }
    }
}
