use apus_registry::{Blob, Error as RegistryError};
use apus_storage::{BoxError, ByteRange};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, future::join_all, stream};
use http::Method;
use tokio::sync::Semaphore;

use super::*;
use crate::upstream::{IntoSync, blob, cut, digest, status, streamed, with};

const MIB: usize = 1 << 20;

fn content(length: usize) -> Bytes {
    let words = (0_u64..).flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    words.take(length).collect::<Vec<u8>>().into()
}

/// What came of a blob until its end, or until it broke.
async fn read(blob: Blob) -> (Bytes, Result<(), BoxError>) {
    let (mut stream, mut whole) = (blob.stream, BytesMut::new());
    loop {
        match tokio::time::timeout(LIMIT, stream.try_next()).await.unwrap() {
            Ok(Some(piece)) => whole.extend_from_slice(&piece),
            Ok(None) => return (whole.freeze(), Ok(())),
            Err(error) => return (whole.freeze(), Err(error)),
        }
    }
}

fn gets(upstream: &Upstream) -> usize {
    upstream
        .asked()
        .iter()
        .filter(|asked| asked.method == Method::GET && asked.path.contains("/blobs/"))
        .count()
}

/// A blob whose second half comes when the gate opens.
async fn gated(content: &Bytes, gate: &Arc<Semaphore>) -> Upstream {
    let (content, gate) = (content.clone(), Arc::clone(gate));
    Upstream::start(move |asked| {
        if asked.method == Method::HEAD {
            return blob(asked, &content);
        }
        let half = content.len() / 2;
        let (first, second) = (content.slice(..half), content.slice(half..));
        let gate = Arc::clone(&gate);
        let second = stream::once(async move {
            let _permit = gate.acquire().await?;
            Ok(second)
        });
        streamed(content.len(), stream::iter([Ok(first)]).chain(second).boxed().into_sync())
    })
    .await
}

/// Promise: all who ask for a missing blob stream it as it arrives, by one request, and then it is here.
#[tokio::test]
async fn one_fetch_for_all_who_ask() {
    let (content, gate) = (content(MIB), Arc::new(Semaphore::new(0)));
    let upstream = gated(&content, &gate).await;
    let (here, digest) = (here(&upstream), digest(&content));
    let repository = name("library/a");
    let opened = join_all((0..50).map(|_| here.cache.open_blob(&repository, &digest, ByteRange::Full))).await;
    let half = content.len() / 2;
    let halves = join_all(opened.into_iter().map(async |blob| {
        let Blob { size, range, mut stream } = blob.unwrap();
        assert_eq!((size, range), (MIB as u64, 0..MIB as u64));
        let mut whole = BytesMut::new();
        while whole.len() < half {
            whole.extend_from_slice(&stream.try_next().await.unwrap().unwrap());
        }
        (whole, stream)
    }));
    // Nobody has all of it yet, and all have the first half.
    let halves = tokio::time::timeout(LIMIT, halves).await.unwrap();
    gate.add_permits(1);
    let wholes = join_all(halves.into_iter().map(async |(mut whole, stream)| {
        stream
            .try_for_each(|piece| {
                whole.extend_from_slice(&piece);
                std::future::ready(Ok(()))
            })
            .await
            .unwrap();
        whole.freeze()
    }));
    assert!(wholes.await.iter().all(|whole| *whole == content));
    assert_eq!(gets(&upstream), 1);

    here.wait_until("it is here", async || here.registry.blob_info(&repository, &digest).await.is_ok()).await;
    let again = here.cache.open_blob(&repository, &digest, ByteRange::From(5)).await.unwrap();
    let (rest, end) = read(again).await;
    assert!(end.is_ok() && rest == content[5..]);
    assert_eq!(gets(&upstream), 1);
}

/// Promise: who comes too late for the window, who asks for a part, and who is too slow read on from storage, without another
/// request.
#[tokio::test]
async fn late_and_slow_readers_read_on_from_storage() {
    let (content, gate) = (content(40 * MIB), Arc::new(Semaphore::new(0)));
    let upstream = gated(&content, &gate).await;
    let (here, digest, repository) = (here(&upstream), digest(&content), name("a"));
    let open = |range| here.cache.open_blob(&repository, &digest, range);
    let mut slow = open(ByteRange::Full).await.unwrap();
    let first = slow.stream.try_next().await.unwrap().unwrap();
    let fast = tokio::spawn(read(open(ByteRange::Full).await.unwrap()));
    let part = tokio::spawn(read(
        open(ByteRange::FromTo { first: 30 * MIB as u64, last: 31 * MIB as u64 }).await.unwrap(),
    ));
    // The first half passes by: the slow one is left behind, and what came first is kept no longer.
    let mut ahead = open(ByteRange::From(19 * MIB as u64)).await.unwrap();
    ahead.stream.try_next().await.unwrap().unwrap();
    let late = tokio::spawn(read(open(ByteRange::Full).await.unwrap()));
    drop(ahead);
    gate.add_permits(1);
    let (whole, end) = fast.await.unwrap();
    assert!(end.is_ok() && whole == content);
    let (whole, end) = late.await.unwrap();
    assert!(end.is_ok() && whole == content);
    let (whole, end) = part.await.unwrap();
    assert!(end.is_ok() && whole == content[30 * MIB..=31 * MIB]);
    let (rest, end) = read(slow).await;
    assert!(end.is_ok() && rest == content[first.len()..]);
    assert_eq!(gets(&upstream), 1);
}

/// Promise: where the connection breaks, the rest is asked for, and nobody notices.
#[tokio::test]
async fn a_blob_that_breaks_off_is_taken_up_again() {
    let content = content(MIB);
    let script = content.clone();
    let upstream = Upstream::start(move |asked| match asked.offset() {
        0 => cut(&script, 0, 1000),
        1000 => cut(&script, 1000, 500),
        _ => blob(asked, &script),
    })
    .await;
    let (here, digest, repository) = (here(&upstream), digest(&content), name("a"));
    let (whole, end) = read(here.cache.open_blob(&repository, &digest, ByteRange::Full).await.unwrap()).await;
    assert!(end.is_ok() && whole == content);
    let ranges: Vec<String> = upstream.asked().iter().map(|asked| asked.header("range").to_owned()).collect();
    assert_eq!(ranges, ["", "bytes=1000-", "bytes=1500-"]);
}

/// Promise: a blob that ends early and cannot be taken up again breaks the connection of its readers, and nothing of it stays.
#[tokio::test]
async fn nothing_stays_of_a_blob_that_ends_early() {
    let (content, gate) = (content(MIB), Arc::new(Semaphore::new(0)));
    let (script, opened) = (content.clone(), Arc::clone(&gate));
    let upstream = Upstream::start(move |asked| {
        if asked.offset() > 0 {
            return status(404);
        }
        let (first, opened) = (script.slice(..1000), Arc::clone(&opened));
        let broken = stream::once(async move {
            let _permit = opened.acquire().await?;
            Err("cut".into())
        });
        streamed(script.len(), stream::iter([Ok(first)]).chain(broken).boxed().into_sync())
    })
    .await;
    let (here, digest, repository) = (here(&upstream), digest(&content), name("a"));
    let mut opened = here.cache.open_blob(&repository, &digest, ByteRange::Full).await.unwrap();
    assert_eq!(opened.stream.try_next().await.unwrap().unwrap(), content[..1000]);
    gate.add_permits(1);
    let (part, end) = read(opened).await;
    assert!(end.is_err() && part.is_empty(), "{} {end:?}", part.len());
    assert_eq!(here.names().await, Vec::<String>::new());
    let script = content.clone();
    upstream.now_plays(move |asked| blob(asked, &script));
    let (whole, end) = read(here.cache.open_blob(&repository, &digest, ByteRange::Full).await.unwrap()).await;
    assert!(end.is_ok() && whole == content);
}

/// Promise (A11): wrong bytes never reach the end of an answer, and never storage: of the right length, shorter or longer.
#[tokio::test]
async fn a11_a_poisoned_blob_is_neither_ended_nor_kept() {
    let content = content(MIB);
    let mut flipped = content.to_vec();
    flipped[MIB / 2] ^= 1;
    let longer = [&content[..], b"x"].concat();
    for poison in [Bytes::from(flipped), content.slice(..MIB - 1), longer.into()] {
        let script = poison.clone();
        let upstream = Upstream::start(move |asked| blob(asked, &script)).await;
        let (here, digest, repository) = (here(&upstream), digest(&content), name("a"));
        for _ in 0..2 {
            match here.cache.open_blob(&repository, &digest, ByteRange::Full).await {
                // It may prove wrong before the first reader looks.
                Err(error) => assert_eq!(kind(&error), UpstreamErrorKind::Wrong),
                Ok(blob) => {
                    let size = blob.size;
                    let (part, end) = read(blob).await;
                    assert!(end.is_err() && (part.len() as u64) < size, "{} of {size}: {end:?}", part.len());
                }
            }
        }
        assert_eq!(here.names().await, Vec::<String>::new());
        assert_eq!(gets(&upstream), 2);
    }
}

#[tokio::test]
async fn what_the_upstream_says_is_told_apart() {
    let upstream = Upstream::start(|_| status(404)).await;
    let (here, digest, repository) = (here(&upstream), digest(b"x"), name("a"));
    for (code, is) in [
        (401, UpstreamErrorKind::Denied),
        (403, UpstreamErrorKind::Denied),
        (429, UpstreamErrorKind::TooManyRequests { retry_after: None }),
        (503, UpstreamErrorKind::Unavailable),
        (418, UpstreamErrorKind::Wrong),
    ] {
        upstream.now_plays(move |_| status(code));
        let error = here.cache.open_blob(&repository, &digest, ByteRange::Full).await.unwrap_err();
        assert_eq!(kind(&error), is, "{code}");
        assert_eq!(kind(&here.cache.blob_size(&repository, &digest).await.unwrap_err()), is, "{code}");
    }
    upstream.now_plays(|_| status(404));
    let error = here.cache.open_blob(&repository, &digest, ByteRange::Full).await.unwrap_err();
    assert!(matches!(error, Error::Registry(error) if matches!(*error, RegistryError::BlobUnknown { .. })));
}

/// Promise (A11): that the bytes are here gives them to no repository that does not have them at the upstream.
#[tokio::test]
async fn a11_bytes_that_are_here_are_given_only_to_repositories_that_have_them() {
    let content = content(1000);
    let script = content.clone();
    let upstream =
        Upstream::start(
            move |asked| if asked.path.contains("/c/") { status(404) } else { blob(asked, &script) },
        )
        .await;
    let (here, digest) = (here(&upstream), digest(&content));
    read(here.cache.open_blob(&name("a"), &digest, ByteRange::Full).await.unwrap()).await.1.unwrap();
    let is_here = async || here.registry.blob_info(&name("a"), &digest).await.is_ok();
    here.wait_until("it is here", is_here).await;
    upstream.take();
    read(here.cache.open_blob(&name("b"), &digest, ByteRange::Full).await.unwrap()).await.1.unwrap();
    assert_eq!(upstream.take(), [format!("HEAD /v2/b/blobs/{digest}")]);
    assert!(here.cache.open_blob(&name("c"), &digest, ByteRange::Full).await.is_err());
    assert_eq!(upstream.take(), [format!("HEAD /v2/c/blobs/{digest}")]);
}

/// Promise (A11): of two repositories that ask at the same time, the second is let in on the upstream's word alone.
#[tokio::test]
async fn a11_a_fetch_is_shared_only_with_repositories_that_have_the_blob() {
    let (content, gate) = (content(MIB), Arc::new(Semaphore::new(0)));
    let upstream = gated(&content, &gate).await;
    let (here, digest) = (here(&upstream), digest(&content));
    let first = here.cache.open_blob(&name("a"), &digest, ByteRange::Full).await.unwrap();
    let second = here.cache.open_blob(&name("b"), &digest, ByteRange::Full).await.unwrap();
    let script = content.clone();
    upstream
        .now_plays(move |asked| if asked.is(&Method::HEAD, "") { status(404) } else { blob(asked, &script) });
    assert!(here.cache.open_blob(&name("c"), &digest, ByteRange::Full).await.is_err());
    gate.add_permits(1);
    for blob in [first, second] {
        let (whole, end) = read(blob).await;
        assert!(end.is_ok() && whole == content);
    }
    for repository in ["a", "b"] {
        let is_here = async || here.registry.blob_info(&name(repository), &digest).await.is_ok();
        here.wait_until("it is here", is_here).await;
    }
    assert!(here.registry.blob_info(&name("c"), &digest).await.is_err());
    assert_eq!(gets(&upstream), 1);
}

#[tokio::test]
async fn an_empty_blob() {
    let upstream = Upstream::start(|asked| {
        if asked.method == Method::HEAD { status(200) } else { with(200, &[("content-length", "0")], "") }
    })
    .await;
    let (here, digest) = (here(&upstream), digest(b""));
    let (whole, end) = read(here.cache.open_blob(&name("a"), &digest, ByteRange::Full).await.unwrap()).await;
    assert!(end.is_ok() && whole.is_empty());
    let is_here = async || here.registry.blob_info(&name("a"), &digest).await.is_ok();
    here.wait_until("it is here", is_here).await;
}
