//! An image, or a list of images, with all that it names: read whole from wherever it lies. Each part has the digest and the
//! size by which it is named, or the test fails.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use crate::support::Client;
use crate::support::content::digest;

pub(super) const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(super) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

const MANIFESTS: [&str; 4] = [OCI_IMAGE, OCI_INDEX, DOCKER_IMAGE, DOCKER_LIST];

/// An image, or a list of images.
pub(super) struct Image {
    manifest: Bytes,
    /// What the manifest names, and what manifests among these name, by digest.
    parts: BTreeMap<String, Bytes>,
}

impl Image {
    /// The image with this tag in an OCI layout.
    pub(super) async fn in_layout(layout: &Path, tag: &str) -> Self {
        let index = parsed(&fs::read(layout.join("index.json")).unwrap());
        let tagged = index["manifests"].as_array().unwrap().iter().find(|described| {
            described["annotations"]["org.opencontainers.image.ref.name"].as_str() == Some(tag)
        });
        let tagged = tagged.unwrap_or_else(|| panic!("no {tag} in {index}"));
        Self::in_blobs(&layout.join("blobs"), text(tagged, "digest")).await
    }

    /// The image with this digest, out of files that are called by their digests, as in an OCI layout.
    pub(super) async fn in_blobs(blobs: &Path, name: &str) -> Self {
        let read = |name: &str| Bytes::from(fs::read(blobs.join(name.replace(':', "/"))).unwrap());
        let manifest = read(name);
        assert_eq!(digest(&manifest), name);
        Self::gather(manifest, async |part| read(text(part, "digest"))).await
    }

    /// The image in a directory as skopeo writes it (`dir:`).
    pub(super) async fn in_directory(directory: &Path) -> Self {
        let manifest = fs::read(directory.join("manifest.json")).unwrap().into();
        Self::gather(manifest, async |part| {
            let name = text(part, "digest").strip_prefix("sha256:").unwrap();
            let suffix = if is_manifest(part) { ".manifest.json" } else { "" };
            fs::read(directory.join(format!("{name}{suffix}"))).unwrap().into()
        })
        .await
    }

    /// The image with this tag or digest in a repository.
    pub(super) async fn in_registry(client: Client, repository: &str, reference: &str) -> Self {
        let get = async |reference: &str| {
            let path = format!("/v2/{repository}/manifests/{reference}");
            let accept = MANIFESTS.join(", ");
            client.request(Method::GET, &path, &[("accept", &accept)], "").await.expect(200)
        };
        let answer = get(reference).await;
        assert_eq!(answer.header("docker-content-digest"), digest(&answer.body));
        Self::gather(answer.body, async |part| {
            let name = text(part, "digest");
            if is_manifest(part) {
                let answer = get(name).await;
                assert_eq!(answer.header("content-type"), text(part, "mediaType"));
                answer.body
            } else {
                client.get(&format!("/v2/{repository}/blobs/{name}")).await.expect(200).body
            }
        })
        .await
    }

    /// The image for one architecture in a list.
    pub(super) async fn for_architecture(&self, architecture: &str) -> Self {
        let manifests = parsed(&self.manifest)["manifests"].clone();
        let mut described = manifests.as_array().unwrap().iter();
        let described =
            described.find(|described| described["platform"]["architecture"].as_str() == Some(architecture));
        let described = described.unwrap_or_else(|| panic!("no {architecture} in {manifests}"));
        let part = |part: &Value| self.parts[text(part, "digest")].clone();
        Self::gather(part(described), async |described| part(described)).await
    }

    /// Reads all that a manifest names.
    async fn gather(manifest: Bytes, read: impl AsyncFn(&Value) -> Bytes) -> Self {
        let mut parts = BTreeMap::new();
        let mut manifests = vec![manifest.clone()];
        while let Some(manifest) = manifests.pop() {
            for part in named(&manifest) {
                let content = read(&part).await;
                assert_eq!(
                    (&*digest(&content), content.len() as u64),
                    (text(&part, "digest"), part["size"].as_u64().unwrap())
                );
                if is_manifest(&part) {
                    manifests.push(content.clone());
                }
                parts.insert(text(&part, "digest").to_owned(), content);
            }
        }
        Self { manifest, parts }
    }

    pub(super) fn manifest(&self) -> &[u8] {
        &self.manifest
    }

    /// The digest of the manifest.
    pub(super) fn digest(&self) -> String {
        digest(&self.manifest)
    }

    /// What the manifest says of its own media type; empty where it says nothing.
    pub(super) fn media_type(&self) -> String {
        parsed(&self.manifest)["mediaType"].as_str().unwrap_or_default().to_owned()
    }

    /// The digest of the configuration, by which clients know an image. The configuration names its unpacked layers by
    /// their digests, so images with the same identifier unpack to the same files, however their layers are packed.
    pub(super) fn id(&self) -> String {
        text(&parsed(&self.manifest)["config"], "digest").to_owned()
    }

    pub(super) fn config(&self) -> &[u8] {
        &self.parts[&self.id()]
    }

    /// The digests of the layers, the lowest first.
    pub(super) fn layers(&self) -> Vec<String> {
        let layers = parsed(&self.manifest)["layers"].clone();
        layers.as_array().unwrap().iter().map(|layer| text(layer, "digest").to_owned()).collect()
    }

    /// The digests of all that the manifest names, and the bytes of each.
    pub(super) fn parts(&self) -> &BTreeMap<String, Bytes> {
        &self.parts
    }

    /// Fails the test unless every byte is the same.
    #[track_caller]
    pub(super) fn assert_same(&self, other: &Self) {
        assert_eq!(self.manifest, other.manifest);
        assert!(self.parts.keys().eq(other.parts.keys()), "other parts");
        // Not assert_eq, which would print them.
        assert!(self.parts == other.parts, "other bytes in the parts");
    }
}

/// The descriptors in a manifest.
fn named(manifest: &[u8]) -> Vec<Value> {
    let manifest = parsed(manifest);
    let lists = [&manifest["manifests"], &manifest["layers"]];
    let lists = lists.into_iter().filter_map(Value::as_array).flatten();
    lists.chain(manifest.get("config")).cloned().collect()
}

fn is_manifest(part: &Value) -> bool {
    MANIFESTS.contains(&text(part, "mediaType"))
}

/// What some JSON says.
pub(super) fn parsed(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}
