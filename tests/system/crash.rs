//! SIGKILL in the middle of pushes: what is readable afterwards is whole, and whatever was begun can be done again.
//!
//! | file | what it holds |
//! |---|---|
//! | `pushes` | pushes that are slow enough to be killed, and the moment at which they are |
//! | `resumed` | an upload that goes on after the restart |
//! | `audit` | the blobs as they lie in storage, read past Apus |

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::support::client::with_digest;
use crate::support::content::{digest, random};
use crate::support::{Apus, Backend, Client};

mod audit;
mod pushes;
mod resumed;

use audit::Audit;
use pushes::{Blob, Pushes};
use resumed::{Resumed, Standing};

const KILLS: usize = 20;
const REPOSITORY: &str = "crash/test";

/// Promise: killed at any point of a push, the filesystem backend holds the whole blob or none of it, and the same push
/// succeeds afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn no_half_blob_on_the_filesystem() {
    let backend = Backend::filesystem();
    let audit = Audit::of_directory(backend.directory().unwrap());
    twenty_kills(&backend, audit).await;
}

/// Promise: killed at any point of a push, the Swift backend holds the whole blob or none of it, and the same push
/// succeeds afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn no_half_blob_on_swift() {
    let backend = Backend::swift_v1();
    let audit = Audit::of_container(backend.container().unwrap()).await;
    twenty_kills(&backend, audit).await;
}

async fn twenty_kills(backend: &Backend, mut audit: Audit) {
    let begun = Instant::now();
    let mut apus = Apus::start(backend.storage());
    let finishing = time_to_finish(apus.client()).await;
    let mut tally = Tally::default();
    let mut digests = BTreeSet::new();
    for round in 0..KILLS {
        let resumed = Resumed::begin(apus.client()).await;
        let pushes = Pushes::begin(apus.client());
        pushes.moment_to_kill(round, finishing).await;
        apus.kill();
        let mut blobs = pushes.outcome().await;

        apus = Apus::start(backend.storage());
        let client = apus.client();
        audit.look_at_what_is_new().await;
        for blob in &blobs {
            tally.count(blob, blob.is_readable(client).await, audit.has_found(&blob.digest));
        }
        for blob in &blobs {
            client.push_by_patch(REPOSITORY, blob.content.clone()).await;
            client.head(&blob.path()).await.expect(200);
        }
        let (standing, blob) = resumed.finish(client).await;
        tally.resumed(&standing);
        blobs.push(blob);
        digests.extend(blobs.into_iter().map(|blob| blob.digest));
    }
    audit.look_at_all().await;
    assert!(digests.is_subset(audit.found()), "what has been pushed is not in storage");
    println!("{}, {KILLS} kills in {:.1} s: {tally:?}", backend.name, begun.elapsed().as_secs_f64());
}

/// How long it takes from the last byte of a push to the answer.
async fn time_to_finish(client: Client) -> Duration {
    let content = random(4 << 20);
    let begun = client.post(&format!("/v2/{REPOSITORY}/blobs/uploads/")).await.expect(202);
    let patched = client.patch(&begun.location(), content.clone()).await.expect(202);
    let sent = Instant::now();
    client.put(&with_digest(&patched.location(), &digest(&content)), "").await.expect(201);
    sent.elapsed()
}

/// What became of the pushes.
#[derive(Debug, Default)]
struct Tally {
    /// Apus had answered before it was killed.
    answered: usize,
    /// There was no answer, and the blob can be read.
    readable: usize,
    /// There was no answer, and the blob lies in storage, whole, but not yet in the repository.
    stored: usize,
    /// There was no answer, and nothing under the blob's name.
    absent: usize,
    /// Uploads that went on before the chunk that was being sent.
    resumed_before_the_chunk: usize,
    /// Uploads that went on behind it: it had been taken.
    resumed_behind_the_chunk: usize,
}

impl Tally {
    fn count(&mut self, blob: &Blob, readable: bool, stored: bool) {
        assert!(readable || !blob.answered, "{} was lost after it had been answered", blob.digest);
        assert!(stored || !readable, "{} is readable and was not found in storage", blob.digest);
        let fate = match (blob.answered, readable, stored) {
            (true, ..) => &mut self.answered,
            (_, true, _) => &mut self.readable,
            (_, _, true) => &mut self.stored,
            _ => &mut self.absent,
        };
        *fate += 1;
    }

    fn resumed(&mut self, standing: &Standing) {
        *match standing {
            Standing::BeforeTheChunk => &mut self.resumed_before_the_chunk,
            Standing::BehindTheChunk => &mut self.resumed_behind_the_chunk,
        } += 1;
    }
}
