use super::*;
use crate::RepositoryName;

fn position(standing: Standing) -> UploadPosition {
    let repository = RepositoryName::parse("a/b").unwrap();
    let owner = UploadOwner { repository: &repository, principal: Some("al\"ice") };
    UploadPosition::new(owner, StageId::parse("u-1").unwrap(), Algorithm::Sha256, standing)
}

#[test]
fn a_position_travels_and_comes_back() {
    let signer = Signer::new(b"secret");
    for standing in [Standing::Fresh, Standing::At { offset: u64::MAX, revision: StageRevision::random() }] {
        let position = position(standing);
        let token = signer.sign(&position);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_eq!(signer.open(&token, position.owner(), position.id()), Some(position));
    }
}

#[test]
fn a_token_is_of_no_use_elsewhere() {
    let signer = Signer::new(b"secret");
    let position = position(Standing::Fresh);
    let token = signer.sign(&position);
    let (owner, id) = (position.owner(), position.id());
    let other_repository = RepositoryName::parse("a").unwrap();
    let of_other_repository = UploadOwner { repository: &other_repository, ..owner };
    let other_id = StageId::parse("u-2").unwrap();
    assert_eq!(signer.open(&token, of_other_repository, id), None);
    assert_eq!(signer.open(&token, owner, &other_id), None);
    for principal in [None, Some("bob"), Some("")] {
        assert_eq!(signer.open(&token, UploadOwner { principal, ..owner }, id), None);
    }
    assert_eq!(Signer::new(b"other").open(&token, owner, id), None);
    for cut in 0..token.len() {
        assert_eq!(signer.open(&token[..cut], owner, id), None);
    }
    assert_eq!(signer.open("", owner, id), None);
    assert_eq!(signer.open("ä=", owner, id), None);
}

#[test]
fn a_key_for_another_purpose_is_the_same_each_time_and_no_other() {
    let signer = Signer::new(b"secret");
    assert_eq!(signer.derived("tokens", b"a"), Signer::new(b"secret").derived("tokens", b"a"));
    for other in [
        signer.derived("tokens", b""),
        signer.derived("token", b"a"),
        signer.derived("tokens", b"b"),
        Signer::new(b"other").derived("tokens", b"a"),
    ] {
        assert_ne!(signer.derived("tokens", b"a"), other);
    }
    // What it signs is no position, and what it derives signs none.
    let position = position(Standing::Fresh);
    let token = Signer::new(&signer.derived("tokens", b"a")).sign(&position);
    assert_eq!(signer.open(&token, position.owner(), position.id()), None);
}
