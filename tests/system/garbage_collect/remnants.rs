//! What uploads leave that came to nothing, and that no list of uploads shows.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::*;
use crate::support::client::streamed;
use crate::support::swift::{Container, object_names};

/// Promise: an Apus that is killed in the first chunk of an upload leaves segments on Swift that no upload names; they go with
/// the garbage, and the images stay.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_apus_leaves_on_swift_goes_with_the_garbage() {
    let backend = Backend::swift_v1();
    let container = backend.container().unwrap().to_owned();
    let collector = Collector::of(&backend);
    let apus = Apus::start(&format!("{}\n    chunksize: 1MiB", backend.storage()));
    let client = apus.client();
    let images =
        [Image::push(client, "a", Some("v1"), 5 << 20).await, Image::push(client, "b", None, 3 << 20).await];
    let before: BTreeSet<String> = object_names(&container).await.into_iter().collect();

    let begun = client.post("/v2/a/blobs/uploads/").await.expect(202);
    let sending = tokio::spawn(async move {
        // It never comes to its end.
        let body = streamed(stream::iter([random(4 << 20)]).chain(stream::pending()));
        client.try_request(Method::PATCH, &begun.location(), &[], body).await.is_ok()
    });
    let started = Instant::now();
    let left = loop {
        let now: BTreeSet<String> = object_names(&container).await.into_iter().collect();
        let new: Vec<String> = now.difference(&before).cloned().collect();
        if new.len() >= 3 {
            break new;
        }
        assert!(started.elapsed() < LIMIT, "no segments are written: {new:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    apus.kill();
    assert!(!sending.await.unwrap());
    assert!(left.iter().all(|name| name.starts_with("segments/apus/")), "{left:?}");
    // What was on its way to Swift may still come to be.
    tokio::time::sleep(Duration::from_millis(500)).await;

    let found = collector.collect(&["--dry-run"]);
    assert_eq!((&found["remnants"], &found["dry_run"]), (&1.into(), &true.into()), "{found}");
    assert!(found["remnant_bytes"].as_u64().unwrap() >= 3 << 20, "{found}");
    assert!(object_names(&container).await.len() >= before.len() + left.len());
    let output = collector.run(&[]);
    let (stdout, stderr) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("left by 1 uploads that came to nothing: "), "{stdout}");
    let after: BTreeSet<String> = object_names(&container).await.into_iter().collect();
    assert_eq!(after, before);
    let again = collector.collect(&[]);
    assert_eq!((&again["remnants"], &again["remnant_bytes"]), (&0.into(), &0.into()), "{again}");

    let apus = serve(&backend);
    for image in &images {
        image.is_whole(apus.client()).await;
    }
    apus.kill();
    Container::open(&container).await.remove().await;
}
