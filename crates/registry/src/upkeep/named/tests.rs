use serde_json::json;

use super::*;
use crate::Algorithm;

fn sha256(content: &str) -> Digest {
    Digest::of(Algorithm::Sha256, content.as_bytes())
}

fn named(document: &Value) -> Named {
    Named::by(document.to_string().as_bytes()).unwrap()
}

#[test]
fn an_image_names_its_config_and_all_layers() {
    let image = json!({
        "schemaVersion": 2,
        "config": {"digest": sha256("config").to_string()},
        "layers": [
            {"digest": sha256("layer").to_string()},
            {"digest": sha256("foreign").to_string(), "urls": ["http://elsewhere"],
             "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"},
        ],
        "subject": {"digest": sha256("subject").to_string()},
        "annotations": {"digest": sha256("word").to_string()},
    });
    let named = named(&image);
    let mut all = named.all;
    all.sort();
    let mut expected = [sha256("config"), sha256("layer"), sha256("foreign")];
    expected.sort();
    assert_eq!(all, expected);
    assert_eq!(named.subject, Some(sha256("subject")));
    assert!(named.manifests.is_empty());
}

#[test]
fn an_index_names_its_manifests() {
    let index = json!({"manifests": [{"digest": sha256("child").to_string()}, {"digest": "sha384:00"}]});
    let named = named(&index);
    assert_eq!((named.all, named.manifests), (vec![sha256("child")], vec![sha256("child")]));
}

#[test]
fn schema_1_and_what_nobody_knows_yet() {
    let signed = json!({"schemaVersion": 1, "fsLayers": [{"blobSum": sha256("layer").to_string()}]});
    assert_eq!(named(&signed).all, [sha256("layer")]);
    let future = json!({"parts": {"by-platform": [{"digest": sha256("part").to_string()}]}});
    assert_eq!(named(&future).all, [sha256("part")]);
}

#[test]
fn what_is_no_manifest_is_told() {
    for text in ["", "[]", "\"sha256\"", "{\"layers\":", "PK"] {
        Named::by(text.as_bytes()).unwrap_err();
    }
}
