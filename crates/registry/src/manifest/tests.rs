use proptest::prelude::*;

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
    let child = Child { digest: digest("child"), may_be_index: false, platform: None };
    assert_eq!((outline.media_type.as_str(), outline.manifests), (OCI_INDEX, vec![child]));
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
        (r#"{"schemaVersion":1,"fsLayers":[]}"#, SCHEMA_1),
        (r#"{"schemaVersion":1,"fsLayers":[],"signatures":[]}"#, SCHEMA_1_SIGNED),
        (r#"{"manifests":[]}"#, OCI_INDEX),
    ] {
        assert_eq!(Outline::of(content.as_bytes()).unwrap().media_type.as_str(), expected, "{content}");
    }
}

#[test]
fn a12_what_cannot_be_stored_is_refused_with_the_reason() {
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
        (image.as_str(), DOCKER_MANIFEST, "it was sent as"),
        (r#"{"manifests":[]}"#, OCI_MANIFEST, "the shape of an index"),
        (&format!(r#"{{"mediaType":"{OCI_INDEX}","layers":[]}}"#), OCI_INDEX, "the shape of an image"),
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

/// As registry:2 serves it: a pretty JWS, and as it stores it: the same without the signatures.
fn schema_1(signatures: &str) -> String {
    format!(
        r#"{{
   "schemaVersion": 1,
   "name": "library/old",
   "tag": "latest",
   "architecture": "amd64",
   "fsLayers": [{{ "blobSum": "{}" }}],
   "history": [{{ "v1Compatibility": "{{\"id\":\"a\",\"config\":{{}},\"container_config\":null}}" }}]{signatures}
}}"#,
        digest("layer")
    )
}

const SIGNATURES: &str = r#",
   "signatures": [{ "header": { "jwk": { "kty": "EC" }, "alg": "ES256" }, "signature": "c2ln", "protected": "cHJvdA" }]"#;

#[test]
fn schema_1_is_known_and_refers_to_nothing() {
    for (signatures, expected) in [(SIGNATURES, SCHEMA_1_SIGNED), ("", SCHEMA_1)] {
        let outline = Outline::of(schema_1(signatures).as_bytes()).unwrap();
        assert_eq!(outline.media_type.as_str(), expected);
        assert!(outline.media_type.is_schema_1() && !outline.is_index);
        assert!(outline.blobs.is_empty() && outline.manifests.is_empty() && outline.subject.is_none());
        let refused = Outline::of_pushed(schema_1(signatures).as_bytes(), None).unwrap_err();
        assert!(refused.to_string().contains("push with a client that writes schema 2"), "{refused}");
    }
    assert!(!media_type(OCI_MANIFEST).is_schema_1());
}

#[test]
fn an_index_tells_of_its_manifests_what_they_may_be() {
    let child = |rest: &str| format!(r#"{{"digest":"{}"{rest}}}"#, digest("child"));
    let index = [
        &*child(""),
        &*child(&format!(r#","mediaType":"{DOCKER_LIST}""#)),
        &*child(&format!(r#","mediaType":"{OCI_INDEX}""#)),
        &*child(&format!(
            r#","mediaType":"{DOCKER_MANIFEST}","platform":{{"os":"linux","architecture":"arm","variant":"v7"}}"#
        )),
        // No platform, in three ways; stored already, it is served all the same.
        &*child(r#","mediaType":"a/b","platform":"linux""#),
        &*child(r#","mediaType":"a/b","platform":{"os":"linux"}"#),
        &*child(r#","mediaType":"a/b","platform":null"#),
    ];
    let outline = Outline::of(format!(r#"{{"manifests":[{}]}}"#, index.join(",")).as_bytes()).unwrap();
    assert!(outline.is_index);
    let may_be: Vec<bool> = outline.manifests.iter().map(|child| child.may_be_index).collect();
    assert_eq!(may_be, [true, true, true, false, false, false, false]);
    let platforms: Vec<Option<&str>> = outline
        .manifests
        .iter()
        .map(|child| child.platform.as_ref().map(|platform| platform.architecture.as_str()))
        .collect();
    assert_eq!(platforms, [None, None, None, Some("arm"), None, None, None]);
}

#[test]
fn a_manifest_may_name_so_much_and_no_more() {
    let names = |count: usize| {
        let layers: Vec<String> =
            (0..count).map(|number| format!(r#"{{"digest":"{}"}}"#, digest(&number.to_string()))).collect();
        // What is named twice counts once.
        let layers = layers.join(",");
        format!(r#"{{"schemaVersion":2,"layers":[{layers}],"blobs":[{layers}]}}"#)
    };
    assert!(Outline::of_pushed(names(MOST_REFERENCES).as_bytes(), None).is_ok());
    let refused = Outline::of_pushed(names(MOST_REFERENCES + 1).as_bytes(), None).unwrap_err();
    assert!(refused.to_string().contains("more than 10000"), "{refused}");
}

#[test]
fn the_default_platform_is_found_where_there_is_one() {
    let entry = |architecture: &str| {
        let of = digest(architecture);
        format!(r#"{{"digest":"{of}","platform":{{"os":"linux","architecture":"{architecture}"}}}}"#)
    };
    let list = |entries: &[String]| format!(r#"{{"manifests":[{}]}}"#, entries.join(","));
    let both = list(&[entry("arm64"), entry("amd64")]);
    assert_eq!(default_platform(both.as_bytes()), Some(digest("amd64")));
    assert_eq!(default_platform(list(&[entry("arm64")]).as_bytes()), None);
    assert_eq!(default_platform(b"no list"), None);
}

proptest! {
    /// Whatever a client calls its content, it is a media type, which says the same when it is read again, or none.
    #[test]
    fn a18_any_content_type_is_read(value in "\\PC{0,80}|[a-z/;=\"\\\\ +.]{0,400}") {
        if let Some(media_type) = MediaType::parse(&value) {
            prop_assert!(media_type.as_str().len() <= 255 && value.contains(media_type.as_str()));
            prop_assert_eq!(MediaType::parse(media_type.as_str()), Some(media_type));
        }
    }
}
