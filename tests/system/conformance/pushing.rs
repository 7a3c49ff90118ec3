//! The ways to push a blob, and what the runner insists on in each. Each way gives the answer that ends it, for the case to
//! judge: a right digest is taken, a wrong one refused.

use bytes::Bytes;
use hyper::Method;

use super::content::Blob;
use crate::protocol::uploads::{send_chunk, send_streamed};
use crate::support::client::with_digest;
use crate::support::{Answer, Client};

/// The shortest chunk, unless the registry wants longer ones.
const CHUNK: usize = 1024;

/// What is special about a push in chunks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chunks {
    /// The last chunk comes with the PUT that ends the upload.
    pub(super) last_on_put: bool,
    /// Before each chunk, one is tried that is not due.
    pub(super) out_of_order: bool,
}

async fn begin(client: Client, repository: &str) -> Answer {
    client.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202)
}

/// One POST with all of it.
pub(super) async fn by_post(client: Client, repository: &str, blob: &Blob) -> Answer {
    let path = format!("/v2/{repository}/blobs/uploads/?digest={}", blob.digest);
    let headers = [("content-type", "application/octet-stream")];
    client.request(Method::POST, &path, &headers, blob.content.clone()).await
}

/// POST, then PUT with all of it.
pub(super) async fn by_put(client: Client, repository: &str, blob: &Blob) -> Answer {
    let location = begin(client, repository).await.location();
    client.put(&with_digest(&location, &blob.digest), blob.content.clone()).await
}

/// POST, PATCH with all of it and no length, PUT with nothing.
pub(super) async fn by_stream(client: Client, repository: &str, blob: &Blob) -> Answer {
    let location = begin(client, repository).await.location();
    let patched = send_streamed(client, Method::PATCH, &location, &blob.content).await.expect(202);
    assert_eq!(patched.header("range"), format!("0-{}", blob.content.len() - 1));
    client.put(&with_digest(&patched.location(), &blob.digest), "").await
}

/// How long a chunk must be at least.
pub(super) async fn least_chunk(client: Client, repository: &str) -> usize {
    least(&begin(client, repository).await)
}

fn least(begun: &Answer) -> usize {
    match begun.header("oci-chunk-min-length") {
        "" => CHUNK,
        wanted => wanted.parse::<usize>().unwrap().max(CHUNK),
    }
}

/// POST, a PATCH for each of up to three chunks, PUT; chunks are no shorter than the registry wants them.
pub(super) async fn by_chunks(client: Client, repository: &str, blob: &Blob, chunks: Chunks) -> Answer {
    let begun = begin(client, repository).await;
    let size = least(&begun).max(blob.content.len() / 3 + 1);
    let end = blob.content.len();
    let place = |first: usize| first..(first + size).min(end);
    let mut location = begun.location();
    for due in (0..end).step_by(size).map(place) {
        if chunks.out_of_order {
            let skipping = due.start + size;
            let wrong = place(if skipping < end { skipping } else { 0 });
            let closes = chunks.last_on_put && wrong.end == end;
            let chunk = blob.content.slice(wrong.clone());
            location =
                is_not_due(client, &location, wrong.start, &chunk, closes.then_some(blob), due.start).await;
        }
        let chunk = blob.content.slice(due.clone());
        if chunks.last_on_put && due.end == end {
            let location = with_digest(&location, &blob.digest);
            return send_chunk(client, Method::PUT, &location, due.start, &chunk).await;
        }
        let patched = send_chunk(client, Method::PATCH, &location, due.start, &chunk).await.expect(202);
        assert_eq!(patched.header("range"), format!("0-{}", due.end - 1));
        location = patched.location();
    }
    client.put(&with_digest(&location, &blob.digest), "").await
}

/// A chunk that is not due is refused, with the PUT that would end the upload too; the upload stands where it stood. Gives the
/// URL by which it goes on.
async fn is_not_due(
    client: Client,
    location: &str,
    first: usize,
    chunk: &Bytes,
    closes: Option<&Blob>,
    stands_at: usize,
) -> String {
    let (method, url) = match closes {
        None => (Method::PATCH, location.to_owned()),
        Some(blob) => (Method::PUT, with_digest(location, &blob.digest)),
    };
    let refused = send_chunk(client, method, &url, first, chunk).await.expect(416);
    assert_eq!(refused.header("content-length"), refused.body.len().to_string());
    let status = client.get(&url).await.expect(204);
    // Of nothing, the specification can only say what it says of one byte.
    assert_eq!(status.header("range"), format!("0-{}", stands_at.saturating_sub(1)));
    status.location()
}

/// One POST that asks for what another repository has, or anybody.
pub(super) async fn by_mount(client: Client, repository: &str, from: Option<&str>, blob: &Blob) -> Answer {
    let from = from.map(|from| format!("&from={from}")).unwrap_or_default();
    client.post(&format!("/v2/{repository}/blobs/uploads/?mount={}{from}", blob.digest)).await
}

/// The answer says that the blob is there, and where; and there it is, byte for byte.
pub(super) async fn is_taken(client: Client, answer: Answer, repository: &str, blob: &Blob) {
    let answer = answer.expect(201);
    assert_eq!(answer.header("docker-content-digest"), blob.digest);
    assert_eq!(answer.header("content-length"), "0");
    assert_eq!(answer.location(), blob.path(repository));
    let there = client.get(&answer.location()).await.expect(200);
    assert!(there.body == blob.content, "{} bytes came back, or others", there.body.len());
}

/// The answer refuses the blob for its digest, and it is not there.
pub(super) async fn is_refused(client: Client, answer: Answer, repository: &str, blob: &Blob) {
    assert_eq!(answer.expect(400).code(), "DIGEST_INVALID");
    client.head(&blob.path(repository)).await.expect(404);
}
