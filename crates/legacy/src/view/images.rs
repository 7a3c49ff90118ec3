//! What an image of the old registry is today: found out by reading it and those below it, each once, and remembered. An image that
//! has come to its end never changes, so what is remembered of one stays true.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use apus_registry::Digest;
use apus_storage::{ErrorKind, Storage, StorageError};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;

use super::failed;
use crate::description::Step;
use crate::image::Image;
use crate::layer::{Descriptor, Layer, Nowhere, Outcome, Proven, Reading};
use crate::record::Records;
use crate::store::LONGEST_CHAIN;
use crate::{ImageId, Reason, Store, StoredImage};

/// Layers that are read at once to find out what they are.
const READ_AT_ONCE: usize = 2;

/// The most that is said of how an image was made, in bytes: far more than is known of any.
const LONGEST_HISTORY: u64 = 32 << 20;

/// How long a layer is taken for damaged before it is read again.
const BELIEF: Duration = Duration::from_mins(10);

/// An image as it is shown.
#[derive(Debug)]
pub(super) struct ShownImage {
    pub(super) image: Image,
    /// Whose the layers are in the old registry, in their order.
    sources: Vec<ImageId>,
}

/// A part of an image that has a digest.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    Manifest,
    Configuration,
    /// The layer of this image of the old registry.
    Layer(&'a ImageId, &'a Descriptor),
}

impl ShownImage {
    pub(super) fn part(&self, digest: &Digest) -> Option<Part<'_>> {
        if *digest == self.image.digest {
            return Some(Part::Manifest);
        }
        if *digest == self.image.id {
            return Some(Part::Configuration);
        }
        let mut layers = self.sources.iter().zip(&self.image.layers);
        layers.find(|(_, layer)| layer.digest == *digest).map(|(source, layer)| Part::Layer(source, layer))
    }

    /// The digests of all its parts.
    pub(super) fn digests(&self) -> impl Iterator<Item = &Digest> {
        let layers = self.image.layers.iter().map(|layer| &layer.digest);
        [&self.image.digest, &self.image.id].into_iter().chain(layers)
    }
}

/// Why an image is not shown.
#[derive(Debug)]
pub(super) enum Hidden {
    /// It cannot be: trying again changes nothing.
    Unfit(Reason),
    /// Nobody knows.
    Failed(StorageError),
}

/// What one image of the old registry adds to those above it.
#[derive(Debug)]
struct Addition {
    parent: Option<ImageId>,
    step: Step,
    layer: Layer,
    /// Bytes that it takes, about.
    weight: u64,
}

#[derive(Debug, Clone)]
enum Looked {
    Read(Arc<Addition>),
    Damaged(Reason, Instant),
}

#[derive(Debug, Clone)]
struct ByWeight;

impl Weighter<ImageId, Looked> for ByWeight {
    fn weight(&self, _id: &ImageId, looked: &Looked) -> u64 {
        match looked {
            Looked::Read(addition) => addition.weight,
            Looked::Damaged(..) => 512,
        }
    }
}

impl Weighter<ImageId, Arc<ShownImage>> for ByWeight {
    fn weight(&self, _id: &ImageId, shown: &Arc<ShownImage>) -> u64 {
        let Image { configuration, manifest, layers, .. } = &shown.image;
        (configuration.len() + manifest.len() + layers.len() * 512 + 1024) as u64
    }
}

/// The images of one store.
#[derive(Debug)]
pub(super) struct Images {
    store: Store,
    records: Records,
    keeps_records: Arc<AtomicBool>,
    additions: Cache<ImageId, Looked, ByWeight>,
    shown: Cache<ImageId, Arc<ShownImage>, ByWeight>,
    reading: Semaphore,
}

impl Images {
    pub(super) fn new(storage: &Arc<dyn Storage>, memory: u64, keeps_records: Arc<AtomicBool>) -> Self {
        let quarter = memory / 4;
        let entries = usize::try_from(quarter / 1024).unwrap_or(usize::MAX).clamp(16, 1 << 20);
        Self {
            store: Store::new(Arc::clone(storage)),
            records: Records::new(Arc::clone(storage)),
            keeps_records,
            additions: Cache::with_weighter(entries, quarter, ByWeight),
            shown: Cache::with_weighter(entries, quarter, ByWeight),
            reading: Semaphore::new(READ_AT_ONCE),
        }
    }

    /// What an image is today, if that is known here.
    pub(super) fn known(&self, id: &ImageId) -> Option<Arc<ShownImage>> {
        self.shown.get(id)
    }

    /// What an image is today. Where nothing is known of it, all its layers are read.
    pub(super) async fn shown(&self, id: &ImageId) -> Result<Arc<ShownImage>, Hidden> {
        self.shown.get_or_insert_async(id, async { Ok(Arc::new(self.put_together(id).await?)) }).await
    }

    async fn put_together(&self, id: &ImageId) -> Result<ShownImage, Hidden> {
        let mut seen = HashSet::new();
        let mut chain = Vec::new();
        let mut said = 0;
        let mut next = Some(id.clone());
        while let Some(id) = next.take() {
            if chain.len() == LONGEST_CHAIN || !seen.insert(id.clone()) {
                let reason = format!("its images form a circle, or more than {LONGEST_CHAIN} steps");
                return Err(Hidden::Unfit(Reason::unfit(reason)));
            }
            let addition = self.addition(&id).await?;
            said += addition.weight;
            if said > LONGEST_HISTORY {
                return Err(Hidden::Unfit(Reason::unfit("its images have too long a history")));
            }
            next.clone_from(&addition.parent);
            chain.push((id, addition));
        }
        let (_, description) = self.store.description(id).await.map_err(|error| hidden(error, id))?;
        let from_lowest = || chain.iter().rev();
        let steps = from_lowest().map(|(_, addition)| (addition.step.clone(), addition.layer.clone()));
        let image = Image::of(&description, steps);
        let with_files = from_lowest().filter(|(_, addition)| addition.layer != Layer::NoFiles);
        let sources = with_files.map(|(id, _)| id.clone()).collect();
        Ok(ShownImage { image, sources })
    }

    /// What one image adds. Asked for by many, it is found out once.
    async fn addition(&self, id: &ImageId) -> Result<Arc<Addition>, Hidden> {
        loop {
            let looked = self.additions.get_or_insert_async(id, self.look_at(id)).await?;
            match looked {
                Looked::Read(addition) => return Ok(addition),
                Looked::Damaged(reason, since) if since.elapsed() < BELIEF => {
                    return Err(Hidden::Unfit(reason.about(id)));
                }
                Looked::Damaged(..) => drop(self.additions.remove(id)),
            }
        }
    }

    async fn look_at(&self, id: &ImageId) -> Result<Looked, Hidden> {
        let image = self.store.image(id).await.map_err(|error| hidden(error, id))?;
        image.readable(false).map_err(|reason| Hidden::Unfit(reason.about(id)))?;
        let known = self.records.find(&image).await.map_err(|error| hidden(error, id))?;
        let layer = match known {
            Some(layer) => layer,
            None => match self.read(&image).await {
                Ok(layer) => layer,
                Err(reason @ Reason::Unfit(_)) => return Ok(Looked::Damaged(reason, Instant::now())),
                Err(Reason::Failed(reason)) => {
                    let error = StorageError::new(ErrorKind::UNAVAILABLE, "read layer", id);
                    return Err(Hidden::Failed(error.with_source(&*reason)));
                }
            },
        };
        let step = image.description.step(layer == Layer::NoFiles);
        let weight = step.length() as u64 + 1024;
        let addition = Addition { parent: image.description.parent, step, layer, weight };
        Ok(Looked::Read(Arc::new(addition)))
    }

    async fn read(&self, image: &StoredImage) -> Outcome<Layer> {
        // It is never closed.
        let _turn = self.reading.acquire().await.ok();
        tracing::info!(image = %image.id, "reading a layer of docker-registry 0.x, to show it as one of today");
        let reading = Reading { store: &self.store, without_checksum: false, passed: Arc::new(|_| {}) };
        let Proven { layer, checksum } = reading.read(image, &mut Nowhere).await?;
        if self.keeps_records.load(Ordering::Relaxed)
            && let Err(error) = self.records.keep(image, &checksum, &layer).await
        {
            tracing::warn!(image = %image.id, %error, "what its layer is today is not kept, and found out again");
        }
        Ok(layer)
    }

    /// Forgets what an image of the old registry adds, for it turned out to be otherwise.
    pub(super) async fn forget(&self, id: &ImageId) {
        self.additions.remove(id);
        self.shown.clear();
        if self.keeps_records.load(Ordering::Relaxed)
            && let Err(error) = self.records.forget(id).await
        {
            tracing::warn!(image = %id, %error, "what its layer was taken for is still kept");
        }
    }
}

fn hidden(error: crate::Error, id: &ImageId) -> Hidden {
    if error.is_lasting() {
        Hidden::Unfit(Reason::from(error).about(id))
    } else {
        Hidden::Failed(failed(error, "read image", id))
    }
}
