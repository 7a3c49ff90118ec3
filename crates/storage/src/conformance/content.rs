//! Contents to write: random, so that no backend can guess them, and big ones that are never in memory as a whole.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, TryStreamExt};
use rand::distr::{Alphanumeric, SampleString};
use rand::{Rng, RngExt};
use sha2::{Digest, Sha256};

use crate::{BoxError, ByteStream};

/// Random bytes.
#[must_use]
pub fn random_bytes(length: usize) -> Bytes {
    let mut bytes = vec![0; length];
    rand::rng().fill_bytes(&mut bytes);
    bytes.into()
}

/// Random letters and digits.
#[must_use]
pub fn random_text(length: usize) -> String {
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

/// A random number below `end`.
#[must_use]
pub fn random_below(end: u64) -> u64 {
    rand::rng().random_range(0..end)
}

/// The SHA-256 of bytes.
#[must_use]
pub fn hash(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(&Sha256::digest(bytes))
}

/// Pieces as a stream.
#[must_use]
pub fn pieces(pieces: Vec<Bytes>) -> ByteStream {
    Box::pin(stream::iter(pieces.into_iter().map(Ok)))
}

/// Bytes as a stream of pieces of at most `size`.
#[must_use]
pub fn in_pieces(bytes: &Bytes, size: usize) -> ByteStream {
    let starts = (0..bytes.len()).step_by(size);
    pieces(starts.map(|start| bytes.slice(start..bytes.len().min(start + size))).collect())
}

/// The length and SHA-256 of a stream.
pub async fn measure(mut stream: ByteStream) -> Result<(u64, Bytes), BoxError> {
    let (mut length, mut hasher) = (0, Sha256::new());
    while let Some(piece) = stream.try_next().await? {
        length += piece.len() as u64;
        hasher.update(&piece);
    }
    Ok((length, Bytes::copy_from_slice(&hasher.finalize())))
}

/// A big content: a random block, again and again, each time with its number in front, so that no two are alike.
#[derive(Debug, Clone)]
pub struct BigContent {
    block: Bytes,
    length: u64,
}

impl BigContent {
    const BLOCK: u64 = 128 * 1024;

    /// A new content of so many bytes.
    #[must_use]
    pub fn random(length: u64) -> Self {
        Self { block: random_bytes(usize::try_from(Self::BLOCK).unwrap()), length }
    }

    /// How many bytes.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The bytes of a range, from block to block.
    #[must_use]
    pub fn stream(&self, range: Range<u64>) -> ByteStream {
        assert!(range.end <= self.length);
        let content = self.clone();
        let blocks = range.start / Self::BLOCK..range.end.div_ceil(Self::BLOCK);
        Box::pin(stream::iter(blocks.map(move |number| {
            let start = number * Self::BLOCK;
            let within =
                |offset: u64| usize::try_from(offset.clamp(start, start + Self::BLOCK) - start).unwrap();
            Ok(content.numbered(number).slice(within(range.start)..within(range.end)))
        })))
    }

    fn numbered(&self, number: u64) -> Bytes {
        let mut block = self.block.to_vec();
        block[..8].copy_from_slice(&number.to_be_bytes());
        block.into()
    }
}
