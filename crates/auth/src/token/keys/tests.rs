use data_encoding::{BASE64, BASE64URL_NOPAD};

use super::super::testing::Signer;
use super::*;

#[test]
fn each_kind_of_key_verifies_its_own_and_nothing_else() {
    for algorithm in SigningAlgorithm::ALL {
        let signer = Signer::new(algorithm);
        let key = PublicKey::from_der(&signer.public_der()).unwrap();
        let signature = signer.sign(b"message");
        assert!(key.verifies(algorithm, b"message", &signature), "{algorithm:?}");
        assert!(!key.verifies(algorithm, b"another", &signature), "{algorithm:?}");
        assert!(!key.verifies(algorithm, b"message", &signature[1..]), "{algorithm:?}");
        assert!(!key.verifies(algorithm, b"message", b""), "{algorithm:?}");
        for other in SigningAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(!key.verifies(other, b"message", &signature), "{algorithm:?} is not {other:?}");
        }
    }
}

/// RFC 7638 section 3.1, the example.
#[test]
fn the_thumbprint_is_that_of_the_rfc() {
    let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs\
                   tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQv\
                   RL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz\
                   KnqDKgw";
    let modulus = BASE64URL_NOPAD.decode(modulus.as_bytes()).unwrap();
    let key = PublicKey::from_rsa(&modulus, &[1, 0, 1]).unwrap();
    assert!(key.is_called("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
}

/// RFC 8037 appendix A.3, the example.
#[test]
fn the_thumbprint_of_an_edwards_key_is_that_of_the_rfc() {
    let x = BASE64URL_NOPAD.decode(b"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
    assert!(PublicKey::from_ed25519(&x).unwrap().is_called("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
}

#[test]
fn the_fingerprint_has_the_form_of_libtrust() {
    let signer = Signer::new(SigningAlgorithm::Es256);
    let key = PublicKey::from_der(&signer.public_der()).unwrap();
    let [name, _] = key.names();
    let groups: Vec<_> = name.split(':').collect();
    assert_eq!(groups.len(), 12);
    assert!(groups.iter().all(|group| group.len() == 4));
    let hash = BASE32_NOPAD.decode(groups.concat().as_bytes()).unwrap();
    assert_eq!(hash, digest(&SHA256, &signer.public_der()).as_ref()[..30]);
}

#[test]
fn a_key_is_the_same_however_it_is_written() {
    for algorithm in SigningAlgorithm::ALL {
        let signer = Signer::new(algorithm);
        let key = PublicKey::from_der(&signer.public_der()).unwrap();
        let jwk = signer.jwk();
        let member = |name: &str| BASE64URL_NOPAD.decode(jwk[name].as_str().unwrap().as_bytes()).unwrap();
        let again = match key.kind {
            KeyKind::Rsa => PublicKey::from_rsa(&member("n"), &member("e")),
            KeyKind::Ed25519 => PublicKey::from_ed25519(&member("x")),
            kind => PublicKey::from_point(kind, &member("x"), &member("y")),
        };
        assert_eq!(again.unwrap(), key, "{algorithm:?}");
    }
}

#[test]
fn a2_weak_and_strange_keys_are_refused() {
    let weak = PublicKeyComponents { n: vec![0xd5; 128], e: vec![1, 0, 1] };
    assert!(weak.as_der().is_err() || PublicKey::from_der(weak.as_der().unwrap().as_ref()).is_err());
    PublicKey::from_der(b"").unwrap_err();
    PublicKey::from_point(KeyKind::P256, &[1; 32], &[2; 32]).unwrap_err();
    PublicKey::from_point(KeyKind::P256, &[1; 31], &[2; 33]).unwrap_err();
    PublicKey::from_point(KeyKind::P384, &[0; 32], &[0; 32]).unwrap_err();
    PublicKey::from_ed25519(&[1; 31]).unwrap_err();
    // X25519, which signs nothing.
    let x25519 = BASE64.decode(b"MCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=").unwrap();
    assert_eq!(PublicKey::from_der(&x25519).unwrap_err(), UNSUPPORTED);
}
