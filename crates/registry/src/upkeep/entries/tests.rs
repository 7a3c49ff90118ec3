use super::*;
use crate::Algorithm;

fn sha256(content: &str) -> Digest {
    Digest::of(Algorithm::Sha256, content.as_bytes())
}

#[test]
fn names_are_taken_apart() {
    let (a, b) = (sha256("a"), sha256("b"));
    let (a_hex, b_hex) = (a.hex(), b.hex());
    let cases = [
        (format!("_layers/sha256/{a_hex}/link"), Entry::Layer(Some(a.clone()))),
        (format!("_layers/tarsum/v1/sha256/{a_hex}/link"), Entry::Layer(None)),
        (format!("_manifests/revisions/sha256/{a_hex}/link"), Entry::Revision(a.clone())),
        (
            format!("_manifests/revisions/sha256/{a_hex}/signatures/sha256/{b_hex}/link"),
            Entry::Signature(a.clone(), b.clone()),
        ),
        ("_manifests/tags/v1/current/link".to_owned(), Entry::Tag("v1".to_owned())),
        (format!("_manifests/tags/v1/index/sha256/{a_hex}/link"), Entry::History(a.clone())),
        (format!("_referrers/1/sha256/{a_hex}/sha256/{b_hex}/link"), Entry::Referrer(a.clone(), b.clone())),
        ("_uploads/0b1c/hashstates/sha256/0".to_owned(), Entry::Upload),
        ("_manifests/tags/.DS_Store".to_owned(), Entry::Other),
        // What may mean something to others.
        (format!("_manifests/revisions/sha384/{a_hex}/link"), Entry::Unknown),
        (format!("_manifests/revisions/sha256/{}/link", &a_hex[1..]), Entry::Unknown),
        (format!("_referrers/2/sha256/{a_hex}/sha256/{b_hex}/link"), Entry::Unknown),
        ("_pins/link".to_owned(), Entry::Unknown),
        ("_manifests/pins/link".to_owned(), Entry::Unknown),
    ];
    for (own, entry) in cases {
        assert_eq!(of_repository(&format!("a/b/{own}")), Some(("a/b", entry)), "{own}");
    }
    assert_eq!(of_repository("a/b/c"), None);
}

#[test]
fn only_blobs_are_blobs() {
    let a = sha256("a");
    let hex = a.hex();
    let shard = &hex[..2];
    assert_eq!(of_blob(&format!("sha256/{shard}/{hex}/data")), Some(a.clone()));
    for other in [
        format!("sha256/{shard}/{hex}/datum"),
        format!("sha256/{shard}/{hex}/data/x"),
        format!("sha256/zz/{hex}/data"),
        format!("sha384/{shard}/{hex}/data"),
        format!("sha256/{hex}/data"),
    ] {
        assert_eq!(of_blob(&other), None, "{other}");
    }
}
