//! One upload of 50 chunks: each goes to another process than the one before it, one process is stopped and the other one
//! killed on the way, each with a new one in its place.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use hyper::Method;

use super::{NOTHING_SHARED, Replicas, SHARED_SECRET};
use crate::protocol::uploads::send_chunk;
use crate::support::Backend;
use crate::support::client::{streamed, with_digest};
use crate::support::content::{digest, random};

const CHUNKS: usize = 50;
/// Sizes on either side of what Swift stores as a segment of its own.
const SIZES: [usize; 5] = [1000, 300_000, 1_200_000, 17, 90_000];
/// Before this chunk the process that had the one before it is told to end.
const STOPPED: usize = 20;
/// While it takes this chunk, a process is killed.
const KILLED: usize = 35;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_chunks_by_processes_that_share_a_secret() {
    fifty_chunks(Replicas::start(Backend::swift_v1(), SHARED_SECRET).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_chunks_by_processes_that_share_nothing() {
    fifty_chunks(Replicas::start(Backend::swift_v3(), NOTHING_SHARED).await).await;
}

async fn fifty_chunks(mut replicas: Replicas) {
    let client = replicas.client();
    // Both need the secret at the same moment, and one of them has to make it.
    let begin = || client.post("/v2/a/blobs/uploads/");
    let (begun, other) = future::join(begin(), begin()).await;
    other.expect(202);
    let mut location = begun.expect(202).location();
    let mut content = Vec::new();
    for (number, size) in SIZES.into_iter().cycle().take(CHUNKS).enumerate() {
        if number == STOPPED {
            let mut stopped = replicas.replace(1 - replicas.proxy.next());
            stopped.terminate();
            assert!(stopped.wait(Duration::from_mins(1)).success());
        }
        let chunk = random(size);
        if number == KILLED {
            location = killed_at(&mut replicas, &location, content.len()).await;
        }
        let (first, replica) = (content.len(), replicas.proxy.next());
        let answer = send_chunk(client, Method::PATCH, &location, first, &chunk).await.expect(202);
        content.extend_from_slice(&chunk);
        assert_eq!(answer.header("range"), format!("0-{}", content.len() - 1), "chunk {number}");
        location = answer.location();
        assert_ne!(replicas.proxy.next(), replica);
    }
    let content = Bytes::from(content);
    let last = client.put(&with_digest(&location, &digest(&content)), "").await.expect(201);
    assert_eq!(last.header("docker-content-digest"), digest(&content));
    for client in replicas.each() {
        assert!(client.get(&last.location()).await.expect(200).body == content);
        client.get(&location).await.expect(404);
    }
}

/// A process is killed in the middle of a chunk: the upload stands at the other one where it stood before. Answers its URL.
async fn killed_at(replicas: &mut Replicas, location: &str, offset: usize) -> String {
    let (client, replica) = (replicas.client(), replicas.proxy.next());
    let halves = stream::iter([Duration::ZERO, Duration::from_mins(1)]).then(async |pause| {
        tokio::time::sleep(pause).await;
        random(1_500_000)
    });
    let body = streamed(Box::pin(halves));
    let chunk = client.try_request(Method::PATCH, location, &[("content-length", "3000000")], body);
    let kill = async {
        while replicas.proxy.next() == replica {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // It has the chunk, and takes the first half of it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        replicas.replace(replica).kill();
    };
    let (broken, ()) = future::join(chunk, kill).await;
    assert!(broken.is_err() || broken.is_ok_and(|answer| answer.status == 502));
    let status = client.get(location).await.expect(204);
    assert_eq!(status.header("range"), format!("0-{}", offset - 1));
    status.location()
}
