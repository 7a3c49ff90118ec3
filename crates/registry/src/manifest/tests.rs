use super::*;
use crate::Algorithm;

fn digest(text: &str) -> Digest {
    Digest::of(Algorithm::Sha256, text.as_bytes())
}

fn media_type(text: &str) -> MediaType {
    MediaType::parse(text).unwrap()
}

fn image() -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{OCI_MANIFEST}","unknown":[1],
            "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":1}},
            "layers":[{{"mediaType":"a/b","digest":"{}","size":1}},
                      {{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip","digest":"{}","size":1}}]}}"#,
        digest("config"),
        digest("layer"),
        digest("elsewhere")
    )
}

#[test]
fn an_image_names_its_blobs() {
    let outline = Outline::of_pushed(image().as_bytes(), Some(&media_type(OCI_MANIFEST))).unwrap();
    assert_eq!(outline.media_type.as_str(), OCI_MANIFEST);
    assert_eq!(outline.blobs, [digest("layer"), digest("config")]);
    assert!(outline.manifests.is_empty());
}

#[test]
fn an_index_names_its_manifests() {
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{OCI_MANIFEST}","digest":"{}","size":1}}]}}"#,
        digest("child")
    );
    let outline = Outline::of(index.as_bytes()).unwrap();
    assert_eq!((outline.media_type.as_str(), outline.manifests), (OCI_INDEX, vec![digest("child")]));
}

#[test]
fn a_document_without_a_type_is_known_by_its_shape() {
    let docker = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{}"}}}}"#,
        digest("config")
    );
    for (content, expected) in [
        (docker.as_str(), DOCKER_MANIFEST),
        (r#"{"schemaVersion":2,"layers":[]}"#, OCI_MANIFEST),
        (r#"{"schemaVersion":1,"fsLayers":[]}"#, SCHEMA_1_SIGNED),
        (r#"{"manifests":[]}"#, OCI_INDEX),
    ] {
        assert_eq!(Outline::of(content.as_bytes()).unwrap().media_type.as_str(), expected, "{content}");
    }
}

#[test]
fn what_cannot_be_stored_is_refused_with_the_reason() {
    let both = r#"{"schemaVersion":2,"manifests":[],"layers":[]}"#;
    let schema_1 = r#"{"schemaVersion":1,"fsLayers":[]}"#;
    let image = image();
    let bad_digest = r#"{"schemaVersion":2,"layers":[{"digest":"sha256:../../x"}]}"#;
    for (content, declared, reason) in [
        ("", OCI_MANIFEST, "no manifest in JSON"),
        ("[]", OCI_MANIFEST, "no manifest in JSON"),
        (both, OCI_INDEX, "an image and an index at once"),
        (schema_1, SCHEMA_1_SIGNED, "schema 1"),
        (image.as_str(), OCI_INDEX, "it was sent as"),
        (image.as_str(), SCHEMA_1, "schema 1"),
        (bad_digest, OCI_MANIFEST, "cannot be followed"),
        (r#"{"mediaType":"no type"}"#, OCI_MANIFEST, "mediaType is none"),
    ] {
        let error = Outline::of_pushed(content.as_bytes(), Some(&media_type(declared))).unwrap_err();
        assert!(error.to_string().contains(reason), "{content}: {error}");
    }
}

#[test]
fn media_types_are_taken_without_their_parameters() {
    assert_eq!(media_type("application/json; charset=utf-8").as_str(), "application/json");
    for text in ["", "json", "a/", "/b", "a/b/c", "a b/c", "a/b\nc", "ä/b"] {
        assert_eq!(MediaType::parse(text), None, "{text:?}");
    }
}
