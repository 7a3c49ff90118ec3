//! Entity tags: how Swift writes them, and how they are computed. MD5 guards against accidents on the way, no more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use apus_storage::{BoxError, ByteStream, body};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::TryStreamExt;
use md5::{Digest, Md5};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

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

/// The same stream, whose last piece comes only if all of it has this tag; else `differs` comes in its place.
pub(crate) fn checked(
    stream: ByteStream,
    length: u64,
    tag: String,
    differs: impl FnOnce() -> BoxError + Send + 'static,
) -> ByteStream {
    let digest = Arc::new(Mutex::new(Md5::new()));
    let passing = Arc::clone(&digest);
    let stream = stream.inspect_ok(move |piece| locked(&passing).update(piece));
    body::hold_back(Box::pin(stream), length, move || {
        let found = HEXLOWER.encode(&locked(&digest).clone().finalize());
        if found == tag { Ok(()) } else { Err(differs()) }
    })
}

/// The length and the tag of what has passed. Computing a tag takes most of the processor's time that writing costs, so a
/// task of its own does it, a few pieces behind, and it can be left out.
#[derive(Clone)]
pub(crate) struct Tally(Arc<Mutex<Passed>>);

struct Passed {
    length: u64,
    tag: TagProgress,
}

enum TagProgress {
    LeftOut,
    /// Nothing has passed.
    Unbegun,
    Hashing {
        pieces: mpsc::Sender<Bytes>,
        digest: JoinHandle<Md5>,
    },
}

/// Pieces that may wait to be hashed; the stream waits for room. A piece is what was read from a socket at once.
const PIECES_BEHIND: usize = 4;

impl Tally {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Passed { length: 0, tag: TagProgress::Unbegun })))
    }

    /// From now on only the length is counted.
    pub(crate) fn leave_out_tag(&self) {
        locked(&self.0).tag = TagProgress::LeftOut;
    }

    pub(crate) fn length(&self) -> u64 {
        locked(&self.0).length
    }

    /// The tag of all that has passed, unless it was left out. What passes from now on is not counted.
    pub(crate) async fn tag(&self) -> Option<String> {
        let progress = std::mem::replace(&mut locked(&self.0).tag, TagProgress::LeftOut);
        match progress {
            TagProgress::LeftOut => None,
            TagProgress::Unbegun => Some(OF_NOTHING.to_owned()),
            TagProgress::Hashing { pieces, digest } => {
                drop(pieces);
                // It neither panics nor is aborted: without it, the runtime itself is ending.
                digest.await.ok().map(|digest| HEXLOWER.encode(&digest.finalize()))
            }
        }
    }

    /// Counts a piece; where it is to be hashed, unless that is left out.
    fn add(&self, piece: &Bytes) -> Option<mpsc::Sender<Bytes>> {
        let mut passed = locked(&self.0);
        passed.length += piece.len() as u64;
        if matches!(passed.tag, TagProgress::Unbegun) {
            let (pieces, behind) = mpsc::channel(PIECES_BEHIND);
            passed.tag = TagProgress::Hashing { pieces, digest: tokio::spawn(digest_of(behind)) };
        }
        match &passed.tag {
            TagProgress::Hashing { pieces, .. } => Some(pieces.clone()),
            TagProgress::Unbegun | TagProgress::LeftOut => None,
        }
    }
}

async fn digest_of(mut pieces: mpsc::Receiver<Bytes>) -> Md5 {
    let mut digest = Md5::new();
    while let Some(piece) = pieces.recv().await {
        digest.update(&piece);
    }
    digest
}

/// The same stream, counted as it passes.
pub(crate) fn tallied(stream: ByteStream) -> (ByteStream, Tally) {
    let tally = Tally::new();
    let counting = tally.clone();
    let stream = stream.and_then(move |piece| {
        let hashing = counting.add(&piece);
        async move {
            if let Some(hashing) = hashing {
                // Nobody takes it when nobody wants the tag any more.
                let _ = hashing.send(piece.clone()).await;
            }
            Ok(piece)
        }
    });
    (Box::pin(stream), tally)
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn pieces(text: &'static str) -> ByteStream {
        let pieces = text.split_inclusive(' ').map(|piece| Ok(Bytes::from_static(piece.as_bytes())));
        Box::pin(futures_util::stream::iter(pieces.collect::<Vec<_>>()))
    }

    #[tokio::test]
    async fn a_tally_agrees_with_the_whole() {
        let text = "one two three four five six seven eight";
        let (stream, tally) = tallied(pieces(text));
        let passed: Vec<Bytes> = stream.try_collect().await.unwrap();
        assert_eq!(passed.concat(), text.as_bytes());
        assert_eq!(tally.length(), text.len() as u64);
        assert_eq!(tally.tag().await.unwrap(), of_bytes(text.as_bytes()));
    }

    #[tokio::test]
    async fn a_tally_counts_what_has_passed_though_the_stream_is_not_at_its_end() {
        let (mut stream, tally) = tallied(pieces("hello world"));
        assert_eq!(tally.tag().await.unwrap(), OF_NOTHING);
        let (mut other, tally) = tallied(pieces("hello world"));
        other.try_next().await.unwrap();
        assert_eq!(tally.tag().await.unwrap(), of_bytes(b"hello "));
        assert_eq!(stream.try_next().await.unwrap().unwrap(), "hello ");
    }

    #[tokio::test]
    async fn without_a_tag_the_length_is_counted() {
        let (stream, tally) = tallied(pieces("hello world"));
        tally.leave_out_tag();
        assert_eq!(stream.try_collect::<Vec<_>>().await.unwrap().len(), 2);
        assert_eq!((tally.length(), tally.tag().await), (11, None));
    }

    #[tokio::test]
    async fn content_with_another_tag_is_not_given_whole() {
        let checked = |tag: &[u8]| checked(pieces("hello world"), 11, of_bytes(tag), || "differs".into());
        assert_eq!(checked(b"hello world").try_collect::<Vec<_>>().await.unwrap().concat(), b"hello world");
        let mut other = checked(b"hello there");
        assert_eq!(other.try_next().await.unwrap().unwrap(), "hello ");
        assert_eq!(other.try_next().await.unwrap_err().to_string(), "differs");
    }

    #[test]
    fn a_large_objects_tag_is_that_of_its_segments_tags() {
        assert_eq!(of_segments(["ab", "cd"]), of_bytes(b"abcd"));
    }
}
