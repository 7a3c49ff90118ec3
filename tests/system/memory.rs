//! Memory: what a push and a pull take does not grow with the blob.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::{Method, Request};
use sha2::{Digest, Sha256};

use crate::support::client::{RequestBody, full, streamed, with_digest};
use crate::support::content::random;
use crate::support::swift::Container;
use crate::support::{Answer, Apus, Backend, Client};

const MEBIBYTE: usize = 1 << 20;
const MEBIBYTES: u32 = 2048;
const SIZE: usize = MEBIBYTES as usize * MEBIBYTE;
/// MiB that the process may have held at its peak, beside the pages of its program.
const LIMIT: u64 = 48;

/// Promise: a push of 2 GiB to Swift, in one stream of unknown length or in one body of known length, and a pull leave the
/// peak memory of the process under 48 MiB, beside the pages of its program.
#[tokio::test(flavor = "multi_thread")]
async fn two_gibibytes_go_through_48_mebibytes_of_memory() {
    let seed = random(MEBIBYTE);

    let (apus, backend) = start();
    let begun = Instant::now();
    let digest = push_by_patch(apus.client(), &seed).await;
    report("PATCH of unknown length and PUT", &apus, begun);
    pull(&apus, &digest).await;
    end(apus, &backend).await;

    let (apus, backend) = start();
    let begun = Instant::now();
    push_by_put(apus.client(), &seed, &digest).await;
    report("PUT of known length", &apus, begun);
    let head = apus.client().head(&format!("/v2/large/blobs/{digest}")).await.expect(200);
    assert_eq!(head.header("content-length"), SIZE.to_string());
    end(apus, &backend).await;
}

fn start() -> (Apus, Backend) {
    let backend = Backend::swift_v1();
    (Apus::start(backend.storage()), backend)
}

async fn end(apus: Apus, backend: &Backend) {
    apus.kill();
    Container::open(backend.container().unwrap()).await.remove().await;
}

/// Says how long something took, and fails when it took too much memory.
fn report(what: &str, apus: &Apus, begun: Instant) {
    let (seconds, program) = (begun.elapsed().as_secs_f64(), apus.program_memory());
    let peak = apus.peak_memory() - program;
    let speed = f64::from(MEBIBYTES) / seconds;
    println!(
        "{what}: {MEBIBYTES} MiB in {seconds:.1} s, {speed:.0} MiB/s; {peak} KiB at its peak, beside {program} KiB of the program"
    );
    assert!(peak < LIMIT * 1024, "{what}: the peak memory was {peak} KiB");
}

/// The blob, a mebibyte at a time. Each is numbered, so that no two are alike.
fn blocks(seed: &Bytes) -> impl Iterator<Item = Bytes> + Send + Sync + 'static {
    let seed = seed.clone();
    (0..MEBIBYTES).map(move |number| {
        let mut block = seed.to_vec();
        block[..4].copy_from_slice(&number.to_be_bytes());
        block.into()
    })
}

async fn push_by_patch(client: Client, seed: &Bytes) -> String {
    let hash = Arc::new(Mutex::new(Sha256::new()));
    let hashed = Arc::clone(&hash);
    let blocks = blocks(seed).inspect(move |block| hashed.lock().unwrap().update(block));
    let begun = client.post("/v2/large/blobs/uploads/").await.expect(202);
    let patched = send(client, Method::PATCH, &begun.location(), None, streamed(stream::iter(blocks)))
        .await
        .expect(202);
    let digest = text(&hash.lock().unwrap().clone());
    client.put(&with_digest(&patched.location(), &digest), "").await.expect(201);
    digest
}

async fn push_by_put(client: Client, seed: &Bytes, digest: &str) {
    let begun = client.post("/v2/large/blobs/uploads/").await.expect(202);
    let path = with_digest(&begun.location(), digest);
    send(client, Method::PUT, &path, Some(SIZE), streamed(stream::iter(blocks(seed)))).await.expect(201);
}

async fn send(
    client: Client,
    method: Method,
    path: &str,
    length: Option<usize>,
    body: RequestBody,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path).header("host", "apus");
    if let Some(length) = length {
        request = request.header("content-length", length);
    }
    client.send(request.body(body).unwrap()).await
}

/// Reads the blob back, and hashes it.
async fn pull(apus: &Apus, digest: &str) {
    let begun = Instant::now();
    let request = Request::get(format!("/v2/large/blobs/{digest}")).header("host", "apus");
    let answer = apus.client().try_open(request.body(full("")).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200, "{answer:?}");
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        length += piece.len();
        hash.update(&piece);
    }
    assert_eq!((length, text(&hash)), (SIZE, digest.to_owned()));
    report("GET", apus, begun);
}

fn text(hash: &Sha256) -> String {
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&hash.clone().finalize()))
}
