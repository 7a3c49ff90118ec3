//! Public keys that tokens are signed with, and the names that a token's `kid` may call them by.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{PublicEncryptingKey, PublicKeyComponents};
use aws_lc_rs::signature::{ParsedPublicKey, UnparsedPublicKey, VerificationAlgorithm};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Reader as _, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::algorithm::{KeyKind, SigningAlgorithm};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// Why a key cannot be used.
pub(super) type KeyError = &'static str;

const DAMAGED: KeyError = "its public key is damaged";
const UNSUPPORTED: KeyError =
    "its public key is none of RSA with 2048 to 8192 bits, P-256, P-384, P-521 and Ed25519";

/// A key that can check a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    kind: KeyKind,
    /// Its SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7) in DER, as aws-lc writes it.
    der: Vec<u8>,
    /// SHA-256 of `der`, in the form of libtrust; the `kid` of registry:2.
    fingerprint: String,
    /// RFC 7638; a `kid` of registry 3.
    thumbprint: String,
}

impl PublicKey {
    /// A key as certificates hold it.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| DAMAGED)?;
        let curve = || key.algorithm.parameters_oid().map_err(|_| UNSUPPORTED);
        let kind = match key.algorithm.oid {
            RSA => KeyKind::Rsa,
            ED25519 => KeyKind::Ed25519,
            ELLIPTIC => match curve()? {
                P256 => KeyKind::P256,
                P384 => KeyKind::P384,
                P521 => KeyKind::P521,
                _ => return Err(UNSUPPORTED),
            },
            _ => return Err(UNSUPPORTED),
        };
        if kind == KeyKind::Rsa {
            PublicEncryptingKey::from_der(der).map_err(|_| UNSUPPORTED)?;
        }
        let parsed = ParsedPublicKey::new(kind.verification(), der).map_err(|_| DAMAGED)?;
        let der = parsed.as_der().map_err(|_| DAMAGED)?.as_ref().to_vec();
        let thumbprint = thumbprint(kind, &der).ok_or(DAMAGED)?;
        Ok(Self { kind, fingerprint: fingerprint(&der), thumbprint, der })
    }

    /// RFC 7518 section 6.3.
    pub(super) fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let der = PublicKeyComponents { n: modulus, e: exponent }.as_der().map_err(|_| DAMAGED)?;
        Self::from_der(der.as_ref())
    }

    /// RFC 7518 section 6.2: a point on the curve of `kind`.
    pub(super) fn from_point(kind: KeyKind, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let uncompressed = [&[4], x, y].concat();
        if x.len() != y.len() || kind == KeyKind::Rsa {
            return Err(DAMAGED);
        }
        Self::from_raw(kind, &uncompressed)
    }

    /// RFC 8037 section 2.
    pub(super) fn from_ed25519(x: &[u8]) -> Result<Self, KeyError> {
        Self::from_raw(KeyKind::Ed25519, x)
    }

    fn from_raw(kind: KeyKind, raw: &[u8]) -> Result<Self, KeyError> {
        let parsed = ParsedPublicKey::new(kind.verification(), raw).map_err(|_| DAMAGED)?;
        Self::from_der(parsed.as_der().map_err(|_| DAMAGED)?.as_ref())
    }

    /// Whether a token's `kid` means this key.
    pub(super) fn is_called(&self, kid: &str) -> bool {
        kid == self.fingerprint || kid == self.thumbprint
    }

    /// Whether the key made this signature by this algorithm. A key of another kind made none.
    pub(super) fn verifies(&self, algorithm: SigningAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        algorithm.key_kind() == self.kind
            && UnparsedPublicKey::new(algorithm.verification(), &self.der).verify(message, signature).is_ok()
    }

    #[cfg(test)]
    pub(super) fn names(&self) -> [&str; 2] {
        [&self.fingerprint, &self.thumbprint]
    }
}

impl KeyKind {
    /// Any algorithm for keys of this kind: they are all read in the same way.
    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Rsa => SigningAlgorithm::Rs256,
            Self::P256 => SigningAlgorithm::Es256,
            Self::P384 => SigningAlgorithm::Es384,
            Self::P521 => SigningAlgorithm::Es512,
            Self::Ed25519 => SigningAlgorithm::EdDsa,
        }
        .verification()
    }
}

/// The name that libtrust gives a key: the first 30 bytes of its SHA-256 in base32, in groups of four.
fn fingerprint(der: &[u8]) -> String {
    let hash = digest(&SHA256, der);
    let encoded = BASE32_NOPAD.encode(hash.as_ref().get(..30).unwrap_or_default());
    let mut name = String::with_capacity(59);
    for (place, character) in encoded.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            name.push(':');
        }
        name.push(character);
    }
    name
}

/// RFC 7638: the SHA-256 of the key as a JSON Web Key of what it needs, its members in order.
fn thumbprint(kind: KeyKind, der: &[u8]) -> Option<String> {
    let key = SubjectPublicKeyInfoRef::try_from(der).ok()?;
    let raw = key.subject_public_key.raw_bytes();
    let base64 = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
    let point = |curve: &str| {
        let (_uncompressed, coordinates) = raw.split_first()?;
        let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
        Some(format!(r#"{{"crv":"{curve}","kty":"EC","x":"{}","y":"{}"}}"#, base64(x), base64(y)))
    };
    let json = match kind {
        KeyKind::Rsa => {
            let (modulus, exponent) = rsa_components(raw)?;
            format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, base64(&exponent), base64(&modulus))
        }
        KeyKind::P256 => point("P-256")?,
        KeyKind::P384 => point("P-384")?,
        KeyKind::P521 => point("P-521")?,
        KeyKind::Ed25519 => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64(raw)),
    };
    Some(base64(digest(&SHA256, json.as_bytes()).as_ref()))
}

/// Modulus and exponent of an RSAPublicKey in DER, RFC 8017 appendix A.1.1.
pub(super) fn rsa_components(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut reader = SliceReader::new(der).ok()?;
    reader
        .sequence(|reader| {
            let (modulus, exponent): (UintRef<'_>, UintRef<'_>) = (reader.decode()?, reader.decode()?);
            Ok::<_, x509_cert::der::Error>((modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec()))
        })
        .ok()
}

#[cfg(test)]
mod tests;
