//! One tag as an image of today: configuration, manifest, tag, in this order.

use apus_registry::{
    Algorithm, Digest, Error as RegistryError, KeptTags, MediaType, PutManifest, Reference, RepositoryName,
    Tag,
};
use apus_storage::body;
use bytes::Bytes;
use serde_json::{Value, json};

use super::layer::{Descriptor, Layer};
use super::{Importer, Layers, Reason, TagOutcome, Wanted};
use crate::{Error, Repository};

/// The media types of one kind of image.
struct MediaTypes {
    manifest: &'static str,
    configuration: &'static str,
    layer: &'static str,
}

/// Docker's schema 2, which clients read from Docker 1.10 on.
const DOCKER: MediaTypes = MediaTypes {
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    configuration: "application/vnd.docker.container.image.v1+json",
    layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
};

/// OCI, in which layers need not be compressed.
const OCI: MediaTypes = MediaTypes {
    manifest: "application/vnd.oci.image.manifest.v1+json",
    configuration: "application/vnd.oci.image.config.v1+json",
    layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};
const OCI_LAYER_UNCOMPRESSED: &str = "application/vnd.oci.image.layer.v1.tar";

/// A whole image, before it is written.
struct Image<'a> {
    configuration: Bytes,
    manifest: Bytes,
    media_types: &'static MediaTypes,
    layers: Vec<&'a Descriptor>,
}

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
        let digest = Digest::of(Algorithm::Sha256, &image.manifest);
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

    async fn image_of<'a>(&self, wanted: &Wanted, layers: &'a Layers) -> Result<Image<'a>, Reason> {
        let chain = wanted.chain.as_ref().map_err(Clone::clone)?;
        let (mut descriptors, mut history, mut top) = (Vec::new(), Vec::new(), None);
        for id in chain {
            let layer = match layers.get(id) {
                Some(Ok(layer)) => layer,
                Some(Err(reason)) => return Err(reason.clone().about(id)),
                // Every chain's images were brought, or tried to be.
                None => return Err(Reason::Failed("its layer was not looked at".into()).about(id)),
            };
            let description =
                self.store.image(id).await.map_err(|error| Reason::from(error).about(id))?.description;
            history.push(description.step(matches!(layer, Layer::NoFiles)));
            descriptors.extend(layer.descriptor());
            top = Some(description);
        }
        let Some(top) = top else { return Err(Reason::unfit("it rests on no image")) };
        let archives: Vec<Digest> = descriptors.iter().map(|layer| layer.archive.clone()).collect();
        let configuration = Bytes::from(top.configuration(&archives, history));
        let all_compressed = descriptors.iter().all(|layer| layer.compressed);
        let media_types = if all_compressed { &DOCKER } else { &OCI };
        let manifest = Bytes::from(manifest(media_types, &configuration, &descriptors));
        Ok(Image { configuration, manifest, media_types, layers: descriptors })
    }

    async fn write(
        &self,
        repository: &RepositoryName,
        reference: &Reference,
        image: Image<'_>,
    ) -> Result<(), Reason> {
        for layer in image.layers {
            if !self.has_blob(repository, &layer.digest).await? {
                return Err(Reason::Failed(format!("the layer {} is gone", layer.digest).into()));
            }
        }
        let digest = Digest::of(Algorithm::Sha256, &image.configuration);
        let (length, content) = (image.configuration.len() as u64, body::once(image.configuration));
        self.registry.write_whole(repository, length, content, &digest).await.map_err(Error::from)?;
        let media_type = MediaType::parse(image.media_types.manifest);
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

fn manifest(media_types: &MediaTypes, configuration: &[u8], layers: &[&Descriptor]) -> String {
    let layers: Vec<Value> = layers
        .iter()
        .map(|layer| {
            let media_type = if layer.compressed { media_types.layer } else { OCI_LAYER_UNCOMPRESSED };
            json!({ "mediaType": media_type, "size": layer.size, "digest": layer.digest.to_string() })
        })
        .collect();
    let digest = Digest::of(Algorithm::Sha256, configuration).to_string();
    json!({
        "schemaVersion": 2,
        "mediaType": media_types.manifest,
        "config": { "mediaType": media_types.configuration, "size": configuration.len(), "digest": digest },
        "layers": layers,
    })
    .to_string()
}
