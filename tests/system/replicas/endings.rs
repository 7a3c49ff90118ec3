//! An upload that one process ends while the other one remembers it, or is asked to end it at the same time: the answer is
//! clear, comes at once, and what was published stays.

use std::time::{Duration, Instant};

use apus_fake_swift::{Action, FakeSwift, Fault, Options};
use futures_util::{StreamExt, future, stream};
use hyper::Method;

use super::{NOTHING_SHARED, Replicas};
use crate::protocol::uploads::send_chunk;
use crate::support::backend::FAKE_CONTAINER;
use crate::support::client::{streamed, with_digest};
use crate::support::content::{digest, random};
use crate::support::{Answer, Backend, Client};

/// How long a publication takes in these tests.
const PUBLICATION: Duration = Duration::from_secs(5);

async fn over_a_fake() -> (FakeSwift, Replicas) {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    let replicas = Replicas::start(Backend::fake_v1(&fake), NOTHING_SHARED).await;
    (fake, replicas)
}

/// The answer of who came too late to an upload that somebody else is ending: nothing to wait for, nothing to try again.
#[track_caller]
fn too_late(answer: Answer) {
    let answer = answer.expect(409);
    assert_eq!(answer.code(), "BLOB_UPLOAD_INVALID");
    assert_eq!(answer.header("retry-after"), "");
}

/// What is asked of one process while the other one publishes an upload.
#[derive(Debug, Clone, Copy)]
enum Late {
    Cancellation,
    AnotherEnd,
    AnotherDigest,
    TheSameEnd,
}

/// While one process publishes an upload the other one refuses to cancel it and to make another blob of it; the same end again
/// comes to the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_being_published_can_only_be_published() {
    let late = [Late::Cancellation, Late::AnotherEnd, Late::AnotherDigest, Late::TheSameEnd];
    future::join_all(late.map(meets_a_publication)).await;
}

async fn meets_a_publication(late: Late) {
    let (fake, replicas) = over_a_fake().await;
    let [one, other] = replicas.each();
    let content = random(2_500_000);
    let begun = one.post("/v2/a/blobs/uploads/").await.expect(202);
    let location = one.patch(&begun.location(), content.clone()).await.expect(202).location();
    fake.fault(Fault {
        method: Some(Method::PUT),
        path_contains: "multipart-manifest".to_owned(),
        ..Fault::once(Action::Delay(PUBLICATION))
    });
    let end = with_digest(&location, &digest(&content));
    let meeting = async {
        is_publishing(&fake).await;
        let more = random(700);
        let longer = digest(&[&content[..], &more].concat());
        match late {
            Late::Cancellation => too_late(other.delete(&location).await),
            Late::AnotherEnd => too_late(other.put(&with_digest(&location, &longer), more).await),
            Late::AnotherDigest => too_late(other.put(&with_digest(&location, &longer), "").await),
            Late::TheSameEnd => drop(other.put(&end, "").await.expect(201)),
        }
    };
    let (ended, ()) = future::join(one.put(&end, ""), meeting).await;
    ended.expect(201);
    for client in [one, other] {
        let path = format!("/v2/a/blobs/{}", digest(&content));
        assert!(client.get(&path).await.expect(200).body == content, "{late:?}");
    }
}

/// Waits until somebody publishes an upload.
async fn is_publishing(fake: &FakeSwift) {
    let begun = Instant::now();
    while !fake.object_names(FAKE_CONTAINER).iter().any(|name| name.contains("apus/records/")) {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing is being published");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Both processes are told to finish one upload by the same last chunk, twice each and at the same time: each does, or is too
/// late; one at least does, and the blob is whole.
#[tokio::test(flavor = "multi_thread")]
async fn both_finish_one_upload() {
    let replicas = Replicas::start(Backend::swift_v1(), NOTHING_SHARED).await;
    let [one, other] = replicas.each();
    for (first, last) in
        [(900, 700), (900, 1_400_000), (2_500_000, 0), (2_500_000, 700), (2_500_000, 1_400_000)]
    {
        let content = random(first + last);
        let begun = one.post("/v2/a/blobs/uploads/").await.expect(202).location();
        // The other one remembers how the upload stands, this one has to ask.
        let location = other.patch(&begun, content.slice(..first)).await.expect(202).location();
        let url = with_digest(&location, &digest(&content));
        let end = async |client: Client| client.put(&url, content.slice(first..)).await.status.as_u16();
        let statuses = future::join_all([one, other, one, other].map(end)).await;
        assert!(statuses.contains(&201), "{first} {last}: {statuses:?}");
        assert!(
            statuses.iter().all(|status| [201, 404, 409, 416].contains(status)),
            "{first} {last}: {statuses:?}"
        );
        for client in [one, other] {
            let path = format!("/v2/a/blobs/{}", digest(&content));
            assert!(client.get(&path).await.expect(200).body == content, "{first} {last}");
        }
    }
}

/// A process that wrote the last chunk, and so remembers the upload, knows that the other one has ended it.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_has_ended_elsewhere_is_unknown() {
    for (size, end, asked) in [
        (700, "finished", Method::GET),
        (700, "cancelled", Method::DELETE),
        (2_500_000, "finished", Method::DELETE),
        (2_500_000, "cancelled", Method::GET),
    ] {
        let (fake, replicas) = over_a_fake().await;
        let [one, other] = replicas.each();
        let content = random(size);
        let begun = one.post("/v2/a/blobs/uploads/").await.expect(202).location();
        let location = one.patch(&begun, content.clone()).await.expect(202).location();
        let url = with_digest(&location, &digest(&content));
        match end {
            "finished" => other.put(&url, "").await.expect(201),
            _ => other.delete(&location).await.expect(204),
        };
        let before = fake.object_names(FAKE_CONTAINER);
        let unknown = |answer: Answer| assert_eq!(answer.expect(404).code(), "BLOB_UPLOAD_UNKNOWN");
        unknown(one.request(asked, &location, &[], "").await);
        // What it remembered is forgotten now.
        unknown(send_chunk(one, Method::PATCH, &location, size, &random(500)).await);
        assert_eq!(fake.object_names(FAKE_CONTAINER), before, "{size}, {end}");
    }
}

/// A body breaks off on its way to Swift because the other process has written the same blob meanwhile: the push is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_where_the_other_one_was_faster() {
    let (fake, replicas) = over_a_fake().await;
    let [one, other] = replicas.each();
    let content = random(3_000_000);
    let begun = one.post("/v2/a/blobs/uploads/").await.expect(202).location();
    fake.fault(Fault {
        method: Some(Method::PUT),
        path_contains: "/data".to_owned(),
        ..Fault::once(Action::CutRequestBody(2_000_000))
    });
    let (first, second) = (content.slice(..1_000_000), content.slice(1_000_000..));
    let (there, is_there) = tokio::sync::oneshot::channel::<()>();
    let body = streamed(Box::pin(stream::iter([first]).chain(stream::once(async move {
        is_there.await.unwrap();
        second
    }))));
    let length = content.len().to_string();
    let url = with_digest(&begun, &digest(&content));
    let headers = [("content-length", &*length)];
    let slow = one.try_request(Method::PUT, &url, &headers, body);
    let faster = async {
        let begun = Instant::now();
        while fake.faults_left() > 0 {
            assert!(begun.elapsed() < Duration::from_mins(1), "nothing is sent");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        other.push("a", content.clone()).await;
        there.send(()).unwrap();
    };
    let (slow, ()) = future::join(slow, faster).await;
    slow.unwrap().expect(201);
}
