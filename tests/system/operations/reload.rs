//! SIGHUP: the configuration is read again.

use std::time::Duration;

use crate::support::content::random;
use crate::support::{Apus, Backend};

const STAYS: &str = "SIGHUP: the configuration stays as it was";

fn start(backend: &Backend) -> Apus {
    let storage = format!("{}\n  maintenance: {{readonly: {{enabled: false}}}}", backend.storage());
    Apus::start_with(
        &storage,
        "  headers: {X-Site: [one]}\nlimits: {client: {uploads: 5}}\ntags: {maxtags: 7}",
    )
}

/// Header by header, and read-only both ways, while a connection stays open.
#[tokio::test(flavor = "multi_thread")]
async fn what_can_change_changes_at_once() {
    let backend = Backend::filesystem();
    let apus = start(&backend);
    let client = apus.client();
    let blob = client.push("a", random(1000)).await;
    let headers = client.get("/v2/").await.expect(200);
    assert_eq!(headers.header("x-site"), "one");

    apus.reconfigure("X-Site: [one]", "X-Site: [two]");
    apus.until_it_logs("\"changed\":\"http.headers.X-Site[0]\"").await;
    assert_eq!(client.get("/v2/").await.expect(200).header("x-site"), "two");
    // An upload that was begun goes on.
    let begun = client.post("/v2/a/blobs/uploads/").await.expect(202);
    let begun = client.patch(&begun.location(), "first ").await.expect(202);

    apus.reconfigure("readonly: {enabled: false}", "readonly: {enabled: true}");
    apus.until_it_logs("\"changed\":\"storage.maintenance.readonly.enabled\"").await;
    client.patch(&begun.location(), "second").await.expect(405);
    client.get(&format!("/v2/a/blobs/{blob}")).await.expect(200);

    apus.reconfigure("readonly: {enabled: true}", "readonly: {enabled: false}");
    for _ in 0..6000 {
        if client.post("/v2/a/blobs/uploads/").await.status == 202 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    apus.reconfigure("log: {level: info", "log: {level: debug");
    apus.until_it_logs("\"changed\":\"log.level\"").await;
    client.patch(&begun.location(), "second").await.expect(202);
    client.push("a", random(1000)).await;
    apus.reconfigure("tags: {maxtags: 7}", "tags: {maxtags: 7}");
    apus.until_it_logs("the configuration says the same as before").await;
}

/// A registry that was started read-only comes to take what is pushed.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_was_started_read_only_takes_writes() {
    for backend in [Backend::filesystem(), Backend::swift_v1()] {
        let storage = format!("{}\n  maintenance: {{readonly: {{enabled: true}}}}", backend.storage());
        let apus = Apus::start(&storage);
        apus.client().post("/v2/a/blobs/uploads/").await.expect(405);
        apus.reconfigure("readonly: {enabled: true}", "readonly: {enabled: false}");
        apus.until_it_logs("the configuration was read again").await;
        let blob = apus.client().push_by_patch("a", random(2 << 20)).await;
        apus.client().get(&format!("/v2/a/blobs/{blob}")).await.expect(200);
    }
}

/// Whatever is wrong with it, nothing changes, and what it is is told by name.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_loaded_changes_nothing() {
    let backend = Backend::filesystem();
    let apus = start(&backend);
    for (from, to, told) in [
        ("X-Site: [one]", "X-Site: [two", "config.yml"),
        ("X-Site: [two", "X-Site: [two]}\n  addr: {", "config.yml"),
        ("X-Site: [two]}\n  addr: {", "X-Site: [two]}\n  draintimeout: {soon: 5", "http.draintimeout"),
        (
            "draintimeout: {soon: 5}",
            "draintimeout: 7s",
            "something else of http.draintimeout, which only a new start",
        ),
        ("draintimeout: 7s", "secret: other", "something else of http.secret"),
        (
            "secret: other",
            "net: tcp\nnotifications: {endpoints: [{name: 1, url: x}]}",
            "notifications.endpoints[0].url",
        ),
    ] {
        let before = apus.log().iter().filter(|line| line.contains(STAYS)).count();
        apus.reconfigure(from, to);
        for _ in 0..12_000 {
            if apus.log().iter().filter(|line| line.contains(STAYS)).count() > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let log = apus.log();
        let line = log.iter().filter(|line| line.contains(STAYS)).nth(before).unwrap();
        assert!(line.contains(told), "{to}: {line}");
        assert_eq!(apus.client().get("/v2/").await.expect(200).header("x-site"), "one");
    }
}
