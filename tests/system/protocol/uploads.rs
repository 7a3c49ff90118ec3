//! The ways in which a blob comes in (OCI distribution specification, "Pushing blobs").

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::{Method, Request};

use super::{Site, over_every_backend};
use crate::support::client::with_digest;
use crate::support::content::{digest, digest_512, random};
use crate::support::{Answer, Client};

/// Sizes on either side of what the Swift backend keeps in memory, and what no multiple of anything is.
const SIZES: [usize; 3] = [1, 1000, (3 << 20) + 17];

impl Site {
    /// The repository has this blob, whole.
    pub(super) async fn has(&self, repository: &str, content: &Bytes) {
        self.has_by(repository, content, &digest(content)).await;
    }

    async fn has_by(&self, repository: &str, content: &Bytes, digest: &str) {
        let answer = self.client().get(&format!("/v2/{repository}/blobs/{digest}")).await.expect(200);
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert!(answer.body == *content, "{} bytes came back, or others", answer.body.len());
    }
}

/// The answer to the end of an upload names the blob.
#[track_caller]
fn created(answer: Answer, repository: &str, digest: &str) {
    let answer = answer.expect(201);
    assert_eq!(answer.location(), format!("/v2/{repository}/blobs/{digest}"));
    assert_eq!(answer.header("docker-content-digest"), digest);
    assert_eq!(answer.header("content-length"), "0");
}

/// The answer says where an upload stands, and how it goes on.
#[track_caller]
fn stands_at(answer: Answer, status: u16, range: &str) -> String {
    let answer = answer.expect(status);
    assert_eq!(answer.header("range"), range);
    let id = answer.header("docker-upload-uuid");
    assert!(!id.is_empty() && answer.location().contains(id), "{answer:?}");
    answer.location()
}

/// One chunk, with the place at which it belongs.
pub(crate) async fn send_chunk(
    client: Client,
    method: Method,
    location: &str,
    first: usize,
    chunk: &Bytes,
) -> Answer {
    let range = format!("{first}-{}", first + chunk.len() - 1);
    let headers = [("content-type", "application/octet-stream"), ("content-range", &*range)];
    client.request(method, location, &headers, chunk.clone()).await
}

/// One request whose length nobody says beforehand.
pub(crate) async fn send_streamed(client: Client, method: Method, location: &str, content: &Bytes) -> Answer {
    let pieces: Vec<_> = content.chunks(100_000).map(Bytes::copy_from_slice).collect();
    let frames = stream::iter(pieces.into_iter().map(|piece| Ok(Frame::data(piece))));
    let body = BodyExt::boxed(StreamBody::new(frames));
    client
        .send(Request::builder().method(method).uri(location).header("host", "apus").body(body).unwrap())
        .await
}

/// POST, then PUT with all of it: containerd, BuildKit.
async fn post_and_put(site: &Site) {
    let client = site.client();
    for size in SIZES {
        let content = random(size);
        let begun = client.post("/v2/a/b/blobs/uploads/").await;
        assert_eq!(begun.header("content-length"), "0");
        let location = stands_at(begun, 202, "0-0");
        let put = client.put(&with_digest(&location, &digest(&content)), content.clone()).await;
        created(put, "a/b", &digest(&content));
        site.has("a/b", &content).await;
    }
}

/// POST, PATCH with all of it, PUT with nothing: docker, podman, skopeo.
async fn post_patch_and_put(site: &Site) {
    let client = site.client();
    for size in SIZES {
        let content = random(size);
        let location = site.begin("a").await;
        let patched = client.patch(&location, content.clone()).await;
        let location = stands_at(patched, 202, &format!("0-{}", size - 1));
        created(client.put(&with_digest(&location, &digest(&content)), "").await, "a", &digest(&content));
        site.has("a", &content).await;
    }
}

/// A body of a length that nobody said: docker and podman send their layers so.
async fn bodies_of_unknown_length(site: &Site) {
    let client = site.client();
    for size in SIZES {
        let content = random(size);
        let location = site.begin("a").await;
        let patched = send_streamed(client, Method::PATCH, &location, &content).await;
        let location = stands_at(patched, 202, &format!("0-{}", size - 1));
        created(client.put(&with_digest(&location, &digest(&content)), "").await, "a", &digest(&content));
        site.has("a", &content).await;

        let content = random(size);
        let location = with_digest(&site.begin("a").await, &digest(&content));
        let put = send_streamed(client, Method::PUT, &location, &content).await;
        created(put, "a", &digest(&content));
        site.has("a", &content).await;
    }
}

/// Chunks that say where they belong; the last one comes with the PUT, or before it.
async fn chunks_with_their_places(site: &Site) {
    let client = site.client();
    for last_on_put in [true, false] {
        let chunks = [random(1_500_000), random(10), random(1 << 20), random(700_001)];
        let content = Bytes::from(chunks.concat());
        let mut location = site.begin("a").await;
        let mut first = 0;
        let (last, others) = chunks.split_last().unwrap();
        for chunk in others {
            let answer = send_chunk(client, Method::PATCH, &location, first, chunk).await;
            first += chunk.len();
            location = stands_at(answer, 202, &format!("0-{}", first - 1));
        }
        let put = if last_on_put {
            let location = with_digest(&location, &digest(&content));
            send_chunk(client, Method::PUT, &location, first, last).await
        } else {
            let answer = send_chunk(client, Method::PATCH, &location, first, last).await;
            let location = stands_at(answer, 202, &format!("0-{}", content.len() - 1));
            client.put(&with_digest(&location, &digest(&content)), "").await
        };
        created(put, "a", &digest(&content));
        site.has("a", &content).await;
    }
}

/// POST with the digest and all of it.
async fn one_post_with_all_of_it(site: &Site) {
    for size in SIZES {
        let content = random(size);
        let path = format!("/v2/a/blobs/uploads/?digest={}", digest(&content));
        let answer = site.client().request(Method::POST, &path, &[], content.clone()).await;
        created(answer, "a", &digest(&content));
        site.has("a", &content).await;
    }
}

/// What is there already is taken again, in every way, and stays what it was.
async fn a_blob_that_is_there_is_taken_again(site: &Site) {
    let client = site.client();
    for size in SIZES {
        let content = random(size);
        client.push("a", content.clone()).await;
        client.push_by_patch("a", content.clone()).await;
        client.push_by_patch("b", content.clone()).await;
        client.push("c", content.clone()).await;
        for repository in ["a", "b", "c"] {
            site.has(repository, &content).await;
        }
    }
}

/// Where an upload stands can be asked at any time, before any byte too, by every URL that was given out for it.
async fn the_status_of_an_upload(site: &Site) {
    let client = site.client();
    let begun = site.begin("a").await;
    for method in [Method::GET, Method::HEAD] {
        let answer = client.request(method, &begun, &[], "").await;
        assert!(answer.body.is_empty());
        stands_at(answer, 204, "0-0");
    }
    let (first, second) = (random(1_200_000), random(500));
    let patched = client.patch(&begun, first.clone()).await.expect(202).location();
    for url in [&begun, &patched] {
        stands_at(client.get(url).await, 204, "0-1199999");
    }
    let location = client.get(&patched).await.location();
    let location = client.patch(&location, second.clone()).await.expect(202).location();
    let answer = client.get(&location).await;
    let location = stands_at(answer, 204, "0-1200499");
    let content = Bytes::from([first, second].concat());
    created(client.put(&with_digest(&location, &digest(&content)), "").await, "a", &digest(&content));
    site.has("a", &content).await;
    site.refused(client.get(&location).await, 404, "BLOB_UPLOAD_UNKNOWN");
}

/// A cancelled upload is gone, before any byte and after some, and holds no room.
async fn a_cancelled_upload_is_gone(site: &Site) {
    let client = site.client();
    let before = site.holds().await;
    for chunk in [None, Some(random(700)), Some(random(2_500_000))] {
        let mut location = site.begin("a").await;
        if let Some(chunk) = chunk.clone() {
            location = client.patch(&location, chunk).await.expect(202).location();
        }
        let answer = client.delete(&location).await.expect(204);
        assert!(answer.body.is_empty());
        for answer in [
            client.get(&location).await,
            client.patch(&location, "more").await,
            client.put(&with_digest(&location, &digest(b"more")), "more").await,
            client.delete(&location).await,
        ] {
            site.refused(answer, 404, "BLOB_UPLOAD_UNKNOWN");
        }
        site.holds_again(before.as_ref()).await;
    }
}

/// A chunk that does not belong where the upload stands is refused with the place where it does stand, and the upload goes
/// on from there.
async fn a_chunk_out_of_order_harms_nothing(site: &Site) {
    let client = site.client();
    let chunks = [random(1_300_000), random(100_000), random(1_100_000)];
    let content = Bytes::from(chunks.concat());
    let begun = site.begin("a").await;

    let early = send_chunk(client, Method::PATCH, &begun, chunks[0].len(), &chunks[1]).await;
    stands_at(early, 416, "0-0");
    let location = send_chunk(client, Method::PATCH, &begun, 0, &chunks[0]).await.expect(202).location();
    for (url, place) in [(&begun, 0), (&location, 0), (&location, 1_299_999), (&location, 1_300_001)] {
        let refused = send_chunk(client, Method::PATCH, url, place, &chunks[1]).await;
        assert_eq!(refused.code(), "BLOB_UPLOAD_INVALID");
        stands_at(refused, 416, "0-1299999");
    }
    // By a URL of before, and without a place: nobody could say where this was meant to go.
    let unclear = client.patch(&begun, chunks[1].clone()).await;
    let told = stands_at(unclear, 416, "0-1299999");

    let location = client.patch(&told, chunks[1].clone()).await.expect(202).location();
    let skipped = with_digest(&location, &digest(&content));
    let refused = send_chunk(client, Method::PUT, &skipped, 1_400_001, &chunks[2]).await;
    stands_at(refused, 416, "0-1399999");
    let put = send_chunk(client, Method::PUT, &skipped, 1_400_000, &chunks[2]).await;
    created(put, "a", &digest(&content));
    site.has("a", &content).await;
}

/// A blob of one repository is given to another without being sent; what cannot be given becomes an ordinary upload.
async fn a_blob_is_mounted_from_another_repository(site: &Site) {
    let client = site.client();
    for content in [random(1000), random(2_000_000)] {
        let digest = client.push_by_patch("from/here", content.clone()).await;
        let mounted =
            client.post(&format!("/v2/into/there/blobs/uploads/?mount={digest}&from=from/here")).await;
        created(mounted, "into/there", &digest);
        site.has("into/there", &content).await;
        for from in ["from=nobody/has/this", "from=into/another"] {
            let path = format!("/v2/into/another/blobs/uploads/?mount={digest}&{from}");
            stands_at(client.post(&path).await, 202, "0-0");
            let absent = client.get(&format!("/v2/into/another/blobs/{digest}")).await;
            site.refused(absent, 404, "BLOB_UNKNOWN");
        }
        // From whoever has it: everyone may read everything here.
        let anywhere = client.post(&format!("/v2/into/another/blobs/uploads/?mount={digest}")).await;
        created(anywhere, "into/another", &digest);
        site.has("into/another", &content).await;
    }
}

/// Nothing at all is content like any other.
async fn an_empty_blob(site: &Site) {
    let client = site.client();
    let (empty, digest) = (Bytes::new(), digest(b""));
    let put = client.put(&with_digest(&site.begin("a").await, &digest), "").await;
    created(put, "a", &digest);
    let location = client.patch(&site.begin("b").await, "").await.expect(202).location();
    created(client.put(&with_digest(&location, &digest), "").await, "b", &digest);
    created(client.post(&format!("/v2/c/blobs/uploads/?digest={digest}")).await, "c", &digest);
    let put = send_streamed(client, Method::PUT, &with_digest(&site.begin("d").await, &digest), &empty).await;
    created(put, "d", &digest);
    for repository in ["a", "b", "c", "d"] {
        site.has(repository, &empty).await;
        let head = client.head(&format!("/v2/{repository}/blobs/{digest}")).await.expect(200);
        assert_eq!(head.header("content-length"), "0");
    }
}

/// SHA-512 serves as well as SHA-256, in every way to push, whether the client says beforehand that it will use it or not.
async fn sha512_is_an_equal(site: &Site) {
    let client = site.client();
    for size in SIZES {
        let content = random(size);
        let digest = digest_512(&content);
        let put = client.put(&with_digest(&site.begin("a").await, &digest), content.clone()).await;
        created(put, "a", &digest);
        for query in ["?digest-algorithm=sha512", ""] {
            let begun = client.post(&format!("/v2/b/blobs/uploads/{query}")).await.expect(202).location();
            let location = client.patch(&begun, content.slice(..size / 2)).await.expect(202).location();
            let location = client.patch(&location, content.slice(size / 2..)).await.expect(202).location();
            created(client.put(&with_digest(&location, &digest), "").await, "b", &digest);
        }
        let path = format!("/v2/c/blobs/uploads/?digest={digest}");
        created(client.request(Method::POST, &path, &[], content.clone()).await, "c", &digest);
        for repository in ["a", "b", "c"] {
            site.has_by(repository, &content, &digest).await;
        }
    }
}

over_every_backend!(
    post_and_put,
    post_patch_and_put,
    bodies_of_unknown_length,
    chunks_with_their_places,
    one_post_with_all_of_it,
    a_blob_that_is_there_is_taken_again,
    the_status_of_an_upload,
    a_cancelled_upload_is_gone,
    a_chunk_out_of_order_harms_nothing,
    a_blob_is_mounted_from_another_repository,
    an_empty_blob,
    sha512_is_an_equal,
);
