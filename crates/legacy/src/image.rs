//! An image of docker-registry 0.x as one of today: its configuration and its manifest, out of what was said of it and of the
//! images below it, and of what their files have become. The same image gives the same bytes at any time.

use apus_registry::{Algorithm, Digest};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::Description;
use crate::description::Step;
use crate::layer::{Descriptor, Form, Layer};

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

/// A whole image of today, but for its layers' bytes.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) configuration: Bytes,
    /// The digest of the configuration.
    pub(crate) id: Digest,
    pub(crate) manifest: Bytes,
    /// The digest of the manifest.
    pub(crate) digest: Digest,
    /// What the manifest is.
    pub(crate) media_type: &'static str,
    /// From the lowest on.
    pub(crate) layers: Vec<Descriptor>,
}

impl Image {
    /// Of an image that is described so, and rests on a chain of steps and layers: its own are the last.
    pub(crate) fn of(description: &Description, chain: impl IntoIterator<Item = (Step, Layer)>) -> Self {
        let (mut history, mut layers) = (Vec::new(), Vec::new());
        for (step, layer) in chain {
            history.push(step);
            if let Layer::Files(descriptor) = layer {
                layers.push(descriptor);
            }
        }
        let archives: Vec<Digest> = layers.iter().map(|layer| layer.archive.clone()).collect();
        let configuration = Bytes::from(description.configuration(&archives, history));
        let id = Digest::of(Algorithm::Sha256, &configuration);
        let all_compressed = layers.iter().all(|layer| layer.form != Form::Archive);
        let media_types = if all_compressed { &DOCKER } else { &OCI };
        let manifest = Bytes::from(manifest(media_types, &id, configuration.len(), &layers));
        let digest = Digest::of(Algorithm::Sha256, &manifest);
        Self { configuration, id, manifest, digest, media_type: media_types.manifest, layers }
    }
}

fn manifest(media_types: &MediaTypes, id: &Digest, length: usize, layers: &[Descriptor]) -> String {
    let layers: Vec<Value> = layers
        .iter()
        .map(|layer| {
            let media_type =
                if layer.form == Form::Archive { OCI_LAYER_UNCOMPRESSED } else { media_types.layer };
            json!({ "mediaType": media_type, "size": layer.size, "digest": layer.digest.to_string() })
        })
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": media_types.manifest,
        "config": { "mediaType": media_types.configuration, "size": length, "digest": id.to_string() },
        "layers": layers,
    })
    .to_string()
}
