//! An image, in the form that skopeo calls `dir`.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::content::{digest, random};

/// An image of one layer, in the form that skopeo calls `dir`. Answers its layer.
pub(crate) fn image(directory: &Path) -> Vec<u8> {
    let layer = random(5 << 20).to_vec();
    let config = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let described = |media_type: &str, content: &[u8]| {
        let name = digest(content);
        fs::write(directory.join(name.trim_start_matches("sha256:")), content).unwrap();
        json!({ "mediaType": media_type, "digest": name, "size": content.len() })
    };
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.image.config.v1+json", config),
        "layers": [described("application/vnd.oci.image.layer.v1.tar+gzip", &layer)],
    });
    fs::write(directory.join("manifest.json"), manifest.to_string()).unwrap();
    fs::write(directory.join("version"), "Directory Transport Version: 1.1\n").unwrap();
    layer
}
