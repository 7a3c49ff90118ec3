//! How a URL is signed (Swift, "TempURL" middleware). Where keys come from, and whether the cluster takes what is signed
//! here, is not known here.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use apus_storage::UrlMethod;
use hmac::{EagerHash, Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::client::send::escaped;

/// A digest by which temporary URLs are signed, the strongest first. SHA-1 is there for clusters that know nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TemporaryUrlDigest {
    /// HMAC-SHA-512.
    Sha512,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-1, which today's Swift calls deprecated.
    Sha1,
}

impl TemporaryUrlDigest {
    /// All there are, the strongest first.
    pub const ALL: [Self; 3] = [Self::Sha512, Self::Sha256, Self::Sha1];

    /// Swift's word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha512 => "sha512",
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
        }
    }

    /// The signature in hexadecimal digits; Swift knows the digest by their number.
    fn sign(self, key: &[u8], message: &[u8]) -> String {
        match self {
            Self::Sha512 => hmac::<Sha512>(key, message),
            Self::Sha256 => hmac::<Sha256>(key, message),
            Self::Sha1 => hmac::<Sha1>(key, message),
        }
    }
}

impl std::fmt::Display for TemporaryUrlDigest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.as_str())
    }
}

fn hmac<D: EagerHash>(key: &[u8], message: &[u8]) -> String
where
    Hmac<D>: KeyInit + Mac,
{
    // An HMAC takes a key of any length.
    let Ok(mut mac) = <Hmac<D> as KeyInit>::new_from_slice(key) else { return String::new() };
    mac.update(message);
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Where the objects of a container are fetched, and by which path the cluster checks a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The container's URL as clients are to use it.
    pub(super) url: String,
    /// The container's path, unescaped, as the cluster sees it.
    pub(super) signed: Vec<u8>,
}

impl Place {
    /// The ways to see the container of an account at `storage_url`, the likeliest first. `public`, such as
    /// `https://objects.example`, takes the place of scheme and host.
    ///
    /// A proxy in front of Swift may take away what its path has before `/v1`, and then Swift does not know of it.
    pub(super) fn possible(storage_url: &str, public: Option<&str>, container: &str) -> Vec<Self> {
        let (scheme, rest) = storage_url.split_once("://").unwrap_or(("http", storage_url));
        let (host, path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let url = match public {
            Some(public) => format!("{public}{path}/{}", escaped(container)),
            None => format!("{scheme}://{host}{path}/{}", escaped(container)),
        };
        let version = path.find("/v1/").unwrap_or(0);
        let shortened = path.get(version..).filter(|_| version > 0);
        [Some(path), shortened]
            .into_iter()
            .flatten()
            .map(|path| {
                let mut signed: Vec<u8> = percent_decode_str(path).collect();
                signed.push(b'/');
                signed.extend_from_slice(container.as_bytes());
                Self { url: url.clone(), signed }
            })
            .collect()
    }
}

/// All that it takes to sign.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    pub(super) place: Place,
    pub(super) digest: TemporaryUrlDigest,
    pub(super) key: SecretString,
    /// Put before each signature, and a colon between: HP Cloud's project and access key, as registry:2 has it.
    pub(super) prefix: Option<String>,
}

impl Signer {
    /// The URL of an object for one method, until that many seconds after 1970.
    pub(super) fn url(&self, object: &str, method: UrlMethod, expires: u64) -> String {
        let method = match method {
            UrlMethod::Get => "GET",
            UrlMethod::Head => "HEAD",
        };
        let mut message = format!("{method}\n{expires}\n").into_bytes();
        message.extend_from_slice(&self.place.signed);
        message.push(b'/');
        message.extend_from_slice(object.as_bytes());
        let signature = self.digest.sign(self.key.expose_secret().as_bytes(), &message);
        let signature = match &self.prefix {
            Some(prefix) => format!("{prefix}:{signature}"),
            None => signature,
        };
        let (container, object) = (&self.place.url, escaped(object));
        let signature = escaped(&signature);
        format!("{container}/{object}?temp_url_sig={signature}&temp_url_expires={expires}")
    }
}

/// So long from now, in seconds after 1970.
pub(super) fn expiry(life: Duration) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.saturating_add(life).as_secs()
}

#[cfg(test)]
mod tests;
