//! A token server for tests: it makes keys, key sets, certificates and tokens, good ones and forged ones.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, PKCS_ECDSA_P256_SHA256};
use serde_json::{Value, json};

use super::SigningAlgorithm;
use super::keys::rsa_components;

pub(crate) const ISSUER: &str = "auth.example";
pub(crate) const SERVICE: &str = "registry.example";

/// When the tests are.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
}

/// A moment so many seconds from then, as a token writes it.
pub(crate) fn in_seconds(seconds: i64) -> i64 {
    1_800_000_000 + seconds
}

/// What a good token says.
pub(crate) fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "alice", "aud": SERVICE, "jti": "1",
        "exp": in_seconds(300), "nbf": in_seconds(-10), "iat": in_seconds(-10),
        "access": [{"type": "repository", "class": "", "name": "team/app", "actions": ["pull", "push"]}],
    })
}

/// Claims with one of them changed, or taken away by `null`.
pub(crate) fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

pub(crate) struct Signer {
    pub(crate) algorithm: SigningAlgorithm,
    key: Key,
}

enum Key {
    Elliptic(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
    Rsa(&'static RsaKeyPair),
}

impl Signer {
    pub(crate) fn new(algorithm: SigningAlgorithm) -> Self {
        use SigningAlgorithm as A;
        let elliptic = |kind| Key::Elliptic(EcdsaKeyPair::generate(kind).unwrap());
        let key = match algorithm {
            A::EdDsa => Key::Edwards(Ed25519KeyPair::generate().unwrap()),
            A::Es256 => elliptic(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            A::Es384 => elliptic(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            A::Es512 => elliptic(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            A::Ps256 | A::Ps384 | A::Ps512 | A::Rs256 | A::Rs384 | A::Rs512 => {
                static RSA: OnceLock<RsaKeyPair> = OnceLock::new();
                Key::Rsa(RSA.get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
            }
        };
        Self { algorithm, key }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        use SigningAlgorithm as A;
        let random = SystemRandom::new();
        match &self.key {
            Key::Elliptic(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Edwards(key) => key.sign(message).as_ref().to_vec(),
            Key::Rsa(key) => {
                let encoding: &dyn signature::RsaEncoding = match self.algorithm {
                    A::Ps256 => &signature::RSA_PSS_SHA256,
                    A::Ps384 => &signature::RSA_PSS_SHA384,
                    A::Ps512 => &signature::RSA_PSS_SHA512,
                    A::Rs384 => &signature::RSA_PKCS1_SHA384,
                    A::Rs512 => &signature::RSA_PKCS1_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
        }
    }

    /// Its SubjectPublicKeyInfo.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        match &self.key {
            Key::Elliptic(key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
            Key::Edwards(key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
            Key::Rsa(key) => key.public_key().as_der().unwrap().as_ref().to_vec(),
        }
    }

    pub(crate) fn jwk(&self) -> Value {
        let base64 = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match &self.key {
            Key::Elliptic(key) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = match x.len() {
                    32 => "P-256",
                    48 => "P-384",
                    _ => "P-521",
                };
                json!({"kty": "EC", "crv": curve, "x": base64(x), "y": base64(y)})
            }
            Key::Edwards(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": base64(key.public_key().as_ref())})
            }
            Key::Rsa(key) => {
                let (modulus, exponent) = rsa_components(key.public_key().as_ref()).unwrap();
                json!({"kty": "RSA", "n": base64(&modulus), "e": base64(&exponent)})
            }
        }
    }

    /// A token with this `kid`.
    pub(crate) fn token(&self, kid: &str, claims: &Value) -> String {
        self.token_with(&json!({"typ": "JWT", "alg": self.algorithm.name(), "kid": kid}), claims)
    }

    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature = BASE64URL_NOPAD.encode(&self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}", part(header), part(claims))
}

/// A certificate and its key.
pub(crate) struct Certified {
    pub(crate) certificate: rcgen::Certificate,
    params: CertificateParams,
    key: rcgen::KeyPair,
}

impl Certified {
    /// Valid from ten days before until `days` days after the moment of the tests. Without an issuer it signs itself.
    pub(crate) fn new(name: &str, is_authority: bool, days: i64, issuer: Option<&Self>) -> Self {
        let key = rcgen::KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let day = |days: i64| {
            let seconds = u64::try_from(in_seconds(days * 86_400)).unwrap();
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
        };
        params.not_before = day(-10).into();
        params.not_after = day(days).into();
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let certificate = match issuer {
            None => params.self_signed(&key).unwrap(),
            Some(issuer) => {
                params.signed_by(&key, &Issuer::from_params(&issuer.params, &issuer.key)).unwrap()
            }
        };
        Self { certificate, params, key }
    }

    pub(crate) fn signer(&self) -> Signer {
        let kind = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let key = EcdsaKeyPair::from_pkcs8(kind, self.key.serialized_der()).unwrap();
        Signer { algorithm: SigningAlgorithm::Es256, key: Key::Elliptic(key) }
    }
}

/// A token that this key signed, and that carries these certificates.
pub(crate) fn token_with_chain(signer: &Signer, chain: &[&Certified]) -> String {
    let chain: Vec<_> = chain.iter().map(|link| BASE64.encode(link.certificate.der())).collect();
    signer.token_with(&json!({"alg": signer.algorithm.name(), "x5c": chain}), &claims())
}
