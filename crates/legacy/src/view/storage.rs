//! The contract of storage over what is shown. What an old registry has nothing of is not there; nothing can be written.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use apus_registry::Digest;
use apus_storage::{
    Body, ByteRange, ByteStream, Checkpoint, ErrorKind, Freshness, ListPage, ListRequest, ObjectInfo,
    ObjectName, ObjectReader, Outcome, Publication, Result, StageEntry, StageId, StagePosition,
    StageRevision, StageState, Storage, StorageError, UrlMethod, WriteMode,
};
use async_trait::async_trait;
use bytes::Bytes;
use tracing::Instrument as _;

use super::content::{info, read_bytes};
use super::images::{Hidden, Part, ShownImage};
use super::names::Shown;
use super::{View, known};
use crate::layer::Descriptor;
use crate::{ImageId, Repository};

/// What is asked for.
enum Found {
    /// It is made up here.
    Bytes(Bytes),
    /// The bytes of a layer of an image of the old registry.
    Layer(ImageId, Descriptor),
}

#[async_trait]
impl Storage for View {
    fn backend(&self) -> &'static str {
        self.0.storage.backend()
    }

    async fn stat(&self, name: &ObjectName, freshness: Freshness) -> Result<Option<ObjectInfo>> {
        match self.find(name).await? {
            None => Ok(None),
            Some(Found::Bytes(content)) => Ok(Some(info(content.len() as u64))),
            Some(Found::Layer(source, layer)) => self.stat_layer(&source, &layer, freshness).await,
        }
    }

    async fn read(
        &self,
        name: &ObjectName,
        range: ByteRange,
        freshness: Freshness,
    ) -> Result<Option<ObjectReader>> {
        match self.find(name).await? {
            None => Ok(None),
            Some(Found::Bytes(content)) => Ok(Some(read_bytes(&content, range))),
            Some(Found::Layer(source, layer)) => self.read_layer(&source, &layer, range, freshness).await,
        }
    }

    async fn write(&self, name: &ObjectName, _body: Body, _mode: WriteMode) -> Result<Publication> {
        Err(refused("write", name))
    }

    async fn touch(&self, name: &ObjectName) -> Result<Outcome> {
        Err(refused("touch", name))
    }

    async fn delete(&self, names: &[ObjectName]) -> Vec<Result<Outcome>> {
        names.iter().map(|name| Err(refused("delete", name))).collect()
    }

    async fn list(&self, request: &ListRequest) -> Result<ListPage> {
        self.list_shown(request).await
    }

    /// Layers that are shown as they are have the old registry's.
    async fn temporary_url(
        &self,
        name: &ObjectName,
        method: UrlMethod,
        lifetime: Duration,
    ) -> Result<Option<String>> {
        let Some(Shown::Content(digest)) = Shown::parse(name) else { return Ok(None) };
        // Nothing is asked or read for it: without, the bytes go through here.
        let image = self.0.places.image_known_here(&digest).and_then(|id| self.0.images.known(&id));
        let Some(image) = image else { return Ok(None) };
        let Some(Part::Layer(source, layer)) = image.part(&digest) else { return Ok(None) };
        match Self::object_of(source, layer)? {
            Some(object) => self.0.storage.temporary_url(&object, method, lifetime).await,
            None => Ok(None),
        }
    }

    async fn stage_state(&self, _: &StageId, _: Option<&StageRevision>) -> Result<Option<StageState>> {
        Ok(None)
    }

    async fn stage_append(
        &self,
        stage: &StageId,
        _position: StagePosition<'_>,
        _stream: ByteStream,
        _checkpoint: Checkpoint,
    ) -> Result<StageState> {
        Err(refused("append", stage.as_str()))
    }

    async fn stage_read(&self, stage: &StageId, _: &StageRevision) -> Result<ByteStream> {
        Err(StorageError::new(ErrorKind::StageMoved, "read stage", stage.as_str()))
    }

    async fn stage_publish(
        &self,
        stage: &StageId,
        _: &StageRevision,
        _: &ObjectName,
        _: WriteMode,
    ) -> Result<Publication> {
        Err(StorageError::new(ErrorKind::StageMoved, "publish", stage.as_str()))
    }

    async fn stage_drop(&self, _: &StageId) -> Result<Outcome> {
        Ok(Outcome::Absent)
    }

    async fn stage_modified(&self, _: &StageId) -> Result<Option<SystemTime>> {
        Ok(None)
    }

    async fn stage_list(&self, _: Option<&StageId>, _: usize) -> Result<Vec<StageEntry>> {
        Ok(Vec::new())
    }
}

fn refused(operation: &'static str, object: impl std::fmt::Display) -> StorageError {
    StorageError::new(ErrorKind::Denied, operation, object)
        .with_advice("images of docker-registry 0.x are only shown here: import them, or push by version 1")
}

impl View {
    async fn find(&self, name: &ObjectName) -> Result<Option<Found>> {
        let link = |digest: &Digest| Some(Found::Bytes(digest.to_string().into()));
        match Shown::parse(name) {
            None => Ok(None),
            Some(Shown::Tag(repository, tag)) => {
                let image = self.tagged(&repository, &tag).await?;
                Ok(image.and_then(|image| link(&image.image.digest)))
            }
            Some(Shown::Manifest(repository, digest)) => {
                let image = self.image_with(&repository, &digest).await?;
                let part = image.as_ref().and_then(|image| image.part(&digest));
                Ok(matches!(part, Some(Part::Manifest)).then(|| link(&digest)).flatten())
            }
            Some(Shown::Blob(repository, digest)) => {
                let image = self.image_with(&repository, &digest).await?;
                let part = image.as_ref().and_then(|image| image.part(&digest));
                Ok(matches!(part, Some(Part::Configuration | Part::Layer(..)))
                    .then(|| link(&digest))
                    .flatten())
            }
            Some(Shown::Content(digest)) => self.content(digest).await,
        }
    }

    /// The bytes of something that has been found in a repository just now.
    async fn content(&self, digest: Digest) -> Result<Option<Found>> {
        let image = match self.0.places.image(&digest).await? {
            Some(id) => match self.shown(&id).await {
                Ok(image) => Some(image),
                Err(Hidden::Unfit(_)) => None,
                Err(Hidden::Failed(error)) => return Err(error),
            },
            None => None,
        };
        let found = image.as_ref().and_then(|image| match image.part(&digest)? {
            Part::Manifest => Some(Found::Bytes(image.image.manifest.clone())),
            Part::Configuration => Some(Found::Bytes(image.image.configuration.clone())),
            Part::Layer(source, layer) => Some(Found::Layer(source.clone(), layer.clone())),
        });
        if found.is_none() {
            self.0.places.forget(&digest).await;
            // Some repository may have it: that is found out by asking for it there.
            return Err(StorageError::new(ErrorKind::UNAVAILABLE, "read", digest)
                .with_source("which image it is of is not remembered any more"));
        }
        Ok(found)
    }

    /// The image that a tag means; `None` where there is none that can be shown, which is told.
    async fn tagged(&self, repository: &Repository, tag: &str) -> Result<Option<Arc<ShownImage>>> {
        let answer = self.0.registry.tag(repository, tag).await;
        let Some(id) = known(answer, "read tag", repository)? else { return Ok(None) };
        match self.shown(&id).await {
            Ok(image) => {
                self.0.places.keep(repository, tag, &id, &image).await;
                Ok(Some(image))
            }
            Err(Hidden::Unfit(reason)) => {
                tracing::warn!(%repository, tag, %reason, "the tag is not shown");
                Ok(None)
            }
            Err(Hidden::Failed(error)) => Err(error),
        }
    }

    /// An image that has a digest, and that a tag of the repository means.
    async fn image_with(&self, repository: &Repository, digest: &Digest) -> Result<Option<Arc<ShownImage>>> {
        if let Some(tag) = self.0.places.tag(repository, digest)
            && let Some(image) = self.tagged(repository, &tag).await?
            && image.part(digest).is_some()
        {
            return Ok(Some(image));
        }
        let Some(tags) = known(self.0.registry.tags(repository).await, "list tags", repository)? else {
            return Ok(None);
        };
        let remembered = self.0.places.image(digest).await?;
        let is_remembered = |id: &&ImageId| remembered.as_ref() == Some(*id);
        // The one that is remembered first; then those of which less is known.
        let (first, others): (Vec<_>, Vec<_>) = tags.iter().partition(|(_, id)| is_remembered(id));
        let mut failure = None;
        for (tag, id) in first.into_iter().take(1).chain(others) {
            match self.shown(id).await {
                Ok(image) if image.part(digest).is_some() => {
                    self.0.places.keep(repository, tag, id, &image).await;
                    return Ok(Some(image));
                }
                Ok(_) | Err(Hidden::Unfit(_)) => {}
                Err(Hidden::Failed(error)) => failure = Some(error),
            }
        }
        // One that could not be looked at may be the one.
        failure.map_or(Ok(None), Err)
    }

    /// What an image is today. What is begun for somebody goes on when he has gone, so that the next one finds it done.
    async fn shown(&self, id: &ImageId) -> Result<Arc<ShownImage>, Hidden> {
        if let Some(image) = self.0.images.known(id) {
            return Ok(image);
        }
        let (view, image) = (self.clone(), id.clone());
        let shown = async move { view.0.images.shown(&image).await };
        let shown = tokio::spawn(shown.in_current_span());
        shown.await.unwrap_or_else(|error| {
            let failed = StorageError::new(ErrorKind::Unexpected, "read image", id);
            Err(Hidden::Failed(failed.with_source(error)))
        })
    }
}
