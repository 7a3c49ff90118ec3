//! Content to push: random, so that nothing is there by chance.

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// So many random bytes.
pub fn random(length: usize) -> Bytes {
    use rand::RngExt;
    let mut bytes = vec![0; length];
    rand::rng().fill(bytes.as_mut_slice());
    bytes.into()
}

/// The digest of some content, as clients write it.
pub fn digest(content: &[u8]) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(content)))
}
