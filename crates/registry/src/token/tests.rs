use super::*;

fn position(standing: Standing) -> UploadPosition {
    let repository = RepositoryName::parse("a/b").unwrap();
    UploadPosition::new(repository, StageId::parse("u-1").unwrap(), Algorithm::Sha256, standing)
}

#[test]
fn a_position_travels_and_comes_back() {
    let signer = Signer::new(b"secret");
    for standing in [Standing::Fresh, Standing::At { offset: u64::MAX, revision: StageRevision::random() }] {
        let position = position(standing);
        let token = signer.sign(&position);
        assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert_eq!(signer.open(&token, position.repository(), position.id()), Some(position));
    }
}

#[test]
fn a_token_is_of_no_use_elsewhere() {
    let signer = Signer::new(b"secret");
    let position = position(Standing::Fresh);
    let token = signer.sign(&position);
    let (repository, id) = (position.repository(), position.id());
    let other_repository = RepositoryName::parse("a").unwrap();
    let other_id = StageId::parse("u-2").unwrap();
    assert_eq!(signer.open(&token, &other_repository, id), None);
    assert_eq!(signer.open(&token, repository, &other_id), None);
    assert_eq!(Signer::new(b"other").open(&token, repository, id), None);
    for cut in 0..token.len() {
        assert_eq!(signer.open(&token[..cut], repository, id), None);
    }
    assert_eq!(signer.open("", repository, id), None);
    assert_eq!(signer.open("ä=", repository, id), None);
}
