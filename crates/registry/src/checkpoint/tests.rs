use super::*;
use crate::Digest;

fn stage() -> StageId {
    StageId::parse("s").unwrap()
}

#[test]
fn what_was_kept_comes_back() {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(b"ab");
    let repository = RepositoryName::parse("a/b").unwrap();
    for principal in [None, Some("al \"ice\"")] {
        let owner = UploadOwner { repository: &repository, principal };
        let kept = UploadCheckpoint::new(owner, hasher.clone()).encode();
        assert!(kept.len() < 1024);
        assert_eq!(UploadCheckpoint::decode(&stage(), &kept).unwrap().owner(), owner);
    }
    let kept = UploadCheckpoint::new((&repository).into(), hasher).encode();
    assert!(!String::from_utf8_lossy(&kept).contains("principal"), "as it was before there were users");
    let mut back = UploadCheckpoint::decode(&stage(), &kept).unwrap();
    back.hasher.update(b"c");
    assert_eq!(back.hasher.digest(), Digest::of(Algorithm::Sha512, b"abc"));
}

#[test]
fn a_newer_version_is_refused_by_name_and_garbage_is_damage() {
    let newer = UploadCheckpoint::decode(&stage(), br#"{"version":2,"anything":true}"#).unwrap_err();
    assert_eq!(newer.kind(), ErrorKind::UnknownVersion);
    assert!(newer.to_string().contains("version 2"), "{newer}");
    let repository = RepositoryName::parse("a").unwrap();
    let good = UploadCheckpoint::new((&repository).into(), Hasher::new(Algorithm::Sha256)).encode();
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
