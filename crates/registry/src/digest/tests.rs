use proptest::prelude::*;

use super::*;

#[test]
fn digests_of_known_content() {
    assert_eq!(
        Digest::of(Algorithm::Sha256, b"").to_string(),
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(Digest::of(Algorithm::Sha512, b"abc").hex().len(), 128);
}

#[test]
fn what_is_no_digest_is_refused() {
    let hex = "a".repeat(64);
    for text in [
        String::new(),
        hex.clone(),
        "sha256:".into(),
        "sha256:baddigeststring".into(),
        format!("sha256:{}", "A".repeat(64)),
        format!("SHA256:{hex}"),
        format!("md5:{}", "a".repeat(32)),
        format!("sha512:{hex}"),
        format!("sha256:{hex}0"),
        format!("sha256:{}..", "a".repeat(62)),
        format!("sha256:{}/", "a".repeat(63)),
    ] {
        assert!(matches!(Digest::parse(&text), Err(Error::DigestInvalid { .. })), "{text:?}");
    }
}

proptest! {
    #[test]
    fn any_content_has_a_digest_that_is_parsed_as_it_prints(content in proptest::collection::vec(any::<u8>(), 0..200)) {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let digest = Digest::of(algorithm, &content);
            prop_assert_eq!(Digest::parse(&digest.to_string()).unwrap(), digest.clone());
            prop_assert_eq!(digest.hex().len(), algorithm.hex_length());
        }
    }

    #[test]
    fn a_digest_by_the_grammar_is_a_digest(text in "sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}") {
        prop_assert_eq!(Digest::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn any_bytes_are_a_digest_that_prints_itself_or_an_error(
        algorithm in "sha256:|sha512:|",
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let text = algorithm + &String::from_utf8_lossy(&bytes);
        if let Ok(digest) = Digest::parse(&text) {
            prop_assert_eq!(digest.to_string(), text);
        }
    }

    #[test]
    fn any_text_is_a_digest_that_prints_itself_or_an_error(text in "\\PC{0,200}|sha(256|512):[0-9a-f]{60,130}") {
        if let Ok(digest) = Digest::parse(&text) {
            prop_assert_eq!(digest.to_string(), text);
        }
    }
}
