//! What a manifest names, as registry:2 lists it: the config and the layers of an image, the manifests of an index. A pure
//! function of the manifest's bytes.

use serde::Deserialize;

use super::Descriptor;

#[derive(Deserialize)]
struct Document {
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

/// The descriptors in a manifest, in its order, the config first. None of what cannot be read as one.
#[must_use]
pub fn descriptors(manifest: &[u8]) -> Vec<Descriptor> {
    let Ok(Document { config, layers, manifests }) = serde_json::from_slice(manifest) else {
        return Vec::new();
    };
    config.into_iter().chain(layers.into_iter().flatten()).chain(manifests.into_iter().flatten()).collect()
}
