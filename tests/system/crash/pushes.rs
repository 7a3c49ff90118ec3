//! Pushes that are slow enough to be killed, side by side, each in one of the ways that clients have; and the moment at which
//! they are killed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use hyper::Method;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::REPOSITORY;
use crate::support::Client;
use crate::support::client::{BoxError, full, streamed, with_digest};
use crate::support::content::{digest, random};

/// How many at a time.
const PUSHES: usize = 5;
/// Bytes of a blob: on either side of what Swift stores in one segment or in one request.
const SIZES: Range<usize> = 1 << 20..8 << 20;
/// Milliseconds in which the client sends a blob.
const PACES: Range<u64> = 150..600;
/// Bytes that it sends at a time.
const PIECE: usize = 64 << 10;
/// Bytes of a chunk, where the blob goes in chunks.
const CHUNK: usize = 2 << 20;

/// How a blob is sent.
#[derive(Clone, Copy)]
enum Manner {
    /// POST, and PUT with all of it.
    Whole,
    /// POST, PATCH with all of it and no `Content-Length`, PUT.
    Stream,
    /// POST, PATCH after PATCH, PUT.
    Chunks,
}

/// A blob that was pushed, or almost.
pub(super) struct Blob {
    pub(super) content: Bytes,
    pub(super) digest: String,
    /// Whether the answer was that it is there.
    pub(super) answered: bool,
}

impl Blob {
    pub(super) fn new(content: Bytes) -> Self {
        Self { digest: digest(&content), content, answered: false }
    }

    /// Where the repository has it.
    pub(super) fn path(&self) -> String {
        format!("/v2/{REPOSITORY}/blobs/{}", self.digest)
    }

    /// Whether the repository has it. If it has any of it, it has all of it.
    pub(super) async fn is_readable(&self, client: Client) -> bool {
        let path = self.path();
        let (head, get) = (client.head(&path).await, client.get(&path).await);
        assert_eq!(head.status, get.status, "HEAD and GET of {path} disagree");
        if get.status == 404 {
            assert_eq!(get.code(), "BLOB_UNKNOWN");
            return false;
        }
        assert_eq!(head.expect(200).header("content-length"), self.content.len().to_string());
        assert!(get.expect(200).body == self.content, "{path} answers something else");
        true
    }
}

/// Pushes on their way.
pub(super) struct Pushes {
    running: Vec<JoinHandle<Blob>>,
    progress: Arc<Progress>,
}

/// How far they are.
#[derive(Default)]
struct Progress {
    /// How many have sent all they have and wait for the last answer, or have it.
    sent: AtomicUsize,
    /// Whether one has lost its connection.
    broken: AtomicBool,
}

impl Pushes {
    pub(super) fn begin(client: Client) -> Self {
        let progress = Arc::new(Progress::default());
        let manners = [Manner::Whole, Manner::Stream, Manner::Chunks].into_iter().cycle();
        let running =
            manners.take(PUSHES).map(|manner| tokio::spawn(push(client, manner, Arc::clone(&progress))));
        Self { running: running.collect(), progress }
    }

    /// Waits for the moment at which this round's pushes are killed: in one round out of three while they send, else at a
    /// random moment between the end of what one of them sends and the answer. `finishing` is about how long this takes.
    pub(super) async fn moment_to_kill(&self, round: usize, finishing: Duration) {
        if round.is_multiple_of(3) {
            sleep(Duration::from_millis(rand::random_range(0..PACES.end))).await;
        } else {
            self.one_has_sent_all().await;
            sleep(finishing.mul_f64(rand::random_range(0.0..1.5))).await;
        }
        assert!(!self.progress.broken.load(Ordering::Relaxed), "a push failed before Apus was killed");
    }

    /// Waits until some of them, a random number, have sent all they have.
    async fn one_has_sent_all(&self) {
        let awaited = rand::random_range(1..=PUSHES);
        let watch = async {
            while self.progress.sent.load(Ordering::Relaxed) < awaited {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(20), watch).await.expect("the pushes hang");
    }

    /// What they came to.
    pub(super) async fn outcome(self) -> Vec<Blob> {
        let mut blobs = Vec::new();
        for running in self.running {
            blobs.push(running.await.unwrap());
        }
        blobs
    }
}

/// Pushes a blob until Apus is killed.
async fn push(client: Client, manner: Manner, progress: Arc<Progress>) -> Blob {
    let mut blob = Blob::new(random(rand::random_range(SIZES)));
    blob.answered = try_push(client, manner, &blob, &progress).await.is_ok();
    progress.broken.fetch_or(!blob.answered, Ordering::Relaxed);
    blob
}

async fn try_push(
    client: Client,
    manner: Manner,
    blob: &Blob,
    progress: &Arc<Progress>,
) -> Result<(), BoxError> {
    let pause = pause(blob.content.len());
    let progress = Arc::clone(progress);
    let all_sent = move || {
        progress.sent.fetch_add(1, Ordering::Relaxed);
    };
    let nothing: &[(&str, &str)] = &[("content-length", "0")];
    let begin = format!("/v2/{REPOSITORY}/blobs/uploads/");
    let mut location =
        client.try_request(Method::POST, &begin, nothing, full("")).await?.expect(202).location();
    match manner {
        Manner::Whole => {
            let length = blob.content.len().to_string();
            let body = streamed(slowly(blob.content.clone(), pause, all_sent));
            let path = with_digest(&location, &blob.digest);
            client.try_request(Method::PUT, &path, &[("content-length", &length)], body).await?.expect(201);
            return Ok(());
        }
        Manner::Stream => {
            let body = streamed(slowly(blob.content.clone(), pause, || ()));
            location = client.try_request(Method::PATCH, &location, &[], body).await?.expect(202).location();
        }
        Manner::Chunks => {
            let mut rest = blob.content.clone();
            while !rest.is_empty() {
                let chunk = rest.split_to(rest.len().min(CHUNK));
                let length = chunk.len().to_string();
                let body = streamed(slowly(chunk, pause, || ()));
                let headers = [("content-length", &*length)];
                location = client
                    .try_request(Method::PATCH, &location, &headers, body)
                    .await?
                    .expect(202)
                    .location();
            }
        }
    }
    all_sent();
    client
        .try_request(Method::PUT, &with_digest(&location, &blob.digest), nothing, full(""))
        .await?
        .expect(201);
    Ok(())
}

/// The pause between two pieces with which some content of this length goes at a random pace.
pub(super) fn pause(length: usize) -> Duration {
    let pieces = u32::try_from(length.div_ceil(PIECE)).unwrap();
    Duration::from_millis(rand::random_range(PACES)) / pieces
}

/// The content piece by piece, each after a pause; says when the last has been handed over.
pub(super) fn slowly(
    content: Bytes,
    pause: Duration,
    ended: impl Fn() + Clone + Send + Sync + 'static,
) -> impl Stream<Item = Bytes> + Send + Sync + 'static {
    stream::unfold(content, move |mut rest| {
        let ended = ended.clone();
        async move {
            if rest.is_empty() {
                return None;
            }
            sleep(pause).await;
            let piece = rest.split_to(rest.len().min(PIECE));
            if rest.is_empty() {
                ended();
            }
            Some((piece, rest))
        }
    })
}
