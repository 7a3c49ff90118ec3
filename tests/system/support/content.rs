//! Content to push: random, so that nothing is there by chance.

use bytes::Bytes;
use sha2::{Digest, Sha256, Sha512};

/// So many random bytes.
pub(crate) fn random(length: usize) -> Bytes {
    use rand::RngExt;
    let mut bytes = vec![0; length];
    rand::rng().fill(bytes.as_mut_slice());
    bytes.into()
}

/// The digest of some content, as clients write it.
pub(crate) fn digest(content: &[u8]) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(content)))
}

/// The SHA-512 digest of some content.
pub(crate) fn digest_512(content: &[u8]) -> String {
    format!("sha512:{}", data_encoding::HEXLOWER.encode(&Sha512::digest(content)))
}
