//! What the cases push: blobs, manifests, and sets of both.

use bytes::Bytes;
use serde_json::{Value, json};

use super::manifests::Manifest;
use crate::support::content::{digest, digest_512, random};

pub(super) const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Of the content `{}`, where a manifest must name something and has nothing to name.
pub(super) const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// A hash algorithm.
#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(super) const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    fn digest(self, content: &[u8]) -> String {
        match self {
            Self::Sha256 => digest(content),
            Self::Sha512 => digest_512(content),
        }
    }
}

/// Some content, and the digest under which it is pushed.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub(super) digest: String,
    pub(super) content: Bytes,
}

impl Blob {
    pub(super) fn new(content: impl Into<Bytes>, algorithm: Algorithm) -> Self {
        let content = content.into();
        Self { digest: algorithm.digest(&content), content }
    }

    pub(super) fn random(length: usize, algorithm: Algorithm) -> Self {
        Self::new(random(length), algorithm)
    }

    pub(super) fn path(&self, repository: &str) -> String {
        format!("/v2/{repository}/blobs/{}", self.digest)
    }
}

/// An image manifest.
pub(super) fn image_of(config: &Value, layers: &[Value]) -> Value {
    json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "config": config, "layers": layers })
}

/// An index.
pub(super) fn index_of(manifests: &[Value]) -> Value {
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests })
}

/// The same document with this in a field.
pub(super) fn with(mut document: Value, field: &str, value: impl Into<Value>) -> Value {
    document[field] = value.into();
    document
}

/// The same descriptor, said to be for a platform.
pub(super) fn on(descriptor: Value, architecture: &str) -> Value {
    with(descriptor, "platform", json!({ "os": "linux", "architecture": architecture }))
}

/// A set of data: what is pushed, in this order. What is added is answered by its descriptor, as others refer to it.
pub(super) struct DataSet {
    algorithm: Algorithm,
    pub(super) blobs: Vec<Blob>,
    pub(super) manifests: Vec<Manifest>,
}

impl DataSet {
    pub(super) fn new() -> Self {
        Self::by(Algorithm::Sha256)
    }

    /// One whose digests are of this algorithm.
    pub(super) fn by(algorithm: Algorithm) -> Self {
        Self { algorithm, blobs: Vec::new(), manifests: Vec::new() }
    }

    /// Adds a blob, unless it is there already.
    pub(super) fn blob(&mut self, media_type: &str, content: impl Into<Bytes>) -> Value {
        let blob = Blob::new(content, self.algorithm);
        let descriptor =
            json!({ "mediaType": media_type, "digest": blob.digest, "size": blob.content.len() });
        if !self.blobs.iter().any(|known| known.digest == blob.digest) {
            self.blobs.push(blob);
        }
        descriptor
    }

    /// Adds a layer. Nobody but a client looks into one, so it need not be an archive.
    pub(super) fn layer(&mut self) -> Value {
        self.blob(LAYER, random(400))
    }

    /// Adds the configuration of an image.
    pub(super) fn config(&mut self, architecture: &str) -> Value {
        let rootfs = json!({ "type": "layers", "diff_ids": [] });
        let config = json!({ "os": "linux", "architecture": architecture, "rootfs": rootfs });
        self.blob(CONFIG, config.to_string())
    }

    /// Adds what an image of two layers names, and gives its manifest, which is still to be added.
    pub(super) fn image(&mut self, architecture: &str) -> Value {
        let layers = [self.layer(), self.layer()];
        image_of(&self.config(architecture), &layers)
    }

    /// The same for an artifact of this type with one layer.
    pub(super) fn artifact(&mut self, artifact_type: &str) -> Value {
        let content = self.blob(artifact_type, random(2048));
        with(image_of(&self.blob(EMPTY, "{}"), &[content]), "artifactType", artifact_type)
    }

    /// Adds images for two platforms, and gives the index of both, which is still to be added.
    pub(super) fn images(&mut self) -> Value {
        let [one, other] = ["amd64", "arm64"].map(|architecture| {
            let image = self.image(architecture);
            on(self.manifest(image, &[]), architecture)
        });
        index_of(&[one, other])
    }

    /// Adds a manifest with these tags.
    pub(super) fn manifest(&mut self, document: Value, tags: &[&str]) -> Value {
        let Blob { digest, content } = Blob::new(document.to_string(), self.algorithm);
        let descriptor =
            json!({ "mediaType": document["mediaType"], "digest": digest, "size": content.len() });
        let tags = tags.iter().copied().map(str::to_owned).collect();
        self.manifests.push(Manifest { digest, content, document, tags });
        descriptor
    }

    /// The content that a descriptor describes.
    pub(super) fn content(&self, descriptor: &Value) -> &Bytes {
        &self.blobs.iter().find(|blob| blob.digest == descriptor["digest"]).unwrap().content
    }

    /// Takes a blob out again: it is named, and not pushed.
    pub(super) fn withhold(&mut self, descriptor: &Value) {
        self.blobs.retain(|blob| blob.digest != descriptor["digest"]);
    }

    /// All tags, in the order of their bytes, as a list of them has it.
    pub(super) fn tags(&self) -> Vec<String> {
        let mut tags: Vec<_> = self.manifests.iter().flat_map(|manifest| manifest.tags.clone()).collect();
        tags.sort();
        tags
    }
}
