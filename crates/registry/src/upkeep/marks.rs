//! Sets of digests that are as large as a registry: what is needed, and what is not.

use std::collections::HashSet;

use crate::{Algorithm, Digest};

/// Digests that are needed, or were met.
///
/// Of each the first 16 bytes of its value are held. Two that begin alike, by chance one in 2^128, or by the work of somebody
/// who makes two such blobs of his own, count as one: something is kept that nobody needs. The other way round nothing can go
/// wrong. An entry takes 20 to 40 bytes, and half as much again while the set grows.
#[derive(Debug, Default)]
pub(super) struct Marks(HashSet<[u8; 16]>);

impl Marks {
    /// Whether it is new.
    pub(super) fn insert(&mut self, digest: &Digest) -> bool {
        self.0.insert(start(digest))
    }

    pub(super) fn contains(&self, digest: &Digest) -> bool {
        self.0.contains(&start(digest))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

fn start(digest: &Digest) -> [u8; 16] {
    let mut start = [0; 16];
    for (byte, pair) in start.iter_mut().zip(pairs(digest)) {
        *byte = pair;
    }
    start
}

/// A digest in 40 bytes, where the text takes more than 100.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Packed {
    Sha256([u8; 32]),
    Sha512(Box<[u8; 64]>),
}

impl From<&Digest> for Packed {
    fn from(digest: &Digest) -> Self {
        match digest.algorithm() {
            Algorithm::Sha256 => Self::Sha256(value(digest)),
            Algorithm::Sha512 => Self::Sha512(Box::new(value(digest))),
        }
    }
}

impl From<&Packed> for Digest {
    fn from(packed: &Packed) -> Self {
        match packed {
            Packed::Sha256(value) => Self::from_value(Algorithm::Sha256, value),
            Packed::Sha512(value) => Self::from_value(Algorithm::Sha512, &value[..]),
        }
    }
}

fn value<const BYTES: usize>(digest: &Digest) -> [u8; BYTES] {
    let mut value = [0; BYTES];
    for (byte, pair) in value.iter_mut().zip(pairs(digest)) {
        *byte = pair;
    }
    value
}

/// The bytes of a digest's value.
fn pairs(digest: &Digest) -> impl Iterator<Item = u8> {
    let nibble = |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 };
    let hex = digest.hex().as_bytes().chunks_exact(2);
    hex.map(move |pair| pair.iter().fold(0, |value, byte| value << 4 | nibble(*byte)))
}

#[cfg(test)]
mod tests;
