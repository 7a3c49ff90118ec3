//! One tag as an image of today: configuration, manifest, tag, in this order.

use apus_registry::{
    Error as RegistryError, KeptTags, MediaType, PutManifest, Reference, RepositoryName, Tag,
};
use apus_storage::body;

use super::{Importer, Layers, TagOutcome, Wanted};
use crate::image::Image;
use crate::layer::Layer;
use crate::{Error, Reason, Repository};

impl Importer<'_> {
    /// The name that a repository has in the new registry.
    pub(super) fn name_of(&self, repository: &Repository) -> Result<RepositoryName, Reason> {
        let name = if self.options.keep_library { repository.to_string() } else { repository.familiar() };
        RepositoryName::parse(&name).map_err(|error| Reason::unfit(error.to_string()))
    }

    /// The names that a tag has there.
    pub(super) fn reference_of(
        &self,
        repository: &Repository,
        tag: &str,
    ) -> Result<(RepositoryName, Tag), Reason> {
        let tag = Tag::parse(tag).map_err(|error| Reason::unfit(error.to_string()))?;
        Ok((self.name_of(repository)?, tag))
    }

    /// Brings a tag, whose layers are there.
    pub(super) async fn bring_tag(&self, wanted: &Wanted, layers: &Layers) -> Result<TagOutcome, Reason> {
        let (repository, tag) = self.reference_of(&wanted.repository, &wanted.tag)?;
        let image = self.image_of(wanted, layers).await?;
        let digest = image.digest.clone();
        let (name, reference) = (format!("{repository}:{tag}"), Reference::Tag(tag));
        match self.registry.manifest(&repository, &reference).await {
            Ok(there) if there.digest == digest => return Ok(TagOutcome::Unchanged { name, digest }),
            Ok(there) if !self.options.overwrite => {
                return Ok(TagOutcome::Differs { name, digest, there: there.digest });
            }
            Ok(_) | Err(RegistryError::ManifestUnknown { .. }) => {}
            Err(error) => return Err(Error::from(error).into()),
        }
        if !self.options.dry_run {
            self.write(&repository, &reference, image).await?;
        }
        Ok(TagOutcome::Brought { name, digest })
    }

    async fn image_of(&self, wanted: &Wanted, layers: &Layers) -> Result<Image, Reason> {
        let chain = wanted.chain.as_ref().map_err(Clone::clone)?;
        let (mut steps, mut top) = (Vec::new(), None);
        for id in chain {
            let layer = match layers.get(id) {
                Some(Ok(layer)) => layer.clone(),
                Some(Err(reason)) => return Err(reason.clone().about(id)),
                // Every chain's images were brought, or tried to be.
                None => return Err(Reason::Failed("its layer was not looked at".into()).about(id)),
            };
            let description =
                self.store.description(id).await.map_err(|error| Reason::from(error).about(id))?.1;
            steps.push((description.step(layer == Layer::NoFiles), layer));
            top = Some(description);
        }
        let Some(top) = top else { return Err(Reason::unfit("it rests on no image")) };
        Ok(Image::of(&top, steps))
    }

    async fn write(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
        image: Image,
    ) -> Result<(), Reason> {
        for layer in &image.layers {
            if !self.has_blob(repository, &layer.digest).await? {
                return Err(Reason::Failed(format!("the layer {} is gone", layer.digest).into()));
            }
        }
        let (length, content) = (image.configuration.len() as u64, body::once(image.configuration));
        self.registry.write_whole(repository, length, content, &image.id).await.map_err(Error::from)?;
        let media_type = MediaType::parse(image.media_type);
        let put = PutManifest {
            repository,
            reference,
            tags: &[],
            kept: KeptTags::NONE,
            media_type,
            content: image.manifest,
        };
        self.registry.put_manifest(put).await.map_err(Error::from)?;
        Ok(())
    }
}
