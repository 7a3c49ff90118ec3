//! `apus import docker-registry`: brings the images of a docker-registry 0.x over, and tells of it in lines for people or as JSON.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use apus_config::{
    ConfigError, DockerRegistryStorage, Environment, FilesystemConfig, LogLevel, RedirectConfig,
    StorageConfig, StorageDriver,
};
use apus_legacy::{ImportEvent, ImportOptions, ImportSummary, Reason, Store, TagOutcome};
use apus_registry::Registry;
use apus_storage::StorageError;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::serve::ServeError;
use crate::{backend, configuration, logging, options};

/// How a run ended that could not bring everything.
const LEFT: u8 = 3;

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
/// Prints a line for each tag, and last how many there were. With --json each line is an object whose
/// member event says what it is: private, image, image-left, tag or, last, summary. On a terminal a bar
/// on standard error shows how far it is.
///
/// Exit status: 0 everything is there; 1 something did not work, run it again; 2 wrong usage; 3 something
/// cannot come over, or stays as it is here.
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
    /// Print JSON, a line for each thing that happens.
    #[arg(long)]
    json: bool,
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
            ExitCode::FAILURE
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
        let store = old_registry(command)?;
        let storage = backend::open(&config.storage)?;
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
    });
    printer.end(imported.as_ref().ok());
    imported
}

fn old_registry(command: &DockerRegistry) -> Result<Store, Failure> {
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
            let redirect = RedirectConfig { enabled: false, ..RedirectConfig::default() };
            Ok(Store::new(backend::open(&StorageConfig { driver, redirect, ..StorageConfig::default() })?))
        }
    }
}

/// Tells what happens on standard output, and how far it is on the terminal.
struct Printer {
    json: bool,
    dry_run: bool,
    bar: ProgressBar,
}

/// Something that happened, as JSON.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    Private { repository: String },
    Image { image: &'a str, layer: Option<String>, known: bool, size: u64 },
    ImageLeft { image: &'a str, reason: String, lasting: bool },
    Tag(Tag<'a>),
    Summary(Summary),
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the output")]
struct Tag<'a> {
    repository: String,
    tag: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The last line of JSON. Of the numbers there are none but zeros where it was not done.
#[derive(Serialize)]
struct Summary {
    done: bool,
    dry_run: bool,
    repositories: u64,
    tags: u64,
    brought_tags: u64,
    unchanged_tags: u64,
    differing_tags: u64,
    unfit_tags: u64,
    failed_tags: u64,
    brought_images: u64,
    known_images: u64,
    left_images: u64,
    read_bytes: u64,
}

impl Printer {
    fn new(command: &DockerRegistry) -> Self {
        // Where standard error is no terminal it shows nothing.
        Self { json: command.json, dry_run: command.dry_run, bar: ProgressBar::new_spinner() }
    }

    fn print(&self, event: &ImportEvent<'_>) {
        match event {
            ImportEvent::Surveying(tags) => {
                self.bar.set_message(format!("{tags} tags found"));
                self.bar.tick();
            }
            ImportEvent::Surveyed { bytes, .. } => {
                self.bar.set_length(*bytes);
                // The template is one of indicatif's own words.
                if let Ok(style) =
                    ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left")
                {
                    self.bar.set_style(style);
                }
            }
            ImportEvent::Read(bytes) => self.bar.inc(*bytes),
            event if self.json => self.put_json(event),
            event => self.put_text(event),
        }
        if let ImportEvent::Image { known: true, size, .. } = event {
            self.bar.inc(*size);
        }
    }

    fn put_text(&self, event: &ImportEvent<'_>) {
        match event {
            ImportEvent::Private(repository) => self.put(&format!(
                "{repository}: was private; who may read it here is a matter of sign-in and policy"
            )),
            ImportEvent::Tag { repository, tag, outcome } => {
                let outcome = match outcome {
                    TagOutcome::Brought { name, digest } => format!("{name} {digest}"),
                    TagOutcome::Unchanged { name, digest } => format!("{name} {digest} (was here)"),
                    TagOutcome::Differs { name, there, .. } => {
                        format!("left: {name} is here and means {there}; --overwrite moves it")
                    }
                    TagOutcome::Left(reason) => format!("left: {reason}"),
                };
                self.put(&format!("{repository}:{tag} -> {outcome}"));
            }
            _ => {}
        }
    }

    fn put_json(&self, event: &ImportEvent<'_>) {
        self.put_line(&match event {
            ImportEvent::Private(repository) => Line::Private { repository: repository.to_string() },
            ImportEvent::Image { image, layer, known, size } => Line::Image {
                image: image.as_str(),
                layer: layer.map(ToString::to_string),
                known: *known,
                size: *size,
            },
            ImportEvent::ImageLeft { image, reason } => Line::ImageLeft {
                image: image.as_str(),
                reason: reason.to_string(),
                lasting: matches!(reason, Reason::Unfit(_)),
            },
            ImportEvent::Tag { repository, tag, outcome } => {
                let (outcome, name, digest, reason) = match outcome {
                    TagOutcome::Brought { name, digest } => ("brought", Some(name), Some(digest), None),
                    TagOutcome::Unchanged { name, digest } => ("unchanged", Some(name), Some(digest), None),
                    TagOutcome::Differs { name, digest, .. } => ("differs", Some(name), Some(digest), None),
                    TagOutcome::Left(reason @ Reason::Unfit(_)) => ("unfit", None, None, Some(reason)),
                    TagOutcome::Left(reason @ Reason::Failed(_)) => ("failed", None, None, Some(reason)),
                };
                Line::Tag(Tag {
                    repository: repository.to_string(),
                    tag,
                    outcome,
                    name: name.map(String::as_str),
                    digest: digest.map(ToString::to_string),
                    reason: reason.map(ToString::to_string),
                })
            }
            _ => return,
        });
    }

    /// What became of it, last; `None` if it was not done.
    fn end(&self, summary: Option<&ImportSummary>) {
        self.bar.finish_and_clear();
        let nothing = ImportSummary::default();
        let counted = summary.unwrap_or(&nothing);
        if self.json {
            self.put_line(&Line::Summary(Summary {
                done: summary.is_some(),
                dry_run: self.dry_run,
                repositories: counted.repositories,
                tags: counted.tags,
                brought_tags: counted.brought_tags,
                unchanged_tags: counted.unchanged_tags,
                differing_tags: counted.differing_tags,
                unfit_tags: counted.unfit_tags,
                failed_tags: counted.failed_tags,
                brought_images: counted.brought_images,
                known_images: counted.known_images,
                left_images: counted.left_images,
                read_bytes: counted.read_bytes,
            }));
        } else if let Some(counted) = summary {
            let ImportSummary { tags, repositories, brought_tags, unchanged_tags, .. } = counted;
            let brought = if self.dry_run { "would come over" } else { "came over" };
            let left = counted.unfit_tags + counted.failed_tags + counted.differing_tags;
            self.put(&format!(
                "{tags} tags in {repositories} repositories: {brought_tags} {brought}, {unchanged_tags} were here, \
                 {left} left; {} images, of which an earlier run had brought {}; {} bytes read",
                counted.brought_images + counted.known_images,
                counted.known_images,
                counted.read_bytes,
            ));
        }
    }

    fn put_line(&self, line: &Line<'_>) {
        // Texts and numbers always become JSON.
        self.put(&serde_json::to_string(line).unwrap_or_default());
    }

    /// A line. A reader that went away has read enough; what was begun is ended all the same.
    fn put(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(std::io::stdout(), "{line}");
        });
    }
}
