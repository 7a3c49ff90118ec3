//! Blobs: pushed in one request, in chunks, and without being sent at all; asked for and read.

use bytes::Bytes;
use hyper::Method;

use super::{Counted, KIB, MIB, counted_twice};
use crate::support::Client;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};

async fn push_in_chunks(client: Client, repository: &str, content: &Bytes, chunk: usize) {
    let mut location = client.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202).location();
    for chunk in content.chunks(chunk) {
        location = client.patch(&location, Bytes::copy_from_slice(chunk)).await.expect(202).location();
    }
    client.put(&with_digest(&location, &digest(content)), "").await.expect(201);
}

async fn pushing(mut counted: Counted) {
    let client = counted.client();
    for (size, name) in [(KIB, "1 KiB"), (3 * MIB, "3 MiB")] {
        client.push("a", random(size)).await;
        counted.charge(&format!("blob push of {name}, POST + PUT"), 3).await;
        client.push_by_patch("a", random(size)).await;
        counted.charge(&format!("blob push of {name}, POST + PATCH + PUT"), 6).await;
    }
    push_in_chunks(client, "a", &random(64 * MIB), 16 * MIB).await;
    counted.charge("blob push of 64 MiB in four chunks", 14).await;
    counted.settle();
}

async fn mounting(mut counted: Counted) {
    let client = counted.client();
    let blob = client.push("a", random(KIB)).await;
    counted.forget().await;
    client.post(&format!("/v2/b/blobs/uploads/?mount={blob}&from=a")).await.expect(201);
    counted.charge("mount, warm", 3).await;
    let client = counted.cold().await;
    client.post(&format!("/v2/c/blobs/uploads/?mount={blob}&from=a")).await.expect(201);
    counted.charge("mount, cold", 3).await;
    counted.settle();
}

/// HEAD, and GET streamed through.
async fn pulling(mut counted: Counted) {
    let small = counted.client().push("a", random(KIB)).await;
    let large = random(3 * MIB);
    push_in_chunks(counted.client(), "a", &large, 2 * MIB).await;
    for (blob, name) in [(small, "1 KiB"), (digest(&large), "3 MiB in two segments")] {
        let path = format!("/v2/a/blobs/{blob}");
        for (method, cold, warm) in [(Method::HEAD, 2, 1), (Method::GET, 2, 2)] {
            let client = counted.cold().await;
            client.request(method.clone(), &path, &[], "").await.expect(200);
            counted.charge(&format!("{method} blob of {name}, cold"), cold).await;
            client.request(method.clone(), &path, &[], "").await.expect(200);
            counted.charge(&format!("{method} blob of {name}, warm"), warm).await;
        }
    }
    counted.settle();
}

/// GET where clients are sent to Swift; what they ask there is not counted.
async fn redirecting(counted: Counted) {
    let mut counted = counted.redirecting().await;
    let blob = counted.client().push("a", random(KIB)).await;
    let client = counted.cold().await;
    for (state, budget) in [("cold", 2), ("warm", 1)] {
        client.get_here(&format!("/v2/a/blobs/{blob}"), &[]).await.expect(307);
        counted.charge(&format!("GET blob, redirected, {state}"), budget).await;
    }
    counted.settle();
}

counted_twice!(pushing, mounting, pulling, redirecting);
