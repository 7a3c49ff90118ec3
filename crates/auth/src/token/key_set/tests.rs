use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::testing::Signer;
use super::*;

fn parse(keys: &[Value]) -> Result<Parsed<KeySet>, String> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn with(mut jwk: Value, name: &str, value: &str) -> Value {
    jwk[name] = value.into();
    jwk
}

#[test]
fn keys_are_found_by_each_of_their_names() {
    for algorithm in SigningAlgorithm::ALL {
        let signer = Signer::new(algorithm);
        let set = parse(&[with(signer.jwk(), "kid", "2026")]).unwrap().value;
        let key = PublicKey::from_der(&signer.public_der()).unwrap();
        for name in ["2026"].into_iter().chain(key.names()) {
            assert_eq!(set.called(name, algorithm).collect::<Vec<_>>(), [&key], "{algorithm:?} {name}");
        }
        assert_eq!(set.called("2027", algorithm).count(), 0);
        assert_eq!(set.called("", algorithm).count(), 0);
    }
}

#[test]
fn a2_a_key_for_one_algorithm_serves_for_no_other() {
    let jwk = with(with(Signer::new(SigningAlgorithm::Rs256).jwk(), "kid", "a"), "alg", "RS256");
    let set = parse(&[jwk]).unwrap().value;
    assert_eq!(set.called("a", SigningAlgorithm::Rs256).count(), 1);
    assert_eq!(set.called("a", SigningAlgorithm::Ps256).count(), 0);
}

#[test]
fn what_cannot_be_used_is_told_and_passed_over() {
    let good = Signer::new(SigningAlgorithm::Es256).jwk();
    let parsed = parse(&[
        json!({"kty": "oct", "k": "c2VzYW1l", "kid": "sesame"}),
        with(good.clone(), "use", "enc"),
        with(good.clone(), "alg", "HS256"),
        with(good.clone(), "x", "AAAA"),
        json!({"kty": "EC", "crv": "P-256"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!("key"),
        with(with(good, "use", "sig"), "kid", ""),
    ])
    .unwrap();
    assert_eq!(parsed.value.0.len(), 1);
    let told = parsed.complaints.concat();
    assert_eq!(parsed.complaints.len(), 7, "{told}");
    assert!(!told.contains("sesame") && !told.contains("c2Vz"), "{told}");
}

#[test]
fn a_file_without_a_key_is_an_error_that_holds_nothing_of_it() {
    for content in ["", "[]", "{\"keys\": []}", "{\"keys\": [{\"kty\":\"oct\"}]}", "{\"secret\": sesame}"] {
        let error = KeySet::parse(content.as_bytes()).unwrap_err();
        assert!(!error.contains("sesame"), "{error}");
    }
}

proptest! {
    #[test]
    fn a18_any_content_is_read(content in "\\PC{0,100}", kty in "RSA|EC|OKP", crv in "P-256|Ed25519", part in "[A-Za-z0-9_-]{0,60}") {
        let _ = KeySet::parse(content.as_bytes());
        let _ = parse(&[json!({"kty": kty, "crv": crv, "n": part, "e": part, "x": part, "y": part})]);
    }
}
