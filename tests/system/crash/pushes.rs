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
use crate::support::client::{BoxError, RequestBody, full, streamed, with_digest};
use crate::support::content::{digest, random};

/// How many at a time.
const PUSHES: usize = 5;
/// Bytes of a blob: on either side of what Swift stores in one segment or in one request.
const SIZES: Range<usize> = 1 << 20..8 << 20;
/// Milliseconds in which content is sent.
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

/// Pushes on their way, all at the same pace, so that many of them come to their ends at about the same time.
pub(super) struct Pushes {
    running: Vec<JoinHandle<Blob>>,
    pace: Duration,
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
        let (pace, progress) = (random_pace(), Arc::new(Progress::default()));
        let manners = [Manner::Whole, Manner::Stream, Manner::Chunks].into_iter().cycle();
        let pushes = manners.take(PUSHES).map(|manner| {
            let push = Push { client, manner, pace, progress: Arc::clone(&progress) };
            tokio::spawn(push.run())
        });
        Self { running: pushes.collect(), pace, progress }
    }

    /// Waits for the moment at which this round's pushes are killed: in one round out of three while they send, else at a
    /// random moment between the end of what one of them sends and the answer. `finishing` is about how long this takes.
    pub(super) async fn moment_to_kill(&self, round: usize, finishing: Duration) {
        if round.is_multiple_of(3) {
            sleep(self.pace.mul_f64(rand::random_range(0.0..1.0))).await;
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

/// One of them.
struct Push {
    client: Client,
    manner: Manner,
    pace: Duration,
    progress: Arc<Progress>,
}

impl Push {
    /// Pushes a blob until Apus is killed.
    async fn run(self) -> Blob {
        let mut blob = Blob::new(random(rand::random_range(SIZES)));
        blob.answered = self.try_push(&blob).await.is_ok();
        self.progress.broken.fetch_or(!blob.answered, Ordering::Relaxed);
        blob
    }

    async fn try_push(&self, blob: &Blob) -> Result<(), BoxError> {
        let progress = Arc::clone(&self.progress);
        let all_sent = move || {
            progress.sent.fetch_add(1, Ordering::Relaxed);
        };
        let pause = pause(self.pace, blob.content.len());
        let begin = format!("/v2/{REPOSITORY}/blobs/uploads/");
        let mut location = self.ask(Method::POST, &begin, Some(0), full("")).await?;
        match self.manner {
            Manner::Whole => {
                let body = streamed(slowly(blob.content.clone(), pause, all_sent));
                let length = Some(blob.content.len());
                self.ask(Method::PUT, &with_digest(&location, &blob.digest), length, body).await?;
                return Ok(());
            }
            Manner::Stream => {
                let body = streamed(slowly(blob.content.clone(), pause, || ()));
                location = self.ask(Method::PATCH, &location, None, body).await?;
            }
            Manner::Chunks => {
                let mut rest = blob.content.clone();
                while !rest.is_empty() {
                    let chunk = rest.split_to(rest.len().min(CHUNK));
                    let length = Some(chunk.len());
                    let body = streamed(slowly(chunk, pause, || ()));
                    location = self.ask(Method::PATCH, &location, length, body).await?;
                }
            }
        }
        all_sent();
        self.ask(Method::PUT, &with_digest(&location, &blob.digest), Some(0), full("")).await?;
        Ok(())
    }

    /// One request, which succeeds unless Apus is killed. Answers where to go on.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        length: Option<usize>,
        body: RequestBody,
    ) -> Result<String, BoxError> {
        let length = length.map(|length| length.to_string());
        let headers: Vec<_> = length.iter().map(|length| ("content-length", &**length)).collect();
        let answer = self.client.try_request(method.clone(), path, &headers, body).await?;
        Ok(answer.expect(if method == Method::PUT { 201 } else { 202 }).location())
    }
}

pub(super) fn random_pace() -> Duration {
    Duration::from_millis(rand::random_range(PACES))
}

/// The pause between two pieces with which content of this length goes at this pace.
pub(super) fn pause(pace: Duration, length: usize) -> Duration {
    pace / u32::try_from(length.div_ceil(PIECE)).unwrap()
}

/// The content piece by piece, each after a pause; says when it hands over the last.
pub(super) fn slowly(
    content: Bytes,
    pause: Duration,
    all_sent: impl Fn() + Clone + Send + Sync + 'static,
) -> impl Stream<Item = Bytes> + Send + Sync + 'static {
    stream::unfold(content, move |mut rest| {
        let all_sent = all_sent.clone();
        async move {
            if rest.is_empty() {
                return None;
            }
            sleep(pause).await;
            let piece = rest.split_to(rest.len().min(PIECE));
            if rest.is_empty() {
                all_sent();
            }
            Some((piece, rest))
        }
    })
}
