use super::*;

/// Computed by Python's hmac module.
#[test]
fn signatures_are_those_of_swift() {
    let message = b"GET\n1795464000\n/v1/AUTH_test/box/o";
    for (digest, expected) in [
        (Digest::Sha1, "fd21294aeea2295d1ed5e6a03d903a178fa56f3c"),
        (Digest::Sha256, "4e153e781803d517eb6f9fdbc07f988ab327e5b23b6b0db5dc2fd53842120313"),
        (
            Digest::Sha512,
            "0b83ee3b9f91ba212cc80e24431c156e87653bb8ea6ac7ad6d07a4e41434341dbadd6616176ef9328e447a378ba399332c94b9e127d533381906dcef26171ca3",
        ),
    ] {
        assert_eq!(HEXLOWER.encode(&digest.hmac(b"key", message)), expected);
    }
}

#[test]
fn a_signature_has_many_forms() {
    let bytes: Vec<u8> = (192..=255).collect();
    let hex = HEXLOWER.encode(&bytes);
    let base64 = BASE64.encode(&bytes);
    let urlsafe = base64.replace('+', "-").replace('/', "_");
    assert_ne!(urlsafe, base64);
    for text in [
        hex.clone(),
        format!("sha512:{base64}"),
        format!("sha512:{urlsafe}"),
        format!("sha512:{}", urlsafe.trim_end_matches('=')),
    ] {
        assert_eq!(read_signature(&text), Some((Digest::Sha512, bytes.clone())), "{text}");
    }
    assert_eq!(read_signature(&hex[..40]).unwrap().0, Digest::Sha1);
    assert_eq!(read_signature(&hex[..64]).unwrap().0, Digest::Sha256);
    for text in ["", "c0", &hex.to_uppercase(), &format!("md5:{base64}"), "sha256:c", &hex[1..]] {
        assert_eq!(read_signature(text), None, "{text}");
    }
}

#[test]
fn an_end_is_a_number_or_a_date() {
    for (text, seconds) in [
        ("1795464000", Some(1_795_464_000)),
        ("2026-11-23T20:00:00Z", Some(1_795_464_000)),
        ("2026-11-23T20:00:00", None),
        ("2026-11-23", None),
        ("-1", None),
        ("", None),
    ] {
        assert_eq!(read_expiry(text), seconds, "{text}");
    }
}
