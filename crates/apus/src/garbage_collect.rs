//! `apus garbage-collect`: deletes what no manifest needs, and tells of it as registry:2 does, or as JSON.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use apus_config::{ConfigError, LogLevel};
use apus_registry::{CollectError, CollectEvent, CollectOptions, CollectSummary, Digest, Registry};
use clap::{ArgAction, Args};
use indicatif::ProgressBar;
use jiff::SignedDuration;
use serde::Serialize;

use crate::serve::ServeError;
use crate::{backend, configuration, logging, options};

/// Delete the blobs that no manifest needs
///
/// For a registry that is stopped or read-only: what is being pushed meanwhile may be lost. All
/// repositories are walked until two walks in a row have seen the same; manifests are followed through
/// indexes at any depth. When anything cannot be read, or contradicts itself, nothing is deleted. What
/// uploads have left that came to nothing goes last.
///
/// Prints the lines of registry:2, and last what was deleted. With --json each line is an object whose
/// member event says what it is: repository, manifest, blob, eligible-manifest, eligible-blob,
/// remnants, warning, doubt or, last, summary. On a terminal a line on standard error shows how far it is.
///
/// Exit status: 0 done; 1 something could not be deleted, or for a doubt nothing was; 2 wrong usage.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct GarbageCollect {
    /// The configuration file that `apus serve` is given; else the one that REGISTRY_CONFIGURATION_PATH names.
    file: Option<PathBuf>,
    /// Delete nothing, and say what would be.
    #[arg(short, long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value_t = false, default_missing_value = "true", hide_default_value = true,
          hide_possible_values = true, value_name = "BOOLEAN")]
    dry_run: bool,
    /// Delete manifests too that no tag keeps, not even by way of an index or a subject.
    #[arg(short = 'm', long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value_t = false, default_missing_value = "true", hide_default_value = true,
          hide_possible_values = true, value_name = "BOOLEAN")]
    delete_untagged: bool,
    /// Print only errors, and the summary with --json.
    #[arg(short, long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_value_t = false, default_missing_value = "true", hide_default_value = true,
          hide_possible_values = true, value_name = "BOOLEAN")]
    quiet: bool,
    /// Delete nothing that is younger: 24h, 90m, 1h30m, 0s.
    #[arg(long, default_value = "24h", value_parser = duration, value_name = "DURATION")]
    min_age: Duration,
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
    /// Nothing was deleted.
    #[error("failed to garbage collect")]
    Collect(#[from] CollectError),
    /// Some of it was not deleted.
    #[error("failed to garbage collect: {0} objects could not be deleted; run it again")]
    Incomplete(u64),
    /// The system itself.
    #[error("cannot begin to collect garbage")]
    System(#[from] std::io::Error),
}

/// Runs the command to its end.
pub(crate) fn run(command: &GarbageCollect) -> ExitCode {
    match collect(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn collect(command: &GarbageCollect) -> Result<(), Failure> {
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
    let printer = Printer::new(command);
    let collected = runtime.block_on(async {
        let storage = backend::open(&config.storage, false)?.storage;
        let registry = Registry::new(storage, options::of_registry(&config));
        let options = CollectOptions {
            delete_untagged: command.delete_untagged,
            dry_run: command.dry_run,
            min_age: command.min_age,
            ..CollectOptions::default()
        };
        Ok(registry.collect_garbage(&options, &|event| printer.print(&event)).await?)
    });
    printer.end(&collected);
    match collected? {
        CollectSummary { failures: 0, .. } => Ok(()),
        CollectSummary { failures, .. } => Err(Failure::Incomplete(failures)),
    }
}

/// As Go writes them, for those who know registry:2.
fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    duration.try_into().map_err(|_| "it is less than nothing".to_owned())
}

/// Tells what happens on standard output, and how far it is on the terminal.
struct Printer {
    json: bool,
    quiet: bool,
    dry_run: bool,
    bar: ProgressBar,
}

/// Something that happened, as JSON.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    Repository { repository: &'a str },
    Manifest { repository: &'a str, digest: String },
    Blob { repository: &'a str, digest: String },
    EligibleManifest { repository: &'a str, digest: String },
    EligibleBlob { digest: String, size: u64 },
    Remnants { uploads: u64, size: u64 },
    Warning { text: &'a str },
    Doubt { text: &'a str },
    Summary(Summary),
}

/// The last line of JSON. Of the numbers there are none but zeros where it was not done.
#[derive(Serialize)]
struct Summary {
    done: bool,
    dry_run: bool,
    repositories: u64,
    marked: u64,
    young_blobs: u64,
    eligible_blobs: u64,
    eligible_bytes: u64,
    eligible_manifests: u64,
    deleted_blobs: u64,
    deleted_manifests: u64,
    deleted_links: u64,
    freed_bytes: u64,
    remnants: u64,
    remnant_bytes: u64,
    warnings: u64,
    failures: u64,
}

impl Printer {
    fn new(command: &GarbageCollect) -> Self {
        // Where standard error is no terminal it shows nothing.
        let bar = if command.quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        Self { json: command.json, quiet: command.quiet, dry_run: command.dry_run, bar }
    }

    fn print(&self, event: &CollectEvent<'_>) {
        match event {
            CollectEvent::Progress(what, count) => {
                self.bar.set_message(format!("{what}: {count}"));
                self.bar.tick();
            }
            CollectEvent::Warning(text) if !self.json => {
                self.bar.suspend(|| {
                    // Where standard error is gone there is nobody left to tell.
                    let _ = writeln!(std::io::stderr(), "apus: warning: {text}");
                });
            }
            _ if self.quiet => {}
            event if self.json => self.put_json(event),
            event => self.put_text(event),
        }
    }

    fn put_text(&self, event: &CollectEvent<'_>) {
        match event {
            CollectEvent::Repository(repository) => self.put(repository),
            CollectEvent::Manifest(repository, digest) => {
                // The space at the end is registry:2's.
                self.put(&format!("{repository}: marking manifest {digest} "));
            }
            CollectEvent::Blob(repository, digest) => {
                self.put(&format!("{repository}: marking blob {digest}"));
            }
            CollectEvent::EligibleManifest(_, digest) => {
                self.put(&format!("manifest eligible for deletion: {digest}"));
            }
            CollectEvent::Counted(CollectSummary { marked, eligible_blobs, eligible_manifests, .. }) => {
                self.put(&format!(
                    "\n{marked} blobs marked, {eligible_blobs} blobs and {eligible_manifests} manifests eligible \
                     for deletion"
                ));
            }
            CollectEvent::EligibleBlob(digest, _) => {
                self.put(&format!("blob eligible for deletion: {digest}"));
            }
            CollectEvent::Remnants(uploads, size) => {
                self.put(&format!("left by {uploads} uploads that came to nothing: {size} bytes"));
            }
            _ => {}
        }
    }

    fn put_json(&self, event: &CollectEvent<'_>) {
        let text = |digest: &Digest| digest.to_string();
        self.put_line(&match event {
            CollectEvent::Repository(repository) => Line::Repository { repository },
            CollectEvent::Manifest(repository, digest) => Line::Manifest { repository, digest: text(digest) },
            CollectEvent::Blob(repository, digest) => Line::Blob { repository, digest: text(digest) },
            CollectEvent::EligibleManifest(repository, digest) => {
                Line::EligibleManifest { repository, digest: text(digest) }
            }
            CollectEvent::EligibleBlob(digest, size) => {
                Line::EligibleBlob { digest: text(digest), size: *size }
            }
            CollectEvent::Remnants(uploads, size) => Line::Remnants { uploads: *uploads, size: *size },
            CollectEvent::Warning(text) => Line::Warning { text },
            _ => return,
        });
    }

    /// What became of it, last.
    fn end(&self, collected: &Result<CollectSummary, Failure>) {
        self.bar.finish_and_clear();
        if self.json {
            if let Err(Failure::Collect(CollectError::InDoubt { doubts, .. })) = collected {
                for text in doubts {
                    self.put_line(&Line::Doubt { text });
                }
            }
            let nothing = CollectSummary::default();
            let summary = collected.as_ref().unwrap_or(&nothing);
            let done = collected.as_ref().is_ok_and(|summary| summary.failures == 0);
            self.put_line(&Line::Summary(self.summary(summary, done)));
        } else if let (Ok(summary), false) = (collected, self.quiet) {
            let CollectSummary { deleted_blobs, deleted_manifests, deleted_links, .. } = summary;
            self.put(&if self.dry_run {
                let bytes = summary.eligible_bytes + summary.remnant_bytes;
                format!("dry run: nothing deleted; it would free {bytes} bytes")
            } else {
                let freed_bytes = summary.freed_bytes + summary.remnant_bytes;
                format!(
                    "deleted {deleted_blobs} blobs, {deleted_manifests} manifests and {deleted_links} links; \
                     freed {freed_bytes} bytes"
                )
            });
        }
    }

    fn summary(&self, summary: &CollectSummary, done: bool) -> Summary {
        Summary {
            done,
            dry_run: self.dry_run,
            repositories: summary.repositories,
            marked: summary.marked,
            young_blobs: summary.young_blobs,
            eligible_blobs: summary.eligible_blobs,
            eligible_bytes: summary.eligible_bytes,
            eligible_manifests: summary.eligible_manifests,
            deleted_blobs: summary.deleted_blobs,
            deleted_manifests: summary.deleted_manifests,
            deleted_links: summary.deleted_links,
            freed_bytes: summary.freed_bytes,
            remnants: summary.remnants,
            remnant_bytes: summary.remnant_bytes,
            warnings: summary.warnings,
            failures: summary.failures,
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
