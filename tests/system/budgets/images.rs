//! Whole images, as a real client pushes them.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Counted, KIB, MIB, counted_twice};
use crate::support::content::{digest, random};

/// An image of 20 layers, pushed by skopeo as it pushes all images.
async fn of_20_layers_by_skopeo(mut counted: Counted) {
    for (size, name) in [(256 * KIB, "256 KiB"), (4 * MIB, "4 MiB")] {
        let layout = tempfile::tempdir().unwrap();
        let digests = write_image(layout.path(), size);
        let destination = format!("docker://{}/image/of/{size}:latest", counted.apus.address());
        let copied = Command::new("skopeo")
            .args(["copy", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false"])
            .args([format!("oci:{}:latest", layout.path().display()), destination])
            .output()
            .expect("skopeo is missing: scripts/install-tools installs it");
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        counted.charge(&format!("push of an image of 20 layers of {name} by skopeo"), 190).await;
        for digest in digests {
            let path = format!("/v2/image/of/{size}/blobs/{digest}");
            counted.client().head(&path).await.expect(200);
        }
        counted.forget().await;
    }
    counted.settle();
}

/// Writes an OCI image layout with one image, `latest`, of 20 random layers. Answers their digests.
fn write_image(layout: &Path, layer_size: usize) -> HashSet<String> {
    let blobs = layout.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let add = |content: &[u8]| {
        let digest = digest(content);
        std::fs::write(blobs.join(digest.trim_start_matches("sha256:")), content).unwrap();
        (digest, content.len())
    };
    let descriptor = |media_type: &str, (digest, size): &(String, usize)| json!({ "mediaType": format!("application/vnd.oci.image.{media_type}"), "digest": digest, "size": size });
    // What begins as gzip does is taken for compressed, and left as it is.
    let layers: Vec<_> =
        (0..20).map(|_| add(&[&[0x1f, 0x8b, 8], &*random(layer_size - 3)].concat())).collect();
    let digests: Vec<_> = layers.iter().map(|(digest, _)| digest.clone()).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": digests },
    });
    let config = add(config.to_string().as_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "config": descriptor("config.v1+json", &config),
        "layers": layers.iter().map(|layer| descriptor("layer.v1.tar+gzip", layer)).collect::<Vec<_>>(),
    });
    let mut manifest = descriptor("manifest.v1+json", &add(manifest.to_string().as_bytes()));
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    std::fs::write(layout.join("index.json"), index.to_string()).unwrap();
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    digests.into_iter().collect()
}

counted_twice!(of_20_layers_by_skopeo);
