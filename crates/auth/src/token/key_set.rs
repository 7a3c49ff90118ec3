//! A file of keys as a JSON Web Key Set (RFC 7517). A key that cannot be used is passed over, and the others are taken.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use super::algorithm::{KeyKind, SigningAlgorithm};
use super::keys::{KeyError, PublicKey};
use crate::watched::Parsed;

/// The largest file, in bytes.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 20;

/// Keys that an operator trusts.
#[derive(Debug)]
pub(super) struct KeySet(Vec<NamedKey>);

#[derive(Debug)]
struct NamedKey {
    key: PublicKey,
    kid: Option<String>,
    algorithm: Option<SigningAlgorithm>,
}

#[derive(Deserialize)]
struct File {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    pub(super) fn parse(content: &[u8]) -> Result<Parsed<Self>, String> {
        let file: File = serde_json::from_slice(content)
            .map_err(|error| format!("it is no JSON Web Key Set, RFC 7517 ({})", place(&error)))?;
        let (mut keys, mut complaints) = (Vec::new(), Vec::new());
        for (value, number) in file.keys.into_iter().zip(1..) {
            match serde_json::from_value(value).map_err(|_| "it is no JSON Web Key").and_then(named_key) {
                Ok(key) => keys.push(key),
                Err(reason) => complaints.push(format!("key {number} is passed over: {reason}")),
            }
        }
        if keys.is_empty() {
            return Err(format!("it has no key that tokens can be signed with; {}", complaints.join("; ")));
        }
        Ok(Parsed { value: Self(keys), complaints })
    }

    /// The keys that a token's `kid` may mean: by the name that the set gives them, or by either fingerprint. A key that the
    /// set keeps for one algorithm is found for no other.
    pub(super) fn called(&self, kid: &str, algorithm: SigningAlgorithm) -> impl Iterator<Item = &PublicKey> {
        self.0
            .iter()
            .filter(move |named| {
                (named.kid.as_deref() == Some(kid) || named.key.is_called(kid))
                    && named.algorithm.is_none_or(|only| only == algorithm)
            })
            .map(|named| &named.key)
    }
}

/// Where JSON breaks, without what stands there.
fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

fn named_key(jwk: Jwk) -> Result<NamedKey, KeyError> {
    if jwk.purpose.as_deref().is_some_and(|purpose| purpose != "sig") {
        return Err("it is not for signatures");
    }
    let algorithm = match jwk.alg.as_deref() {
        None => None,
        Some(name) => {
            Some(SigningAlgorithm::from_name(name).ok_or("tokens are not signed by its algorithm")?)
        }
    };
    let key = public_key(&jwk)?;
    Ok(NamedKey { key, kid: jwk.kid.filter(|kid| !kid.is_empty()), algorithm })
}

fn public_key(jwk: &Jwk) -> Result<PublicKey, KeyError> {
    let bytes = |member: &Option<String>| {
        let text = member.as_deref().ok_or("it has not all members of its kind")?;
        BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| "a member of it is not base64url")
    };
    let kind = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("RSA", _) => return PublicKey::from_rsa(&bytes(&jwk.n)?, &bytes(&jwk.e)?),
        ("OKP", Some("Ed25519")) => return PublicKey::from_ed25519(&bytes(&jwk.x)?),
        ("EC", Some("P-256")) => KeyKind::P256,
        ("EC", Some("P-384")) => KeyKind::P384,
        ("EC", Some("P-521")) => KeyKind::P521,
        ("oct", _) => return Err("it is a shared secret, and whoever can verify by one can sign"),
        _ => return Err("it is none of RSA, P-256, P-384, P-521 and Ed25519"),
    };
    PublicKey::from_point(kind, &bytes(&jwk.x)?, &bytes(&jwk.y)?)
}

#[cfg(test)]
mod tests;
