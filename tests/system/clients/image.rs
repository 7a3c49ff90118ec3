//! An image, read whole from an OCI layout or from a registry: each of its parts has the digest and the size by which it is
//! named, or the test fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use crate::support::Client;
use crate::support::backend::variable;
use crate::support::content::digest;

/// Of every image here.
pub(super) const TAG: &str = "latest";

/// What the layers of the test image hold, compressed, and how many there are, at least.
const LEAST_BYTES: usize = 60_000_000;
const LEAST_LAYERS: usize = 3;

/// The kinds of manifest that clients push.
const MANIFESTS: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// An image.
pub(super) struct Image {
    manifest: Bytes,
    config: Bytes,
    /// By digest.
    layers: BTreeMap<String, Bytes>,
}

/// The test image, and the OCI layout in which it lies.
pub(super) fn test_image() -> (PathBuf, Image) {
    let layout = PathBuf::from(variable("APUS_TEST_IMAGE"));
    let image = Image::in_layout(&layout);
    let bytes: usize = image.layers.values().map(Bytes::len).sum();
    assert!(
        image.layers.len() >= LEAST_LAYERS && bytes >= LEAST_BYTES,
        "{} layers, {bytes} bytes",
        image.layers.len()
    );
    (layout, image)
}

impl Image {
    pub(super) fn in_layout(layout: &Path) -> Self {
        let read = |part: &Value| {
            let path = layout.join("blobs").join(text(part, "digest").replace(':', "/"));
            checked(part, fs::read(&path).unwrap().into())
        };
        let index = json(&fs::read(layout.join("index.json")).unwrap());
        let described = &index["manifests"][0];
        assert_eq!(text(&described["annotations"], "org.opencontainers.image.ref.name"), TAG);
        let manifest = read(described);
        let parts = json(&manifest);
        let layers = parts["layers"].as_array().unwrap();
        Self {
            config: read(&parts["config"]),
            layers: layers.iter().map(|layer| (text(layer, "digest").to_owned(), read(layer))).collect(),
            manifest,
        }
    }

    pub(super) async fn in_registry(client: Client, repository: &str) -> Self {
        let path = format!("/v2/{repository}/manifests/{TAG}");
        let answer = client.request(Method::GET, &path, &[("accept", MANIFESTS)], "").await.expect(200);
        assert_eq!(answer.header("docker-content-digest"), digest(&answer.body));
        let parts = json(&answer.body);
        let mut image = Self {
            config: blob(client, repository, &parts["config"]).await,
            layers: BTreeMap::new(),
            manifest: answer.body,
        };
        for layer in parts["layers"].as_array().unwrap() {
            image.layers.insert(text(layer, "digest").to_owned(), blob(client, repository, layer).await);
        }
        image
    }

    pub(super) fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// The digest of the manifest.
    pub(super) fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// The digest of the configuration, by which clients know an image. The configuration names its unpacked layers by
    /// their digests, so images with the same identifier unpack to the same files, however their layers are packed.
    pub(super) fn id(&self) -> String {
        digest(&self.config)
    }

    /// Fails the test unless every byte is the same.
    #[track_caller]
    pub(super) fn assert_same(&self, other: &Self) {
        assert_eq!(self.manifest, other.manifest);
        assert_eq!(self.config, other.config);
        assert!(self.layers.keys().eq(other.layers.keys()), "other layers");
        // Not assert_eq, which would print them.
        assert!(self.layers == other.layers, "other bytes in the layers");
    }
}

async fn blob(client: Client, repository: &str, part: &Value) -> Bytes {
    let path = format!("/v2/{repository}/blobs/{}", text(part, "digest"));
    checked(part, client.get(&path).await.expect(200).body)
}

/// What a descriptor describes.
fn checked(part: &Value, content: Bytes) -> Bytes {
    assert_eq!(
        (&*digest(&content), content.len() as u64),
        (text(part, "digest"), part["size"].as_u64().unwrap())
    );
    content
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}
