//! The files of one image on their way into the new registry. They become a blob only when everything has been proven.

use std::sync::Arc;

use apus_registry::{Algorithm, Digest, Error as RegistryError, RepositoryName, Upload};
use apus_storage::ByteStream;
use futures_util::stream;

use super::{ImportEvent, Importer};
use crate::layer::{Destination, Layer, Nowhere, Outcome, Proven, Reading};
use crate::{Error, ImageId, Repository, StoredImage};

/// The files of an image are there.
pub(super) struct Brought {
    pub(super) layer: Layer,
    /// Since an earlier run.
    pub(super) known: bool,
    pub(super) source_size: u64,
}

impl Importer<'_> {
    /// Brings the files of an image, to a repository of the old registry or to whichever has them already.
    pub(super) async fn bring_layer(&self, id: &ImageId, home: &Repository) -> Outcome<Brought> {
        let image = self.store.image(id).await?;
        let home = self.name_of(home)?;
        let source_size = image.layer.as_ref().map_or(0, |info| info.size);
        if let Some(layer) = self.records.find(&image).await?
            && self.is_there(&layer, &home).await?
        {
            return Ok(Brought { layer, known: true, source_size });
        }
        let Proven { layer, checksum } = self.carry(&image, &home).await?;
        if !self.options.dry_run {
            self.records.keep(&image, &checksum, &layer).await?;
        }
        Ok(Brought { layer, known: false, source_size })
    }

    async fn is_there(&self, layer: &Layer, home: &RepositoryName) -> Outcome<bool> {
        match layer {
            Layer::NoFiles => Ok(true),
            Layer::Files(descriptor) => self.has_blob(home, &descriptor.digest).await,
        }
    }

    /// Whether a repository has a blob, or can have it from another one.
    pub(super) async fn has_blob(&self, repository: &RepositoryName, digest: &Digest) -> Outcome<bool> {
        match self.registry.blob_info(repository, digest).await {
            Ok(_) => Ok(true),
            Err(RegistryError::BlobUnknown { .. }) if self.options.dry_run => Ok(false),
            Err(RegistryError::BlobUnknown { .. }) => {
                let mounted = self.registry.mount_blob_from_anywhere(digest, repository).await;
                Ok(mounted.map_err(Error::from)?.is_some())
            }
            Err(error) => Err(Error::from(error).into()),
        }
    }

    async fn carry(&self, image: &StoredImage, home: &RepositoryName) -> Outcome<Proven> {
        let report = Arc::clone(&self.report);
        let reading = Reading {
            store: self.store,
            without_checksum: self.options.without_checksum,
            passed: Arc::new(move |bytes| report(ImportEvent::Read(bytes))),
        };
        if self.options.dry_run {
            return reading.read(image, &mut Nowhere).await;
        }
        let mut staging = Staging { importer: self, home, upload: None };
        let proven = reading.read(image, &mut staging).await;
        match proven.as_ref().ok().and_then(|proven| proven.layer.descriptor()) {
            Some(descriptor) => staging.publish(&descriptor.digest).await?,
            None => staging.drop().await,
        }
        proven
    }
}

/// A blob on its way in.
struct Staging<'a> {
    importer: &'a Importer<'a>,
    home: &'a RepositoryName,
    upload: Option<Upload>,
}

impl Destination for Staging<'_> {
    async fn take(&mut self, content: ByteStream) -> Outcome<()> {
        let registry = self.importer.registry;
        let position = registry.begin_upload(self.home, Algorithm::Sha256);
        let token = registry.upload_token(&position).await.map_err(Error::from)?;
        let upload =
            registry.upload(self.home, position.id().as_str(), Some(&token)).await.map_err(Error::from)?;
        self.upload = Some(registry.append(upload, None, content).await.map_err(Error::from)?);
        Ok(())
    }
}

impl Staging<'_> {
    async fn publish(self, digest: &Digest) -> Outcome<()> {
        let Some(upload) = self.upload else { return Ok(()) };
        let nothing = Box::pin(stream::empty());
        let published = self.importer.registry.finish(upload, None, Some(0), nothing, digest).await;
        published.map_err(Error::from)?;
        Ok(())
    }

    /// What is left if this fails is found by the purging of uploads.
    async fn drop(self) {
        if let Some(upload) = &self.upload {
            let id = upload.position().id().as_str();
            if let Err(error) = self.importer.registry.cancel_upload(self.home, id, None).await {
                tracing::debug!(%error, "an upload was not dropped");
            }
        }
    }
}
