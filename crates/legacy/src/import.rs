//! The way out of docker-registry 0.x: its images become images of today, in a registry of today.
//!
//! 1. `survey` finds all tags and the images that they rest on, and tells what cannot come over.
//! 2. `files` brings the files of each image, once: they are read once and proven on the way, by [`crate::layer`].
//! 3. `tag` writes configuration and manifest of each tag.
//!
//! Nothing is guessed: what is unfinished, damaged or not proven is told and left where it is. What was brought is remembered
//! ([`crate::record`]), so a run that was stopped is taken up by the next one, and a run after the last changes nothing. The old
//! registry's objects are only read.

mod files;
mod survey;
mod tag;

use std::collections::HashMap;
use std::sync::Arc;

use apus_registry::{Digest, Registry};
use apus_storage::Storage;
use futures_util::{StreamExt as _, stream};

use crate::layer::Layer;
use crate::record::Records;
use crate::{ImageId, Reason, Repository, Result, Store};
use survey::{Survey, Wanted};

/// How images are brought over.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub struct ImportOptions {
    /// Read and prove everything, and write nothing.
    pub dry_run: bool,
    /// Move tags that are there already and mean something else. Otherwise they stay, and are told.
    pub overwrite: bool,
    /// Bring images too of which the old registry kept no checksum, as long as their archives can be read to their ends.
    pub without_checksum: bool,
    /// Keep the namespace `library` in the names of repositories. Otherwise they get the names by which clients know them.
    pub keep_library: bool,
    /// Layers at once; 0 counts as 1. Each needs some MiB of memory, more if it is in xz.
    pub parallel: usize,
}

impl Default for ImportOptions {
    /// Proven images only, four layers at once, tags that are there stay.
    fn default() -> Self {
        Self { dry_run: false, overwrite: false, without_checksum: false, keep_library: false, parallel: 4 }
    }
}

/// What happens while images are brought over.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImportEvent<'a> {
    /// So many tags were found until now.
    Surveying(u64),
    /// All that is there. The layers' bytes are those that will be read, unless they were brought before.
    Surveyed {
        /// Repositories with a tag.
        repositories: u64,
        /// Tags.
        tags: u64,
        /// Images that tags rest on and that can be brought, as far as is known by now.
        images: u64,
        /// Bytes of their layers.
        bytes: u64,
    },
    /// So many bytes of layers were read.
    Read(u64),
    /// The files of an image are there, now or since an earlier run.
    Image {
        /// Which image.
        image: &'a ImageId,
        /// The layer that they became; `None` where there were none.
        layer: Option<&'a Digest>,
        /// Whether an earlier run had brought them.
        known: bool,
        /// Bytes of its layer in the old registry.
        size: u64,
    },
    /// The files of an image do not come over.
    ImageLeft {
        /// Which image.
        image: &'a ImageId,
        /// Why, and whether that may be otherwise the next time.
        reason: &'a Reason,
    },
    /// A tag is done.
    Tag {
        /// In the old registry.
        repository: &'a Repository,
        /// In the old registry.
        tag: &'a str,
        /// What became of it.
        outcome: &'a TagOutcome,
    },
    /// A repository that the old registry kept private. Registries of today have no such mark: who may read it is the policy's
    /// matter.
    Private(&'a Repository),
}

/// What became of a tag.
#[derive(Debug)]
pub enum TagOutcome {
    /// It is there now, or with a dry run would be.
    Brought {
        /// Under this name.
        name: String,
        /// As this manifest.
        digest: Digest,
    },
    /// It was there before, as the same manifest.
    Unchanged {
        /// Under this name.
        name: String,
        /// As this manifest.
        digest: Digest,
    },
    /// It is there and means another manifest, and stays so.
    Differs {
        /// Under this name.
        name: String,
        /// The manifest that it would have become.
        digest: Digest,
        /// The manifest that it means.
        there: Digest,
    },
    /// It does not come over.
    Left(Reason),
}

/// How it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportSummary {
    /// Repositories with a tag.
    pub repositories: u64,
    /// Tags that were found.
    pub tags: u64,
    /// Tags that came over, or with a dry run would.
    pub brought_tags: u64,
    /// Tags that were there as they should be.
    pub unchanged_tags: u64,
    /// Tags that were there and mean something else.
    pub differing_tags: u64,
    /// Tags that are left for what is stored.
    pub unfit_tags: u64,
    /// Tags that are left for something that did not work.
    pub failed_tags: u64,
    /// Images whose files came over.
    pub brought_images: u64,
    /// Images whose files an earlier run had brought.
    pub known_images: u64,
    /// Images that are left.
    pub left_images: u64,
    /// Bytes of layers that were read.
    pub read_bytes: u64,
}

/// Who is told what happens. Called from any thread.
pub type ImportReport = Arc<dyn Fn(ImportEvent<'_>) + Send + Sync>;

/// Brings the images of an old registry into a new one, whose storage also keeps the records of it.
///
/// Idempotent: what is there is not written again. Any number of tags, with some 300 bytes of memory for each tag and image.
///
/// # Errors
/// Only when the old registry's tags cannot be listed. What else goes wrong is told, and counted in the summary.
pub async fn import(
    store: &Store,
    registry: &Registry,
    storage: Arc<dyn Storage>,
    options: &ImportOptions,
    report: ImportReport,
) -> Result<ImportSummary> {
    let records = Records::new(storage);
    Importer { store, registry, records, options, report }.run().await
}

struct Importer<'a> {
    store: &'a Store,
    registry: &'a Registry,
    records: Records,
    options: &'a ImportOptions,
    report: ImportReport,
}

impl Importer<'_> {
    async fn run(&self) -> Result<ImportSummary> {
        let survey = Survey::of(self).await?;
        let mut summary = ImportSummary {
            repositories: survey.repositories,
            tags: survey.tags.len() as u64,
            ..ImportSummary::default()
        };
        let layers = self.bring_layers(&survey, &mut summary).await;
        for wanted in &survey.tags {
            let outcome = self.bring_tag(wanted, &layers).await.unwrap_or_else(TagOutcome::Left);
            *match &outcome {
                TagOutcome::Brought { .. } => &mut summary.brought_tags,
                TagOutcome::Unchanged { .. } => &mut summary.unchanged_tags,
                TagOutcome::Differs { .. } => &mut summary.differing_tags,
                TagOutcome::Left(Reason::Unfit(_)) => &mut summary.unfit_tags,
                TagOutcome::Left(Reason::Failed(_)) => &mut summary.failed_tags,
            } += 1;
            let Wanted { repository, tag, .. } = wanted;
            (self.report)(ImportEvent::Tag { repository, tag, outcome: &outcome });
        }
        Ok(summary)
    }

    async fn bring_layers(&self, survey: &Survey, summary: &mut ImportSummary) -> Layers {
        let mut bringing = stream::iter(&survey.images)
            .map(|(image, home)| async move { (image, self.bring_layer(image, home).await) })
            .buffer_unordered(self.options.parallel.max(1));
        let mut layers = Layers::new();
        while let Some((image, brought)) = bringing.next().await {
            let layer = match brought {
                Ok(brought) => {
                    let layer = brought.layer.descriptor().map(|descriptor| &descriptor.digest);
                    let (known, size) = (brought.known, brought.source_size);
                    (self.report)(ImportEvent::Image { image, layer, known, size });
                    if known {
                        summary.known_images += 1;
                    } else {
                        summary.brought_images += 1;
                        summary.read_bytes += size;
                    }
                    Ok(brought.layer)
                }
                Err(reason) => {
                    (self.report)(ImportEvent::ImageLeft { image, reason: &reason });
                    summary.left_images += 1;
                    Err(reason)
                }
            };
            layers.insert(image.clone(), layer);
        }
        layers
    }
}

/// What became of the files of each image.
type Layers = HashMap<ImageId, std::result::Result<Layer, Reason>>;

#[cfg(test)]
mod tests;
