//! `storage.maintenance.uploadpurging`: what nobody goes on with is gone, with all that was stored of it; what somebody goes on
//! with stays.

use std::time::{Duration, Instant};

use crate::support::content::random;
use crate::support::swift::Container;
use crate::support::{Apus, Backend, Client};

/// How long it may take until a thing is gone.
const LIMIT: Duration = Duration::from_mins(2);

fn purging(backend: &Backend, more: &str) -> String {
    format!("{}\n  maintenance: {{uploadpurging: {{age: 4s, interval: 1s{more}}}}}", backend.storage())
}

async fn begun(client: &Client, length: usize) -> String {
    let begun = client.post("/v2/a/b/blobs/uploads/").await.expect(202);
    client.patch(&begun.location(), random(length)).await.expect(202).location()
}

async fn until_gone(client: &Client, upload: &str) {
    let begun = Instant::now();
    while client.get(upload).await.status != 404 {
        assert!(begun.elapsed() < LIMIT, "it is never purged");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// By two replicas at once, on each backend: one that has segments, one that is small, and one that somebody goes on with.
#[tokio::test(flavor = "multi_thread")]
async fn abandoned_uploads_go_and_others_stay() {
    for backend in [Backend::memory(), Backend::filesystem(), Backend::swift_v1()] {
        let apus = Apus::start(&purging(&backend, ""));
        let other = (backend.name != "memory").then(|| Apus::start(&purging(&backend, "")));
        let client = apus.client();
        let blob = client.push_by_patch("a/b", random(3 << 20)).await;
        let small = begun(&client, 1000).await;
        let large = begun(&client, 3 << 20).await;
        let mut alive = begun(&client, 1 << 20).await;
        let begun = Instant::now();
        let mut gone = false;
        // Longer than twice the age, whatever the clock of this machine is at.
        while !gone || begun.elapsed() < Duration::from_secs(10) {
            alive = client.patch(&alive, random(10)).await.expect(202).location();
            tokio::time::sleep(Duration::from_millis(500)).await;
            gone = client.get(&small).await.status == 404 && client.get(&large).await.status == 404;
            assert!(begun.elapsed() < LIMIT, "on {}: they are never purged", backend.name);
        }
        client.get(&alive).await.expect(204);
        client.delete(&alive).await.expect(204);
        assert_eq!(client.get(&format!("/v2/a/b/blobs/{blob}")).await.expect(200).body.len(), 3 << 20);
        if let Some(container) = backend.container() {
            let container = Container::open(container).await;
            let names = container.names().await;
            assert!(!names.iter().any(|name| name.starts_with("apus/sessions/")), "{names:#?}");
            // Those of the blob that was published.
            let segments = names.iter().filter(|name| name.starts_with("segments/")).count();
            let records = names.iter().filter(|name| name.starts_with("apus/records/")).count();
            assert_eq!((records, segments > 0), (1, true), "{names:#?}");
            drop((apus, other));
            container.remove().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_only_tells() {
    let backend = Backend::filesystem();
    let apus = Apus::start(&purging(&backend, ", dryrun: true"));
    let upload = begun(&apus.client(), 1000).await;
    apus.until_it_logs("an upload that nobody goes on with is purged").await;
    let log = apus.log();
    let lines = log.iter().filter(|line| line.contains("goes on with is purged"));
    assert!(
        lines.clone().count() > 0 && lines.clone().all(|line| line.contains("\"dry_run\":true")),
        "{log:?}"
    );
    apus.client().get(&upload).await.expect(204);
}

/// What registry:2 left: the directory and the segments that it hides, and those of an upload that is not old stay.
#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_registry_2_go_with_their_segments() {
    let backend = Backend::swift_v1();
    // The container is made by the first who needs it.
    let maker = Apus::start(backend.storage());
    maker.client().get("/v2/_catalog").await.expect(200);
    drop(maker);
    let container = Container::open(backend.container().unwrap()).await;
    for (upload, startedat) in [("old", "2020-01-01T00:00:00Z"), ("young", "2999-01-01T00:00:00Z")] {
        let directory = format!("files/docker/registry/v2/repositories/a/b/_uploads/{upload}");
        let segments = format!("segments/abc/{upload}");
        for number in 1..=2 {
            container.put(&format!("{segments}/{number:016}"), "bytes".into()).await;
        }
        container.put_dynamic(&format!("{directory}/data"), &segments).await;
        container.put(&format!("{directory}/hashstates/sha256/0"), "state".into()).await;
        container.put(&format!("{directory}/startedat"), startedat.into()).await;
    }
    let apus = Apus::start(&purging(&backend, ""));
    let begun = Instant::now();
    loop {
        let names = container.names().await;
        let of = |upload: &str| names.iter().filter(|name| name.contains(&format!("/{upload}"))).count();
        assert_eq!(of("young"), 5, "{names:#?}");
        if of("old") == 0 {
            break;
        }
        assert!(begun.elapsed() < LIMIT, "never purged: {names:#?}\n{}", apus.log().join("\n"));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(apus);
    container.remove().await;
}

/// By SIGHUP it can be begun, too.
#[tokio::test(flavor = "multi_thread")]
async fn it_can_be_begun_while_the_registry_runs() {
    let backend = Backend::filesystem();
    let storage = format!(
        "{}\n  maintenance: {{uploadpurging: {{enabled: false, age: 1s, interval: 1s}}}}",
        backend.storage()
    );
    let apus = Apus::start(&storage);
    let client = apus.client();
    let upload = begun(&client, 1000).await;
    apus.reconfigure("enabled: false", "enabled: true");
    until_gone(&client, &upload).await;
}
