use bytes::Bytes;

use super::*;

#[test]
fn a_hash_can_be_put_down_and_taken_up_at_any_byte() {
    let content: Vec<u8> = (0..300_u16).map(|number| number.to_le_bytes()[0]).collect();
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for cut in 0..content.len() {
            let mut first = Hasher::new(algorithm);
            first.update(&content[..cut]);
            let mut second = Hasher::resume(algorithm, &first.state()).unwrap();
            second.update(&content[cut..]);
            assert_eq!(second.digest(), Digest::of(algorithm, &content));
        }
    }
}

#[test]
fn a_state_of_another_length_is_none() {
    let state = Hasher::new(Algorithm::Sha256).state();
    assert_eq!(state.len(), 104);
    assert!(Hasher::resume(Algorithm::Sha512, &state).is_none());
    assert!(Hasher::resume(Algorithm::Sha256, &state[1..]).is_none());
}

#[tokio::test]
async fn content_is_hashed_in_passing_whoever_takes_it() {
    let pieces = ["a", "b", "c"].map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
    let content = HashedContent::new(Box::pin(stream::iter(pieces)), Hasher::new(Algorithm::Sha256));
    let mut taken = content.stream();
    assert_eq!(taken.try_next().await.unwrap().unwrap(), "a");
    drop(taken);
    assert_eq!(content.hasher().digest(), Digest::of(Algorithm::Sha256, b"a"));
    content.drain().await.unwrap();
    assert_eq!(content.hasher().digest(), Digest::of(Algorithm::Sha256, b"abc"));
}
