//! Streams that are written straight to their final name, and those that must not become an object.

use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use futures_util::stream::{self, StreamExt};
use tokio::sync::oneshot;

use super::content::{BigContent, in_pieces, measure, pieces, random_below, random_bytes};
use super::testbed::{Case, assert_failed, assert_published, assert_same, drain};
use crate::body::{LengthMismatch, hold_back};
use crate::{Body, ByteRange, ByteStream, ErrorKind, ObjectName, Outcome, Publication, WriteMode};

/// How a body of the suite says no.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused by the conformance suite")]
pub struct Refused;

/// A stream that gives some pieces and then fails.
#[must_use]
pub fn breaking_off(bytes: &Bytes) -> ByteStream {
    Box::pin(in_pieces(bytes, 100_000).chain(stream::once(async { Err(Refused.into()) })))
}

/// A stream that gives some pieces, says so, and then gives nothing for ever.
#[must_use]
pub fn stalling(bytes: &Bytes) -> (ByteStream, oneshot::Receiver<()>) {
    let (reached, stalled) = oneshot::channel();
    let wait = async move {
        let _ = reached.send(());
        std::future::pending().await
    };
    (Box::pin(in_pieces(bytes, 100_000).chain(stream::once(wait))), stalled)
}

/// Carries over docker-registry-core `stream`: absent, streamed, whole, in part, removed, absent. Carries over distribution
/// `TestWriteReadStreams1` to `TestWriteReadStreams4` and `TestWriteReadStreamsNonUTF8`.
pub async fn small_streams(case: &Case) {
    let contents = [
        Bytes::from_static(b"a"),
        Bytes::from_static(b"\xc3\x9f"),
        Bytes::from_static(&[0x80; 4]),
        random_bytes(7),
        random_bytes(32),
        random_bytes(1 << 20),
        Bytes::new(),
    ];
    for (content, size) in contents.into_iter().flat_map(|content| [(content.clone(), 3), (content, 65_536)])
    {
        let name = case.new_name();
        case.assert_absent(&name).await;
        let body = Body::stream(content.len() as u64, in_pieces(&content, size));
        let written = case.storage().write(&name, body, WriteMode::IfAbsent).await.unwrap();
        assert_published(&written, content.len() as u64);
        case.assert_content(&name, &content).await;
        if content.len() > 1 {
            let length = content.len() as u64;
            let (first, last) = (random_below(length), random_below(length));
            let (first, last) = (first.min(last), first.max(last));
            let part = drain(case.read(&name, ByteRange::FromTo { first, last }).await.stream).await.unwrap();
            let range = usize::try_from(first).unwrap()..=usize::try_from(last).unwrap();
            assert_same(&name, &part, &content.slice(range));
        }
        assert_eq!(case.delete(&name).await, Outcome::Done);
        case.assert_absent(&name).await;
    }
}

/// Carries over docker-registry-core `stream` as its comment has it, 7 MB where the case itself had 7 bytes: absent, streamed,
/// there, read whole and in part, removed, absent.
pub async fn a_stream_of_seven_mebibytes(case: &Case) {
    let content = random_bytes(7 << 20);
    let length = content.len() as u64;
    let name = case.new_name();
    case.assert_absent(&name).await;
    let body = Body::stream(length, in_pieces(&content, 131_072));
    let written = case.storage().write(&name, body, WriteMode::Replace).await.unwrap();
    assert_published(&written, length);
    case.assert_content(&name, &content).await;
    for _ in 0..3 {
        let (first, last) = (random_below(length), random_below(length));
        let (first, last) = (first.min(last), first.max(last));
        let part = drain(case.read(&name, ByteRange::FromTo { first, last }).await.stream).await.unwrap();
        let range = usize::try_from(first).unwrap()..=usize::try_from(last).unwrap();
        assert_same(&name, &part, &content.slice(range));
    }
    assert_eq!(case.delete(&name).await, Outcome::Done);
    case.assert_absent(&name).await;
}

/// Carries over distribution `TestWriteReadLargeStreams`: 64 MiB, or what [`BIG`](super::BIG) says.
pub async fn a_large_stream(case: &Case) {
    let content = BigContent::random(super::large());
    let name = case.new_name();
    let expected = measure(content.stream(0..content.length())).await.unwrap();
    let body = Body::stream(content.length(), content.stream(0..content.length()));
    let written = case.storage().write(&name, body, WriteMode::Replace).await.unwrap();
    assert_published(&written, content.length());
    let reader = case.read(&name, ByteRange::Full).await;
    assert_eq!(measure(reader.stream).await.unwrap(), expected);
}

/// A stream in thousands of pieces, of no byte and of a few.
pub async fn a_stream_of_tiny_pieces(case: &Case) {
    let given: Vec<Bytes> = (0..5000_usize).map(|number| random_bytes(number % 23)).collect();
    let content = Bytes::from(given.concat());
    let name = case.new_name();
    let body = Body::stream(content.len() as u64, pieces(given));
    let written = case.storage().write(&name, body, WriteMode::Replace).await.unwrap();
    assert_published(&written, content.len() as u64);
    case.assert_content(&name, &content).await;
}

/// The four ways to write, and what must be there after a write that failed: a name with or without an object.
async fn fresh_and_existing(case: &Case) -> Vec<(ObjectName, WriteMode, Option<Bytes>)> {
    let mut ways = Vec::new();
    for mode in [WriteMode::IfAbsent, WriteMode::Replace] {
        ways.push((case.new_name(), mode, None));
        let (existing, content) = (case.new_name(), random_bytes(1000));
        case.put(&existing, content.clone()).await;
        ways.push((existing, mode, Some(content)));
    }
    ways
}

async fn assert_unchanged(case: &Case, name: &ObjectName, before: Option<&Bytes>) {
    match before {
        Some(content) => case.assert_content(name, content).await,
        None => case.assert_absent(name).await,
    }
}

/// Writes a body that must not become an object, in all ways, and gives its own errors back. Where an object stays anyway,
/// a backend need not look at the body.
async fn assert_not_written(
    case: &Case,
    body: impl Fn() -> Body,
    is_own_error: impl Fn(crate::BoxError) -> bool,
) {
    for (name, mode, before) in fresh_and_existing(case).await {
        let written = case.storage().write(&name, body(), mode).await;
        match (mode, &before, written) {
            (WriteMode::IfAbsent, Some(_), Ok(Publication::Existing(info))) => assert_eq!(info.size, 1000),
            (_, _, written) => {
                let error = assert_failed(written, ErrorKind::Body, "a body that must not be written");
                assert!(is_own_error(error.into_source().unwrap()), "{mode:?}: not the body's own error");
            }
        }
        assert_unchanged(case, &name, before.as_ref()).await;
    }
}

/// A body whose maker refuses it when all of it was seen: nothing changes, be it empty, of one piece or large.
pub async fn a_refused_body_changes_nothing(case: &Case) {
    for length in [0, 1, 1000, 3 << 20] {
        let content = random_bytes(length);
        let body = || {
            let stream = in_pieces(&content, 100_000);
            Body::stream(
                content.len() as u64,
                hold_back(stream, content.len() as u64, || Err(Refused.into())),
            )
        };
        assert_not_written(case, body, |error| error.is::<Refused>()).await;
    }
}

/// A verdict that is given is asked for once, and what it allows is there.
pub async fn an_allowed_body_is_written(case: &Case) {
    for (name, mode, before) in fresh_and_existing(case).await {
        let content = random_bytes(250_000);
        let (asked, answer) = oneshot::channel();
        let verdict = move || asked.send(()).map_err(|()| Refused.into());
        let stream = hold_back(in_pieces(&content, 100_000), content.len() as u64, verdict);
        let body = Body::stream(content.len() as u64, stream);
        match case.storage().write(&name, body, mode).await.unwrap() {
            Publication::Published(_) => {
                answer.await.expect("nobody asked");
                case.assert_content(&name, &content).await;
            }
            Publication::Existing(_) => {
                assert_eq!(mode, WriteMode::IfAbsent);
                assert_unchanged(case, &name, before.as_ref()).await;
            }
        }
    }
}

/// A body that ends before its length changes nothing.
pub async fn a_short_body_changes_nothing(case: &Case) {
    for (length, missing) in [(0, 1), (10, 1), (10, 1_000_000), (2 << 20, 1)] {
        let content = random_bytes(length);
        let expected = LengthMismatch::Short { expected: (length + missing) as u64, actual: length as u64 };
        let body = || Body::stream((length + missing) as u64, in_pieces(&content, 100_000));
        assert_not_written(case, body, |error| error.downcast_ref() == Some(&expected)).await;
    }
}

/// A body that goes on past its length changes nothing.
pub async fn a_long_body_changes_nothing(case: &Case) {
    for (length, extra) in [(0, 1), (10, 1), (10, 1_000_000), (2 << 20, 1)] {
        let content = random_bytes(length + extra);
        let expected = LengthMismatch::Long { expected: length as u64 };
        let body = || Body::stream(length as u64, in_pieces(&content, 100_000));
        assert_not_written(case, body, |error| error.downcast_ref() == Some(&expected)).await;
    }
}

/// A body that fails at its beginning, in the middle, or when only the last byte is missing changes nothing.
pub async fn a_body_that_breaks_off_changes_nothing(case: &Case) {
    for (length, missing) in [(0, 10), (1000, 1000), (3 << 20, 1)] {
        let content = random_bytes(length);
        let body = || Body::stream((length + missing) as u64, breaking_off(&content));
        assert_not_written(case, body, |error| error.is::<Refused>()).await;
    }
}

/// A write whose future is dropped when much of its body was taken changes nothing, then or later; and the name can be
/// written as if nothing had been.
pub async fn a_write_that_is_dropped_changes_nothing(case: &Case) {
    let content = random_bytes(3 << 20);
    for (name, mode, before) in fresh_and_existing(case).await {
        let (stream, stalled) = stalling(&content);
        let length = content.len() as u64 + 1;
        let write = case.storage().write(&name, Body::stream(length, stream), mode).boxed();
        match select(write, stalled).await {
            Either::Left((Ok(Publication::Existing(_)), _)) => assert_eq!(mode, WriteMode::IfAbsent),
            Either::Left((written, _)) => panic!("it did not wait for the body: {written:?}"),
            Either::Right((_, write)) => drop(write),
        }
        assert_unchanged(case, &name, before.as_ref()).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_unchanged(case, &name, before.as_ref()).await;
        case.put(&name, content.clone()).await;
        case.assert_content(&name, &content).await;
    }
}
