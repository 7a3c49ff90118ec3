//! What `apus import` tells: lines for people or JSON on standard output, and on a terminal how far it is.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use apus_legacy::{ImportEvent, ImportSummary, Reason, TagOutcome};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::DockerRegistry;

/// Tells what happens on standard output, and how far it is on the terminal.
pub(super) struct Printer {
    json: bool,
    dry_run: bool,
    bar: ProgressBar,
    /// Bytes of layers: passed until now, and all.
    passed: AtomicU64,
    all: AtomicU64,
}

/// Something that happened, as JSON.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    Surveyed { repositories: u64, tags: u64, images: u64, bytes: u64 },
    Progress { bytes: u64, of: u64 },
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
    pub(super) fn new(command: &DockerRegistry) -> Self {
        let for_people = std::io::stdout().is_terminal() || command.text;
        Self {
            json: command.json || !for_people,
            dry_run: command.dry_run,
            // Where standard error is no terminal it shows nothing.
            bar: ProgressBar::new_spinner(),
            passed: AtomicU64::new(0),
            all: AtomicU64::new(0),
        }
    }

    pub(super) fn print(&self, event: &ImportEvent<'_>) {
        match event {
            ImportEvent::Surveying(tags) => {
                self.bar.set_message(format!("{tags} tags found"));
                self.bar.tick();
            }
            ImportEvent::Surveyed { bytes, repositories, tags, images } => {
                self.all.store(*bytes, Ordering::Relaxed);
                if self.json {
                    let (repositories, tags, images, bytes) = (*repositories, *tags, *images, *bytes);
                    self.put_line(&Line::Surveyed { repositories, tags, images, bytes });
                }
                self.bar.set_length(*bytes);
                // The template is one of indicatif's own words.
                if let Ok(style) =
                    ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left")
                {
                    self.bar.set_style(style);
                }
            }
            ImportEvent::Read(bytes) => self.advance(*bytes),
            event if self.json => self.put_json(event),
            event => self.put_text(event),
        }
        if let ImportEvent::Image { known: true, size, .. } = event {
            self.advance(*size);
        }
    }

    /// In JSON a line for each hundredth part.
    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        let before = self.passed.fetch_add(bytes, Ordering::Relaxed);
        let (now, of) = (before + bytes, self.all.load(Ordering::Relaxed));
        let part = |bytes: u64| (u128::from(bytes) * 100).checked_div(u128::from(of));
        if self.json && part(before) != part(now) {
            self.put_line(&Line::Progress { bytes: now, of });
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
    pub(super) fn end(&self, summary: Option<&ImportSummary>) {
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
