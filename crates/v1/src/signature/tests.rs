use http::{HeaderMap, Method};

use super::{PrivilegedKey, message};

#[test]
fn keys_in_either_form() {
    for pem in [include_str!("../tests/signature/public.pem"), include_str!("../tests/signature/spki.pem")] {
        let key = PrivilegedKey::parse(pem).unwrap();
        assert_eq!((key.0.len(), key.0.get(..4)), (270, Some(&[0x30, 0x82, 0x01, 0x0a][..])));
    }
    for pem in ["", "x", "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n"] {
        assert!(PrivilegedKey::parse(pem).is_none(), "{pem}");
    }
}

#[test]
fn what_is_signed() {
    let mut headers = HeaderMap::new();
    headers.insert("host", "a".parse().unwrap());
    headers.insert("x-docker-token", "true".parse().unwrap());
    headers.insert("x-docker-endpoints", "b".parse().unwrap());
    let message = message(&Method::GET, "/v1/repositories/acme/webapp/tags", &headers);
    assert_eq!(message, include_str!("../tests/signature/message.txt"));
}
