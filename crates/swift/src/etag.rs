//! Entity tags: how Swift writes them, and how they are computed. MD5 guards against accidents on the way, no more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

/// The entity tag of no bytes: also that of the manifest of a dynamic large object, where Swift cannot tell its own.
pub(crate) const OF_NOTHING: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// The tag and the length of what has passed so far. Computing the tag can be left out; it takes most of the time that
/// writing costs a processor.
#[derive(Clone)]
pub(crate) struct Tally(Arc<Mutex<Sums>>);

struct Sums {
    digest: Option<Md5>,
    length: u64,
}

impl Tally {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Sums { digest: Some(Md5::new()), length: 0 })))
    }

    fn add(&self, piece: &[u8]) {
        let mut sums = self.sums();
        if let Some(digest) = &mut sums.digest {
            digest.update(piece);
        }
        sums.length += piece.len() as u64;
    }

    /// From now on only the length is counted.
    pub(crate) fn leave_out_tag(&self) {
        self.sums().digest = None;
    }

    /// The tag, unless it was left out.
    pub(crate) fn tag(&self) -> Option<String> {
        let digest = self.sums().digest.clone();
        digest.map(|digest| HEXLOWER.encode(&digest.finalize()))
    }

    pub(crate) fn length(&self) -> u64 {
        self.sums().length
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same stream, counted as it passes.
pub(crate) fn tallied(stream: ByteStream) -> (ByteStream, Tally) {
    let tally = Tally::new();
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
        let tally = Tally::new();
        tally.add(b"hello ");
        tally.add(b"world");
        assert_eq!(tally.tag().unwrap(), of_bytes(b"hello world"));
        assert_eq!(tally.tag().unwrap(), "5eb63bbbe01eeed093cb22bb8f5acdc3");
        tally.leave_out_tag();
        tally.add(b"!");
        assert_eq!((tally.tag(), tally.length()), (None, 12));
        assert_eq!(of_bytes(b""), OF_NOTHING);
    }

    #[test]
    fn a_large_objects_tag_is_that_of_its_segments_tags() {
        assert_eq!(of_segments(["ab", "cd"]), of_bytes(b"abcd"));
    }
}
