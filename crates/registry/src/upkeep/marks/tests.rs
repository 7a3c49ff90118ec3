use super::*;

#[test]
fn a_digest_is_packed_and_unpacked() {
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::of(algorithm, b"x");
        assert_eq!(Digest::from(&Packed::from(&digest)), digest);
    }
}

/// A listing of blobs comes sorted, and is searched as it came.
#[test]
fn packed_digests_sort_as_their_names_do() {
    let algorithms = [Algorithm::Sha256, Algorithm::Sha512];
    let mut digests: Vec<Digest> =
        (0..100_u8).flat_map(|byte| algorithms.map(|algorithm| Digest::of(algorithm, &[byte]))).collect();
    let mut packed: Vec<Packed> = digests.iter().map(Packed::from).collect();
    digests.sort_by_key(ToString::to_string);
    packed.sort();
    assert_eq!(packed.iter().map(Digest::from).collect::<Vec<_>>(), digests);
}

#[test]
fn what_is_marked_is_found() {
    let mut marks = Marks::default();
    let (one, other) = (Digest::of(Algorithm::Sha256, b"1"), Digest::of(Algorithm::Sha512, b"1"));
    assert!(marks.insert(&one) && !marks.insert(&one));
    assert!(marks.contains(&one) && !marks.contains(&other));
    assert_eq!(marks.len(), 1);
}
