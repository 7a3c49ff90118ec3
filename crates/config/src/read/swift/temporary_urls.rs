//! What `storage.swift` says of the URLs by which clients fetch blobs from Swift itself.

use super::super::{web_url, word};
use crate::ConfigError;
use crate::section::Section;

const DIGESTS: [(&str, &str); 3] = [("sha512", "sha512"), ("sha256", "sha256"), ("sha1", "sha1")];

/// By which digests they may be signed.
pub(super) fn digests(section: &mut Section) -> Result<Vec<String>, ConfigError> {
    let digest = |text: &str| word(text, &DIGESTS).map(str::to_owned);
    Ok(section.list("tempurldigests", "sha512, sha256 or sha1", digest)?.unwrap_or_default())
}

/// Where clients are sent.
pub(super) fn host(section: &mut Section) -> Result<Option<String>, ConfigError> {
    section.parse("tempurlhost", "a scheme and a host, such as https://objects.example.org", |text| {
        let origin = web_url(text)?.trim_end_matches('/');
        let (_, host) = origin.split_once("://")?;
        (!host.contains('/')).then(|| origin.to_owned())
    })
}
