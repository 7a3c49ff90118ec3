//! An upload of which one chunk has been taken when Apus is killed in the middle of the next: it goes on from where its URL
//! says.

use bytes::Bytes;
use hyper::Method;
use tokio::task::JoinHandle;

use super::REPOSITORY;
use super::pushes::{Blob, pause, random_pace, slowly};
use crate::support::Client;
use crate::support::client::{streamed, with_digest};
use crate::support::content::random;

const SIZE: usize = 3 << 20;

/// An upload on its way.
pub(super) struct Resumed {
    blob: Blob,
    /// Bytes of each of the first two chunks.
    chunk: usize,
    /// Where it stood after the first chunk.
    location: String,
    /// Sends the second; whether that was taken.
    sending: JoinHandle<bool>,
}

/// Where an upload was found after the restart.
pub(super) enum Standing {
    BeforeTheChunk,
    BehindTheChunk,
}

impl Resumed {
    pub(super) async fn begin(client: Client) -> Self {
        let blob = Blob::new(random(SIZE));
        let chunk = rand::random_range(1..SIZE / 2);
        let begun = client.post(&format!("/v2/{REPOSITORY}/blobs/uploads/")).await.expect(202);
        let location =
            client.patch(&begun.location(), blob.content.slice(..chunk)).await.expect(202).location();
        let second = blob.content.slice(chunk..2 * chunk);
        let sending = tokio::spawn(send(client, location.clone(), second));
        Self { blob, chunk, location, sending }
    }

    /// Goes on where the restarted Apus says that it stands.
    pub(super) async fn finish(self, client: Client) -> (Standing, Blob) {
        let taken = self.sending.await.unwrap();
        let status = client.get(&self.location).await.expect(204);
        let last: usize = status.header("range").strip_prefix("0-").unwrap().parse().unwrap();
        let offset = last + 1;
        let standing = if offset == 2 * self.chunk {
            Standing::BehindTheChunk
        } else {
            assert_eq!(offset, self.chunk, "the upload stands where no chunk ended");
            assert!(!taken, "a chunk was lost that had been taken");
            Standing::BeforeTheChunk
        };
        let rest = self.blob.content.slice(offset..);
        let range = format!("{offset}-{}", SIZE - 1);
        let headers = [("content-range", &*range), ("content-type", "application/octet-stream")];
        let patched = client.request(Method::PATCH, &status.location(), &headers, rest).await.expect(202);
        client.put(&with_digest(&patched.location(), &self.blob.digest), "").await.expect(201);
        assert!(self.blob.is_readable(client).await, "an upload that went on is not there");
        (standing, self.blob)
    }
}

/// Sends a chunk until Apus is killed; whether it was taken.
async fn send(client: Client, location: String, chunk: Bytes) -> bool {
    let length = chunk.len();
    let body = streamed(slowly(chunk, pause(random_pace(), length), || ()));
    let headers = [("content-length", &*length.to_string())];
    let answer = client.try_request(Method::PATCH, &location, &headers, body).await;
    answer.map(|answer| answer.expect(202)).is_ok()
}
