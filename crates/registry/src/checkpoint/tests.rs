use super::*;
use crate::Digest;

fn stage() -> StageId {
    StageId::parse("s").unwrap()
}

#[test]
fn what_was_kept_comes_back() {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(b"ab");
    let kept = UploadCheckpoint { repository: RepositoryName::parse("a/b").unwrap(), hasher }.encode();
    assert!(kept.len() < 1024);
    let mut back = UploadCheckpoint::decode(&stage(), &kept).unwrap();
    assert_eq!(back.repository.as_str(), "a/b");
    back.hasher.update(b"c");
    assert_eq!(back.hasher.digest(), Digest::of(Algorithm::Sha512, b"abc"));
}

#[test]
fn a_newer_version_is_refused_by_name_and_garbage_is_damage() {
    let newer = UploadCheckpoint::decode(&stage(), br#"{"version":2,"anything":true}"#).unwrap_err();
    assert_eq!(newer.kind(), ErrorKind::UnknownVersion);
    assert!(newer.to_string().contains("version 2"), "{newer}");
    let good = UploadCheckpoint {
        repository: RepositoryName::parse("a").unwrap(),
        hasher: Hasher::new(Algorithm::Sha256),
    }
    .encode();
    let good = String::from_utf8(good.to_vec()).unwrap();
    for bad in [
        String::new(),
        "[]".into(),
        r#"{"version":1}"#.into(),
        good.replace("sha2-0.11", "sha2-0.12"),
        good.replace("sha256", "sha512"),
        good.replace(r#""a""#, r#""../a""#),
    ] {
        assert_eq!(
            UploadCheckpoint::decode(&stage(), bad.as_bytes()).unwrap_err().kind(),
            ErrorKind::Damaged,
            "{bad}"
        );
    }
}
