//! Writers who meet at one tag or one upload.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use hyper::Method;

use crate::protocol::manifests::{OCI_IMAGE, image, put};
use crate::protocol::uploads::send_chunk;
use crate::protocol::{Site, over_every_backend};
use crate::support::client::{streamed, with_digest};
use crate::support::content::{digest, random};

/// How many meet.
const WRITERS: usize = 8;

/// Of several manifests that are pushed under one tag at the same time each is taken; the tag points to one of them, and all
/// are there by their digests.
async fn a28_manifests_pushed_to_one_tag_at_once(site: &Site) {
    let client = site.client();
    let blob = client.push("a", random(100)).await;
    for round in 0..4 {
        let manifests: Vec<Bytes> = (0..WRITERS)
            .map(|writer| {
                let text = String::from_utf8(image(OCI_IMAGE, &blob).to_vec()).unwrap();
                text.replace("\\u00e9", &format!("{round}.{writer}")).into()
            })
            .collect();
        let puts =
            manifests.iter().map(|manifest| put(client, "/v2/a/manifests/latest", OCI_IMAGE, manifest));
        for (answer, manifest) in future::join_all(puts).await.into_iter().zip(&manifests) {
            assert_eq!(answer.expect(201).header("docker-content-digest"), digest(manifest));
        }
        let tagged = client.get("/v2/a/manifests/latest").await.expect(200);
        assert!(manifests.contains(&tagged.body), "the tag points to none of them");
        assert_eq!(tagged.header("docker-content-digest"), digest(&tagged.body));
        for manifest in &manifests {
            let path = format!("/v2/a/manifests/{}", digest(manifest));
            assert_eq!(client.get(&path).await.expect(200).body, *manifest);
        }
    }
    let tags = client.get("/v2/a/tags/list").await.expect(200);
    assert_eq!(tags.body, r#"{"name":"a","tags":["latest"]}"#);
}

/// Of several chunks for one place of an upload that come at the same time at most one is taken, and the others are told; in
/// the end the blob is those that were taken, and no byte of another.
async fn a28_chunks_for_one_place_at_once(site: &Site) {
    let client = site.client();
    let mut location = site.begin("a").await;
    let mut content = Vec::new();
    // On either side of what the Swift backend keeps in memory, and across it.
    for size in [1000, 1_200_000, 10, 900_000, 300_000] {
        let chunks: Vec<Bytes> = (0..WRITERS).map(|_| random(size)).collect();
        let sent =
            chunks.iter().map(|chunk| send_chunk(client, Method::PATCH, &location, content.len(), chunk));
        let mut taken = None;
        for (answer, chunk) in future::join_all(sent).await.into_iter().zip(&chunks) {
            match answer.status.as_u16() {
                202 => assert!(taken.replace((chunk, answer.location())).is_none(), "two were taken"),
                416 => assert_eq!(answer.code(), "BLOB_UPLOAD_INVALID"),
                _ => panic!("{answer:?}"),
            }
        }
        let status = client.get(&location).await.expect(204);
        let Some((chunk, next)) = taken else {
            assert_eq!(status.header("range"), place(content.len()), "nobody was taken");
            location = status.location();
            continue;
        };
        content.extend_from_slice(chunk);
        assert_eq!(status.header("range"), place(content.len()));
        location = next;
    }
    assert!(!content.is_empty(), "nobody was ever taken");
    let whole = Bytes::from(content);
    client.put(&with_digest(&location, &digest(&whole)), "").await.expect(201);
    site.has("a", &whole).await;
}

/// What says how far an upload is.
fn place(length: usize) -> String {
    format!("0-{}", length.saturating_sub(1))
}

/// After its end, good or bad, an upload is unknown under every URL that was ever given out for it.
async fn a28_a_late_chunk_finds_no_upload(site: &Site) {
    let client = site.client();
    for size in [700, 2_500_000] {
        for end in ["finished", "refused", "cancelled"] {
            let first = random(size);
            let begun = site.begin("a").await;
            let patched = client.patch(&begun, first.clone()).await.expect(202).location();
            match end {
                "finished" => client.put(&with_digest(&patched, &digest(&first)), "").await.expect(201),
                "refused" => client.put(&with_digest(&patched, &digest(b"other")), "").await.expect(400),
                _ => client.delete(&patched).await.expect(204),
            };
            let before = site.holds().await;
            for url in [&patched, &begun] {
                for answer in [
                    send_chunk(client, Method::PATCH, url, size, &random(500)).await,
                    client.patch(url, random(1_500_000)).await,
                    client.get(url).await,
                    client.delete(url).await,
                ] {
                    assert_eq!(answer.status, 404, "{end}, {size}: {answer:?}");
                    assert_eq!(answer.code(), "BLOB_UPLOAD_UNKNOWN");
                }
            }
            site.holds_again(before.as_ref()).await;
        }
    }
}

/// A chunk that was on its way when its upload was cancelled comes to nothing: it is refused, and leaves nothing.
async fn a28_a_chunk_on_its_way_when_the_upload_is_cancelled(site: &Site) {
    let client = site.client();
    let before = site.holds().await;
    for first in [None, Some(random(700)), Some(random(1_500_000))] {
        let mut location = site.begin("a").await;
        if let Some(first) = first {
            location = client.patch(&location, first).await.expect(202).location();
        }
        // Half of it is there, and the other half comes when the upload is gone.
        let halves = stream::iter([Duration::ZERO, Duration::from_millis(400)]).then(async |pause| {
            tokio::time::sleep(pause).await;
            random(800_000)
        });
        let slow = client.try_request(Method::PATCH, &location, &[], streamed(Box::pin(halves)));
        let cancel = async {
            tokio::time::sleep(Duration::from_millis(150)).await;
            client.delete(&location).await
        };
        let (slow, cancelled) = future::join(slow, cancel).await;
        cancelled.expect(204);
        site.refused(slow.unwrap(), 404, "BLOB_UPLOAD_UNKNOWN");
        site.refused(client.get(&location).await, 404, "BLOB_UPLOAD_UNKNOWN");
        site.holds_again(before.as_ref()).await;
    }
}

/// What who comes too late to an upload may be told: that there is none any more, that it stands elsewhere, or that somebody
/// changed it at the same time.
const TOO_LATE: [u16; 3] = [404, 416, 409];

/// Of several who finish one upload at the same time one at least is told that it did; the others are told that too, or that
/// they were too late. The blob is whole.
async fn a28_several_finish_one_upload(site: &Site) {
    let client = site.client();
    for (first, last) in [(0, 900), (900, 0), (900, 1_400_000), (2_500_000, 0), (2_500_000, 1000)] {
        let content = random(first + last);
        let mut location = site.begin("a").await;
        if first > 0 {
            location = client.patch(&location, content.slice(..first)).await.expect(202).location();
        }
        let url = with_digest(&location, &digest(&content));
        let puts = (0..WRITERS).map(|_| client.put(&url, content.slice(first..)));
        let answers = future::join_all(puts).await;
        let mut statuses = answers.iter().map(|answer| answer.status.as_u16());
        assert!(statuses.clone().any(|status| status == 201), "{answers:?}");
        assert!(statuses.all(|status| status == 201 || TOO_LATE.contains(&status)), "{answers:?}");
        site.has("a", &content).await;
    }
}

/// Of two who finish one upload with different ends at the same time at most one is told that it did, and what is there is
/// what it was told.
async fn a28_two_finish_one_upload_differently(site: &Site) {
    let client = site.client();
    for (first, last) in [(900, 700), (2_500_000, 700), (900, 1_500_000)] {
        let begin = random(first);
        let location = client.patch(&site.begin("a").await, begin.clone()).await.expect(202).location();
        let ends = [random(last), random(last)];
        let wholes = ends.clone().map(|end| Bytes::from([&begin[..], &end].concat()));
        let puts = ends.into_iter().zip(&wholes).map(|(end, whole)| {
            let url = with_digest(&location, &digest(whole));
            async move { client.put(&url, end).await }
        });
        let answers = future::join_all(puts).await;
        let created = answers.iter().filter(|answer| answer.status == 201).count();
        for (answer, whole) in answers.into_iter().zip(&wholes) {
            if answer.status == 201 {
                site.has("a", whole).await;
            } else {
                assert!(TOO_LATE.contains(&answer.status.as_u16()), "{answer:?}");
            }
        }
        assert!(created >= 1, "nobody finished it");
    }
}

/// A chunk, a cancellation and an end of one upload at the same time: each is answered, none by 5xx, and if the end is told that
/// it is one, the blob is there.
async fn a28_a_chunk_a_cancellation_and_an_end_at_once(site: &Site) {
    let client = site.client();
    for size in [700, 1_500_000, 700, 1_500_000, 700] {
        let content = random(size);
        let location = client.patch(&site.begin("a").await, content.clone()).await.expect(202).location();
        let url = with_digest(&location, &digest(&content));
        let chunk = random(size);
        let (end, patch, cancel) = future::join3(
            client.put(&url, ""),
            send_chunk(client, Method::PATCH, &location, size, &chunk),
            client.delete(&location),
        )
        .await;
        let finished = end.status == 201;
        // After the chunk, what is finished is not what was meant to be.
        let end_after_the_chunk = end.status == 400 && end.code() == "DIGEST_INVALID";
        for (answer, is_done) in [
            (&end, finished || end_after_the_chunk),
            (&patch, patch.status == 202),
            (&cancel, cancel.status == 204),
        ] {
            assert!(is_done || TOO_LATE.contains(&answer.status.as_u16()), "{answer:?}");
        }
        let there = client.get(&format!("/v2/a/blobs/{}", digest(&content))).await;
        if finished {
            assert!(there.expect(200).body == content);
        } else {
            there.expect(404);
        }
    }
}

over_every_backend!(
    a28_manifests_pushed_to_one_tag_at_once,
    a28_chunks_for_one_place_at_once,
    a28_a_late_chunk_finds_no_upload,
    a28_a_chunk_on_its_way_when_the_upload_is_cancelled,
    a28_several_finish_one_upload,
    a28_two_finish_one_upload_differently,
    a28_a_chunk_a_cancellation_and_an_end_at_once,
);
