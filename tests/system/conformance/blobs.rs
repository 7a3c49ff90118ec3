//! The ways to push a blob, to get it, and to be rid of it, each with both algorithms.

use hyper::Method;

use super::content::{Algorithm, Blob};
use super::pushing::{
    Chunks, by_chunks, by_mount, by_post, by_put, by_stream, is_refused, is_taken, least_chunk,
};
use super::run::{Case, OTHER, REPOSITORY, Run};
use super::{Site, cases, over_every_backend};
use crate::support::client::with_digest;
use crate::support::{Answer, Client};

/// What is done with every blob that was taken.
const PULLED: &[&str] = &["blob-head", "blob-get", "blob-delete"];

/// HEAD tells the size and the digest of a blob, and nothing else.
pub(super) async fn head(client: Client, repository: &str, blob: &Blob) {
    let answer = client.head(&blob.path(repository)).await.expect(200);
    assert_eq!(answer.header("content-length"), blob.content.len().to_string());
    assert_eq!(answer.header("docker-content-digest"), blob.digest);
    assert!(answer.body.is_empty());
}

/// GET gives it.
pub(super) async fn get(client: Client, repository: &str, blob: &Blob) {
    let answer = client.get(&blob.path(repository)).await.expect(200);
    assert_eq!(answer.header("content-length"), blob.content.len().to_string());
    assert_eq!(answer.header("docker-content-digest"), blob.digest);
    assert!(answer.body == blob.content);
}

/// DELETE takes it away at once.
pub(super) async fn delete(client: Client, repository: &str, blob: &Blob) {
    client.delete(&blob.path(repository)).await.expect(202);
    is_not_there(client, repository, blob).await;
}

async fn is_not_there(client: Client, repository: &str, blob: &Blob) {
    client.head(&blob.path(repository)).await.expect(404);
    for method in [Method::GET, Method::DELETE] {
        let answer = client.request(method, &blob.path(repository), &[], "").await.expect(404);
        assert_eq!(answer.code(), "BLOB_UNKNOWN");
    }
}

/// POST and PUT, the way in which everything is pushed that is not about pushing.
pub(super) async fn put(client: Client, repository: &str, blob: &Blob) {
    let answer = by_put(client, repository, blob).await;
    is_taken(client, answer, repository, blob).await;
}

impl Run<'_> {
    /// The blob can be got; then it is deleted, and stays in the other repository.
    async fn pull_and_delete(&self, blob: &Blob) {
        self.step("blob-head", head(self.client, REPOSITORY, blob)).await;
        self.step("blob-get", get(self.client, REPOSITORY, blob)).await;
        by_mount(self.client, OTHER, Some(REPOSITORY), blob).await.expect(201);
        self.step("blob-delete", delete(self.client, REPOSITORY, blob)).await;
        head(self.client, OTHER, blob).await;
        delete(self.client, OTHER, blob).await;
    }
}

/// Content where any serves.
fn short(algorithm: Algorithm) -> Blob {
    Blob::random(512, algorithm)
}

/// Content for three chunks that are as long as the registry wants them, the last one shorter than the others.
async fn three_chunks(site: &Site) -> impl Fn(Algorithm) -> Blob {
    let length = 3 * least_chunk(site.client(), REPOSITORY).await - 5;
    move |algorithm| Blob::random(length, algorithm)
}

/// A blob that is pushed in this way is taken.
async fn taken(
    site: &Site,
    case: &Case,
    step: &'static str,
    content: impl Fn(Algorithm) -> Blob,
    push: impl AsyncFn(Client, &str, &Blob) -> Answer,
) {
    for algorithm in Algorithm::ALL {
        let run = Run::begin(site, case);
        let blob = content(algorithm);
        run.step(step, async {
            let answer = push(run.client, REPOSITORY, &blob).await;
            is_taken(run.client, answer, REPOSITORY, &blob).await;
        })
        .await;
        run.pull_and_delete(&blob).await;
    }
}

/// A blob that is pushed in this way under the digest of another one is refused.
async fn refused(
    site: &Site,
    case: &Case,
    step: &'static str,
    content: impl Fn(Algorithm) -> Blob,
    push: impl AsyncFn(Client, &str, &Blob) -> Answer,
) {
    for algorithm in Algorithm::ALL {
        let run = Run::begin(site, case);
        let blob = Blob { digest: short(algorithm).digest, ..content(algorithm) };
        run.step(step, async {
            let answer = push(run.client, REPOSITORY, &blob).await;
            is_refused(run.client, answer, REPOSITORY, &blob).await;
        })
        .await;
    }
}

const GET_MISSING: Case = Case::new("sha256 blobs", &[&["get-missing"]]);

async fn get_missing(site: &Site) {
    for algorithm in Algorithm::ALL {
        let run = Run::begin(site, &GET_MISSING);
        run.step("get-missing", is_not_there(run.client, REPOSITORY, &short(algorithm))).await;
    }
}

const POST_ONLY: Case = Case::new("sha256 blobs/post only", &[&["blob-post-only"], PULLED]);

async fn post_only(site: &Site) {
    taken(site, &POST_ONLY, "blob-post-only", short, by_post).await;
}

const POST_PUT: Case = Case::new("sha256 blobs/post+put", &[&["blob-post-put"], PULLED]);

async fn post_put(site: &Site) {
    taken(site, &POST_PUT, "blob-post-put", short, by_put).await;
}

const STREAM: Case = Case::new("sha256 blobs/stream", &[&["blob-patch-stream"], PULLED]);

async fn stream(site: &Site) {
    taken(site, &STREAM, "blob-patch-stream", short, by_stream).await;
}

const CHUNKED: &[&[&str]] = &[&["blob-patch-chunked"], PULLED];
const CHUNKED_SINGLE: Case = Case::new("sha256 blobs/chunked single", CHUNKED);
const CHUNKED_MULTI: Case = Case::new("sha256 blobs/chunked multi", CHUNKED);
const CHUNKED_MULTI_AND_PUT_CHUNK: Case = Case::new("sha256 blobs/chunked multi and put chunk", CHUNKED);
const CHUNKED_OUT_OF_ORDER: Case = Case::new("sha256 blobs/chunked out-of-order", CHUNKED);
const CHUNKED_OUT_OF_ORDER_AND_PUT_CHUNK: Case =
    Case::new("sha256 blobs/chunked out-of-order and put chunk", CHUNKED);

async fn chunked(site: &Site, case: &Case, content: impl Fn(Algorithm) -> Blob, chunks: Chunks) {
    let push = async |client: Client, repository: &str, blob: &Blob| {
        by_chunks(client, repository, blob, chunks).await
    };
    taken(site, case, "blob-patch-chunked", content, push).await;
}

async fn chunked_single(site: &Site) {
    chunked(site, &CHUNKED_SINGLE, short, Chunks::default()).await;
}

async fn chunked_multi(site: &Site) {
    chunked(site, &CHUNKED_MULTI, three_chunks(site).await, Chunks::default()).await;
}

async fn chunked_multi_and_put_chunk(site: &Site) {
    let chunks = Chunks { last_on_put: true, ..Chunks::default() };
    chunked(site, &CHUNKED_MULTI_AND_PUT_CHUNK, three_chunks(site).await, chunks).await;
}

async fn chunked_out_of_order(site: &Site) {
    let chunks = Chunks { out_of_order: true, ..Chunks::default() };
    chunked(site, &CHUNKED_OUT_OF_ORDER, three_chunks(site).await, chunks).await;
}

async fn chunked_out_of_order_and_put_chunk(site: &Site) {
    let chunks = Chunks { last_on_put: true, out_of_order: true };
    chunked(site, &CHUNKED_OUT_OF_ORDER_AND_PUT_CHUNK, three_chunks(site).await, chunks).await;
}

const MOUNT: Case = Case::new("sha256 blobs/mount", &[&["blob-post-put", "blob-mount"], PULLED]);

/// What another repository has is given without being sent.
async fn mount(site: &Site) {
    mounted(site, &MOUNT, "blob-mount", Some(OTHER)).await;
}

const MOUNT_ANONYMOUS: Case =
    Case::new("sha256 blobs/mount anonymous", &[&["blob-post-put", "blob-mount-anonymous"], PULLED]);

/// The same, where nobody says which repository has it.
async fn mount_anonymous(site: &Site) {
    mounted(site, &MOUNT_ANONYMOUS, "blob-mount-anonymous", None).await;
}

async fn mounted(site: &Site, case: &Case, step: &'static str, from: Option<&str>) {
    for algorithm in Algorithm::ALL {
        let run = Run::begin(site, case);
        let blob = short(algorithm);
        run.step("blob-post-put", put(run.client, OTHER, &blob)).await;
        run.step(step, async {
            let answer = by_mount(run.client, REPOSITORY, from, &blob).await;
            is_taken(run.client, answer, REPOSITORY, &blob).await;
        })
        .await;
        run.pull_and_delete(&blob).await;
    }
}

const MOUNT_MISSING: Case = Case::new("sha256 blobs/mount missing", &[&["blob-mount"], PULLED]);

/// What the other repository does not have becomes an ordinary upload.
async fn mount_missing(site: &Site) {
    let push = async |client: Client, repository: &str, blob: &Blob| {
        let begun = by_mount(client, repository, Some(OTHER), blob).await.expect(202);
        client.put(&with_digest(&begun.location(), &blob.digest), blob.content.clone()).await
    };
    taken(site, &MOUNT_MISSING, "blob-mount", short, push).await;
}

const POST_CANCEL: Case = Case::new("sha256 blobs/post cancel", &[&["blob-post-cancel", "blob-delete"]]);

/// An upload that is cancelled is gone.
async fn post_cancel(site: &Site) {
    for algorithm in Algorithm::ALL {
        let run = Run::begin(site, &POST_CANCEL);
        let blob = short(algorithm);
        run.step("blob-post-cancel", async {
            let location = site.begin(REPOSITORY).await;
            run.client.delete(&location).await.expect(204);
            run.client.get(&location).await.expect(404);
            run.client.put(&with_digest(&location, &blob.digest), blob.content.clone()).await.expect(404);
        })
        .await;
        run.step("blob-delete", is_not_there(run.client, REPOSITORY, &blob)).await;
    }
}

const RANGE_REQUESTS: Case = Case::new(
    "sha256 blobs/range requests",
    &[
        &["blob-post-put", "blob-delete"],
        &["range 500-1499", "range 500-", "range -500", "range 2000-5000", "range 500-0", "range 5000-10000"],
    ],
);

/// A part of a blob comes with its place; one that there is none of is refused with the size.
async fn range_requests(site: &Site) {
    const SIZE: usize = 2048;
    for algorithm in Algorithm::ALL {
        let run = Run::begin(site, &RANGE_REQUESTS);
        let blob = Blob::random(SIZE, algorithm);
        run.step("blob-post-put", put(run.client, REPOSITORY, &blob)).await;
        let ask = async |step: &str| {
            let range = step.replace("range ", "bytes=");
            run.client.request(Method::GET, &blob.path(REPOSITORY), &[("range", &range)], "").await
        };
        for (step, part) in [
            ("range 500-1499", 500..1500),
            ("range 500-", 500..SIZE),
            ("range -500", SIZE - 500..SIZE),
            ("range 2000-5000", 2000..SIZE),
        ] {
            let answer = run.step(step, ask(step)).await.expect(206);
            let place = format!("bytes {}-{}/{SIZE}", part.start, part.end - 1);
            assert_eq!(answer.header("content-range"), place);
            assert_eq!(answer.header("content-length"), part.len().to_string());
            assert_eq!(answer.header("docker-content-digest"), blob.digest);
            assert!(answer.body == blob.content[part]);
        }
        for step in ["range 500-0", "range 5000-10000"] {
            let answer = run.step(step, ask(step)).await.expect(416);
            assert_eq!(answer.header("content-range"), format!("bytes */{SIZE}"));
            assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        }
        run.step("blob-delete", delete(run.client, REPOSITORY, &blob)).await;
    }
}

const EMPTY_BLOB: Case = Case::new("sha256 blobs/empty", &[&["blob-post-put"], PULLED]);

async fn empty_blob(site: &Site) {
    taken(site, &EMPTY_BLOB, "blob-post-put", |algorithm| Blob::new("", algorithm), by_put).await;
}

const EMPTY_JSON: Case = Case::new("sha256 blobs/emptyJSON", &[&["blob-post-put"], PULLED]);

async fn empty_json(site: &Site) {
    taken(site, &EMPTY_JSON, "blob-post-put", |algorithm| Blob::new("{}", algorithm), by_put).await;
}

const BAD_DIGEST_POST_ONLY: Case = Case::new("sha256 blobs/bad digest post only", &[&["blob-post-only"]]);

async fn bad_digest_post_only(site: &Site) {
    refused(site, &BAD_DIGEST_POST_ONLY, "blob-post-only", short, by_post).await;
}

const BAD_DIGEST_POST_PUT: Case = Case::new("sha256 blobs/bad digest post+put", &[&["blob-post-put"]]);

async fn bad_digest_post_put(site: &Site) {
    refused(site, &BAD_DIGEST_POST_PUT, "blob-post-put", short, by_put).await;
}

const BAD_DIGEST_CHUNKED: Case = Case::new("sha256 blobs/bad digest chunked", &[&["blob-patch-chunked"]]);
const BAD_DIGEST_CHUNKED_AND_PUT_CHUNK: Case =
    Case::new("sha256 blobs/bad digest chunked and put chunk", &[&["blob-patch-chunked"]]);

async fn bad_digest_chunked(site: &Site) {
    let push = async |client: Client, repository: &str, blob: &Blob| {
        by_chunks(client, repository, blob, Chunks::default()).await
    };
    refused(site, &BAD_DIGEST_CHUNKED, "blob-patch-chunked", three_chunks(site).await, push).await;
}

async fn bad_digest_chunked_and_put_chunk(site: &Site) {
    let push = async |client: Client, repository: &str, blob: &Blob| {
        let chunks = Chunks { last_on_put: true, ..Chunks::default() };
        by_chunks(client, repository, blob, chunks).await
    };
    let content = three_chunks(site).await;
    refused(site, &BAD_DIGEST_CHUNKED_AND_PUT_CHUNK, "blob-patch-chunked", content, push).await;
}

const BAD_DIGEST_STREAM: Case = Case::new("sha256 blobs/bad digest stream", &[&["blob-patch-stream"]]);

async fn bad_digest_stream(site: &Site) {
    refused(site, &BAD_DIGEST_STREAM, "blob-patch-stream", short, by_stream).await;
}

cases!(
    get_missing: GET_MISSING,
    post_only: POST_ONLY,
    post_put: POST_PUT,
    chunked_single: CHUNKED_SINGLE,
    stream: STREAM,
    mount: MOUNT,
    mount_anonymous: MOUNT_ANONYMOUS,
    mount_missing: MOUNT_MISSING,
    post_cancel: POST_CANCEL,
    chunked_multi: CHUNKED_MULTI,
    chunked_multi_and_put_chunk: CHUNKED_MULTI_AND_PUT_CHUNK,
    chunked_out_of_order: CHUNKED_OUT_OF_ORDER,
    chunked_out_of_order_and_put_chunk: CHUNKED_OUT_OF_ORDER_AND_PUT_CHUNK,
    range_requests: RANGE_REQUESTS,
    empty_blob: EMPTY_BLOB,
    empty_json: EMPTY_JSON,
    bad_digest_post_only: BAD_DIGEST_POST_ONLY,
    bad_digest_post_put: BAD_DIGEST_POST_PUT,
    bad_digest_chunked: BAD_DIGEST_CHUNKED,
    bad_digest_chunked_and_put_chunk: BAD_DIGEST_CHUNKED_AND_PUT_CHUNK,
    bad_digest_stream: BAD_DIGEST_STREAM,
);
