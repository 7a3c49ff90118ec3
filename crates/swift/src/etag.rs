//! Entity tags: how Swift writes them, and how they are computed. MD5 guards against accidents on the way, no more.

use std::sync::{Arc, Mutex, PoisonError};

use apus_storage::ByteStream;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::StreamExt;
use md5::{Digest, Md5};

/// The entity tag of a plain object of these bytes.
pub(crate) fn of_bytes(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Md5::digest(bytes))
}

/// The entity tag of a static large object whose segments have these tags.
pub(crate) fn of_segments<'a>(tags: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Md5::new();
    for tag in tags {
        digest.update(tag.as_bytes());
    }
    HEXLOWER.encode(&digest.finalize())
}

/// A tag without its quotes. Swift gives large objects' tags with and all others' without; Ceph RGW does it either way.
pub(crate) fn unquoted(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

/// The tag and the length of what has passed so far.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<(Md5, u64)>>);

impl Tally {
    pub(crate) fn add(&self, piece: &[u8]) {
        let mut tally = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tally.0.update(piece);
        tally.1 += piece.len() as u64;
    }

    pub(crate) fn tag(&self) -> String {
        let digest = self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
        HEXLOWER.encode(&digest.finalize())
    }

    pub(crate) fn length(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

/// The same stream, counted as it passes.
pub(crate) fn tallied(stream: ByteStream) -> (ByteStream, Tally) {
    let tally = Tally::default();
    let counting = tally.clone();
    let stream = stream.inspect(move |piece: &Result<Bytes, _>| {
        if let Ok(piece) = piece {
            counting.add(piece);
        }
    });
    (Box::pin(stream), tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_without_their_quotes() {
        for tag in ["\"abc\"", "abc", "W/\"abc\""] {
            assert_eq!(unquoted(tag), "abc");
        }
    }

    #[test]
    fn a_tally_agrees_with_the_whole() {
        let tally = Tally::default();
        tally.add(b"hello ");
        tally.add(b"world");
        assert_eq!(tally.tag(), of_bytes(b"hello world"));
        assert_eq!(tally.tag(), "5eb63bbbe01eeed093cb22bb8f5acdc3");
        assert_eq!(tally.length(), 11);
    }

    #[test]
    fn a_large_objects_tag_is_that_of_its_segments_tags() {
        assert_eq!(of_segments(["ab", "cd"]), of_bytes(b"abcd"));
    }
}
