//! Many clients at once.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::{Method, Request};

use super::cache_of;
use super::scripted::{Scripted, answer, streamed};
use crate::support::client::full;
use crate::support::content::{digest, random};
use crate::support::swift::Container;
use crate::support::{Apus, Backend, Client};

const CLIENTS: usize = 300;
const MEBIBYTE: usize = 1 << 20;
const SIZE: usize = 100 * MEBIBYTE;
/// KiB that the process may have held at its peak.
const LIMIT: u64 = 128 * 1024;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// Promise: 300 clients that pull one uncached layer of 100 MiB make one upstream request, and leave the peak memory under
/// 128 MiB, over the filesystem.
#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_clients_make_one_request_over_the_filesystem() {
    pull_at_once(&Backend::filesystem()).await;
}

/// Promise: the same over Swift, where nothing can be read before all of it is there.
#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_clients_make_one_request_over_swift() {
    let backend = Backend::swift_v1();
    pull_at_once(&backend).await;
    Container::open(backend.container().unwrap()).await.remove().await;
}

async fn pull_at_once(backend: &Backend) {
    let seed = random(MEBIBYTE);
    let layer: Bytes = (0..SIZE / MEBIBYTE)
        .flat_map(|number| {
            let mut block = seed.to_vec();
            block[..8].copy_from_slice(&number.to_be_bytes());
            block
        })
        .collect();
    let path = format!("/v2/library/large/blobs/{}", digest(&layer));
    let served = layer.clone();
    let upstream = Scripted::start(move |asked| {
        if asked.method == Method::HEAD {
            return answer(200, &[("content-length", &SIZE.to_string())], "");
        }
        let served = served.clone();
        let pieces = (0..SIZE).step_by(MEBIBYTE).map(move |at| Ok(served.slice(at..at + MEBIBYTE)));
        streamed(SIZE, stream::iter(pieces))
    })
    .await;
    let apus = cache_of(&upstream.url(), backend);
    let begun = Instant::now();
    let pulls = (0..CLIENTS).map(|_| tokio::spawn(pull(apus.client(), path.clone(), layer.clone())));
    for pulled in tokio::time::timeout(PATIENCE, join_all(pulls)).await.unwrap() {
        pulled.unwrap();
    }
    report(backend, &apus, begun);
    assert_eq!(upstream.blobs(), 1, "{:?}", upstream.asked());
    assert!(apus.peak_memory() < LIMIT, "the peak memory was {} KiB", apus.peak_memory());
    apus.kill();
}

fn report(backend: &Backend, apus: &Apus, begun: Instant) {
    let (seconds, peak) = (begun.elapsed().as_secs_f64(), apus.peak_memory());
    println!("{}: {CLIENTS} pulls of 100 MiB in {seconds:.1} s; VmHWM {peak} KiB", backend.name);
}

/// Reads the layer, and compares each byte.
async fn pull(client: Client, path: String, layer: Bytes) {
    let request = Request::get(path).header("host", "apus").body(full("")).unwrap();
    let answer = client.try_open(request).await.unwrap();
    assert_eq!(answer.status(), 200, "{answer:?}");
    let (mut body, mut at) = (answer.into_body(), 0);
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        assert!(piece == layer[at..at + piece.len()], "other bytes at {at}");
        at += piece.len();
    }
    assert_eq!(at, layer.len());
}
