//! `X-Signature`: who has the privileged key signs the method, the path and all `X-Docker` headers with it. The original
//! compared the verifier's answer in a way that never held; here it counts.

use std::path::{Path, PathBuf};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, Method};

/// The longest file of a key, in bytes.
const LONGEST: u64 = 64 << 10;

/// The RSA key whose owner may do everything.
pub struct PrivilegedKey(Vec<u8>);

/// Why there is no such key.
#[derive(Debug, thiserror::Error)]
#[error("privileged_key: {}: {reason}", path.display())]
pub struct PrivilegedKeyError {
    path: PathBuf,
    reason: String,
}

impl PrivilegedKey {
    /// Reads a public key of RSA in PEM, of 2048 bits at least: as `openssl rsa -RSAPublicKey_out` or `-pubout` write it.
    pub fn read(path: &Path) -> Result<Self, PrivilegedKeyError> {
        let failed = |reason: String| PrivilegedKeyError { path: path.to_owned(), reason };
        let mut text = String::new();
        std::fs::File::open(path)
            .and_then(|file| {
                std::io::Read::read_to_string(&mut std::io::Read::take(file, LONGEST), &mut text)
            })
            .map_err(|error| failed(error.to_string()))?;
        Self::parse(&text)
            .ok_or_else(|| failed("it is no public key of RSA in PEM, of 2048 bits or more".to_owned()))
    }

    fn parse(pem: &str) -> Option<Self> {
        let lines = pem.lines().map(str::trim);
        let body: String = lines.filter(|line| !line.starts_with("-----") && !line.is_empty()).collect();
        let key = BASE64.decode(body.as_bytes()).ok()?;
        let key = within_spki(&key).map(<[u8]>::to_vec).unwrap_or(key);
        // A sequence of two integers, the modulus first: 256 bytes of it at least.
        (key.first() == Some(&0x30) && key.len() > 256).then_some(Self(key))
    }

    /// Whether its owner has signed a request.
    pub(crate) fn has_signed(&self, method: &Method, path: &str, headers: &HeaderMap) -> bool {
        let Some(signature) = headers.get("x-signature").and_then(|value| value.to_str().ok()).and_then(data)
        else {
            return false;
        };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        key.verify(message(method, path, headers).as_bytes(), &signature).is_ok()
    }
}

impl std::fmt::Debug for PrivilegedKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("PrivilegedKey").finish_non_exhaustive()
    }
}

/// The key of RSA in the form that also says its algorithm (RFC 5280, SubjectPublicKeyInfo; RFC 3279, rsaEncryption).
fn within_spki(key: &[u8]) -> Option<&[u8]> {
    const ALGORITHM: &[u8] =
        &[0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let at = key.windows(ALGORITHM.len()).take(8).position(|window| window == ALGORITHM)?;
    // A bit string of less than 64 KiB without unused bits.
    match key.get(at + ALGORITHM.len()..)? {
        [0x03, 0x82, _, _, 0x00, rest @ ..] | [0x03, 0x81, _, 0x00, rest @ ..] => Some(rest),
        _ => None,
    }
}

/// `data=<base64>`
fn data(header: &str) -> Option<Vec<u8>> {
    let parts = header.split([';', ',']).filter_map(|part| part.trim().split_once('='));
    let (_, value) = parts.into_iter().find(|(key, _)| *key == "data")?;
    BASE64.decode(value.trim().trim_matches('"').as_bytes()).ok()
}

/// What is signed: `METHOD,PATH`, then `,Key:Value` for each header of docker's own, in the order of their names.
fn message(method: &Method, path: &str, headers: &HeaderMap) -> String {
    let mut said: Vec<(String, &str)> = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-docker"))
        .filter_map(|(name, value)| Some((titled(name), value.to_str().ok()?)))
        .collect();
    said.sort();
    said.iter().fold(format!("{method},{path}"), |text, (name, value)| format!("{text},{name}:{value}"))
}

/// A name of a header as the original saw it: `X-Docker-Token`.
fn titled(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    });
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests;
