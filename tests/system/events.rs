//! Events: they outlive the process that made them, come in order from whatever was away for a while, and cost neither clients
//! nor memory. That they say what those of registry:2 say is shown in `incumbent::events`.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::Value;

use crate::support::backend::PROVEN;
use crate::support::content::{digest, random};
use crate::support::receiver::Receiver;
use crate::support::{Apus, Backend, Client};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The section of the file: an endpoint at this address that is soon tried again, with more lines of its own.
fn notifications(address: SocketAddr, endpoint: &str, more: &str) -> String {
    format!(
        "notifications:\n  endpoints:\n  - name: hook\n    url: http://{address}/events\n    timeout: 20s\n    threshold: 1\n    backoff: 5ms\n{endpoint}{more}"
    )
}

/// The lines by which events wait in a directory.
fn in_directory(directory: &Path) -> String {
    format!("  queue: {{directory: {}}}\n", directory.join("events").display())
}

/// A port at which nobody listens.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Pushes so many blobs, one after the other. Answers their digests.
async fn push(client: Client, blobs: usize) -> Vec<String> {
    let mut digests = Vec::new();
    for _ in 0..blobs {
        digests.push(client.push("a", random(10)).await);
    }
    digests
}

fn digests(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["target"]["digest"].as_str().unwrap()).collect()
}

/// Whatever the disk can be asked of the directory in which events wait: the lines of those that do.
fn waiting(directory: &Path) -> usize {
    let files = directory.join("events/hook").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let lines =
        |file| std::fs::read_to_string(file).unwrap().lines().filter(|line| line.starts_with('+')).count();
    files.map(lines).sum()
}

/// Promise: SIGKILL right after a push was answered takes no event with it, in any of several rounds, nor does SIGTERM. All come
/// in the order of the pushes, none under two identifiers.
#[tokio::test(flavor = "multi_thread")]
async fn no_end_of_the_process_loses_an_event() {
    let (backend, directory) = (Backend::filesystem(), tempfile::tempdir().unwrap());
    let receiver = Receiver::start().await;
    receiver.answer(503);
    let config = notifications(receiver.address, "", &in_directory(directory.path()));
    let mut pushed = Vec::new();
    for round in 0..4 {
        let mut apus = Apus::start_with(backend.storage(), &config);
        pushed.extend(push(apus.client(), 10).await);
        if round == 2 {
            apus.terminate();
            assert!(apus.wait(Duration::from_mins(1)).success());
        } else {
            apus.kill();
        }
    }
    // What was tried meanwhile is the first of all, again and again, and always the same.
    let tried: BTreeSet<String> =
        receiver.received().iter().map(|received| received.event.to_string()).collect();
    assert_eq!(tried.len(), 1, "{tried:#?}");
    assert_eq!(waiting(directory.path()), pushed.len());

    receiver.answer(200);
    let apus = Apus::start_with(backend.storage(), &config);
    apus.until_it_logs("events wait from before").await;
    assert_eq!(digests(&receiver.until(pushed.len()).await), pushed);
    // And killed in the midst of deliveries: what comes twice is the same, what comes is in order.
    let before = receiver.events().len();
    let more = push(apus.client(), 20).await;
    apus.kill();
    let apus = Apus::start_with(backend.storage(), &config);
    assert_eq!(digests(&receiver.until(before + more.len()).await[before..]), more);
    until_nothing_waits(directory.path()).await;
    drop(apus);
}

async fn until_nothing_waits(directory: &Path) {
    let begun = Instant::now();
    while waiting(directory) > 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "something waits for ever");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Promise: an endpoint that nobody serves for a while gets all of it afterwards, in order, from memory and from a directory;
/// a registry that is asked to stop delivers what waits.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_for_a_while_gets_all_in_order() {
    let directory = tempfile::tempdir().unwrap();
    for queue in [String::new(), in_directory(directory.path())] {
        let address = nobody();
        let mut apus = Apus::start_with(Backend::memory().storage(), &notifications(address, "", &queue));
        let warned = apus.log().iter().any(|line| line.contains("events wait in memory"));
        assert_eq!(warned, queue.is_empty());
        let mut pushed = push(apus.client(), 20).await;
        apus.until_it_logs("the endpoint does not take events").await;
        let receiver = Receiver::start_at(address).await;
        pushed.extend(push(apus.client(), 20).await);
        assert_eq!(digests(&receiver.until(40).await), pushed);
        apus.until_it_logs("the endpoint takes events again").await;

        // It waits for its next try when the process is to end.
        receiver.answer(500);
        pushed.extend(push(apus.client(), 3).await);
        receiver.until_tried(receiver.received().len() + 1).await;
        receiver.answer(200);
        apus.terminate();
        assert!(apus.wait(Duration::from_mins(1)).success());
        assert_eq!(digests(&receiver.until(43).await), pushed);
    }
}

/// Promise: SIGHUP changes who is told. An endpoint that stays keeps what waits for it, wherever it is now; one that goes gets what
/// was for it; one that comes is told from then on.
#[tokio::test(flavor = "multi_thread")]
async fn endpoints_change_in_flight() {
    const RELOADED: &str = "the configuration was read again";
    let directory = tempfile::tempdir().unwrap();
    for queue in [String::new(), in_directory(directory.path())] {
        let [old, new, leaving, coming] = [
            Receiver::start().await,
            Receiver::start().await,
            Receiver::start().await,
            Receiver::start().await,
        ];
        for away in [&old, &leaving] {
            away.answer(503);
        }
        let other = |name: &str, receiver: &Receiver| {
            format!("  - {{name: {name}, url: 'http://{}', threshold: 1, backoff: 1h}}\n", receiver.address)
        };
        let leaves = other("leaving", &leaving);
        let config = notifications(old.address, "", &leaves).replace("backoff: 5ms", "backoff: 1h") + &queue;
        let apus = Apus::start_with(Backend::memory().storage(), &config);
        let mut pushed = push(apus.client(), 5).await;
        old.until_tried(1).await;
        leaving.until_tried(1).await;

        leaving.answer(200);
        let (from, to) = (old.address.to_string(), new.address.to_string());
        apus.reconfigure(&format!("{from}/events"), &format!("{to}/elsewhere"));
        apus.until_it_logs(RELOADED).await;
        assert_eq!(digests(&new.until(5).await), pushed);
        assert_eq!(digests(&leaving.until(5).await), pushed, "it is tried at once");
        assert_eq!(new.received()[0].path, "/elsewhere");

        leaving.answer(503);
        pushed.extend(push(apus.client(), 1).await);
        leaving.until_tried(7).await;
        leaving.answer(200);
        apus.reconfigure(&leaves, &other("coming", &coming));
        assert_eq!(digests(&leaving.until(6).await), pushed);
        apus.until_it_logs("the endpoint is configured no more").await;
        coming_is_told(&apus, &coming, &mut pushed).await;
        assert_eq!(digests(&new.until(pushed.len()).await), pushed);
        leaving.until(6).await;
        old.until(1).await;
        if !queue.is_empty() {
            apus.reconfigure("/events}", "/elsewhere}");
            apus.until_it_logs("notifications.queue says something else, which only a new start").await;
            pushed.extend(push(apus.client(), 1).await);
            assert_eq!(digests(&new.until(pushed.len()).await), pushed);
        }
    }
}

/// Pushes until an endpoint is told of it, and adds what was pushed.
async fn coming_is_told(apus: &Apus, coming: &Receiver, pushed: &mut Vec<String>) {
    let begun = Instant::now();
    while coming.events().is_empty() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it is never told");
        pushed.extend(push(apus.client(), 1).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Promise: with an endpoint that never answers, and one that is not there, pushes and pulls go on; the memory of their queues is
/// bounded, and what is lost is told and counted under the names that docs/operate.md says.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_endpoint_costs_neither_clients_nor_memory() {
    const PULLS: usize = 2000;
    const AGENT: usize = 12 << 10;
    // It takes connections, and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoints =
        format!("  - {{name: silent, url: 'http://{}/', timeout: 1h}}\n", silent.local_addr().unwrap());
    let config = notifications(nobody(), &endpoints, "  queue: {maxsize: 1MiB}\n");
    let debug = "  debug: {addr: '127.0.0.1:0', prometheus: {enabled: true}}\n";
    let apus = Apus::start_with(Backend::memory().storage(), &format!("{debug}{config}"));
    let client = apus.client();
    let path = format!("/v2/a/blobs/{}", client.push("a", random(10)).await);
    let agent = "x".repeat(AGENT);
    let pull = async |times: usize| {
        for _ in 0..times {
            client.request(Method::HEAD, &path, &[("user-agent", &agent)], "").await.expect(200);
        }
    };
    pull(500).await;
    let before = apus.peak_memory();
    pull(PULLS).await;
    let grown = apus.peak_memory().saturating_sub(before) * 1024;
    println!("{} MiB of events, {} MiB more memory", (PULLS * AGENT * 2) >> 20, grown >> 20);
    assert!(grown < 24 << 20, "{grown} bytes of memory");

    apus.until_it_logs("events are lost").await;
    let metrics = metrics(&apus).await;
    for endpoint in ["hook", "silent"] {
        let value = |name: &str, labels: &str| value(&metrics, name, &[endpoint, labels]);
        let told = value("registry_notifications_events_total", "Events");
        let (lost, pending) =
            (value("apus_notifications_lost_total", ""), value("registry_notifications_pending_total", ""));
        assert_eq!((told, lost + pending), (PULLS + 501, told), "{endpoint}");
        assert!((10..200).contains(&pending), "{endpoint}: {pending} wait");
    }
    assert!(value(&metrics, "registry_notifications_events_total", &["hook", "Errors"]) > 0);
}

/// What the debug address shows.
async fn metrics(apus: &Apus) -> String {
    let log = apus.log();
    let line = log.iter().find(|line| line.contains("\"the debug address\"")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    let debug = Client::new(line["address"].as_str().unwrap().parse().unwrap());
    String::from_utf8(debug.get("/metrics").await.expect(200).body.to_vec()).unwrap()
}

/// The value of the series with these words in it.
fn value(metrics: &str, name: &str, words: &[&str]) -> usize {
    let series = |line: &&str| line.starts_with(name) && words.iter().all(|word| line.contains(word));
    let line = metrics.lines().find(series).unwrap_or_else(|| panic!("no {name} {words:?} in {metrics}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

/// Promise: neither credentials in the URL, nor its path, nor a header is in the log, at whatever level and whatever goes wrong;
/// the endpoint gets them all.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_reaches_the_log() {
    let receiver = Receiver::start().await;
    let secret_url =
        |address: SocketAddr| format!("http://hunter1:hunter2@{address}/hooks/hunter3?token=hunter4");
    let headers = "headers: {X-Token: [hunter5]}, timeout: 20s, threshold: 2, backoff: 5ms";
    let endpoints = format!(
        "notifications:\n  endpoints:\n  - {{name: there, url: '{}', {headers}}}\n  - {{name: away, url: '{}', {headers}}}\n",
        secret_url(receiver.address),
        secret_url(nobody()),
    );
    for level in ["info", "debug"] {
        let directory = tempfile::tempdir().unwrap();
        let config = endpoints.clone() + &in_directory(directory.path());
        let mut apus = Apus::start_at(level, Backend::memory().storage(), &config);
        receiver.answer(401);
        push(apus.client(), 2).await;
        receiver.until_tried(receiver.received().len() + 4).await;
        receiver.answer(200);
        apus.until_it_logs("the endpoint takes events again").await;
        apus.until_it_logs("Connection refused").await;
        apus.terminate();
        assert!(apus.wait(Duration::from_mins(1)).success());
        let log = apus.log().join("\n");
        assert!(log.contains("\"away\"") && log.contains("\"there\""), "{log}");
        for secret in ["hunter", "aHVudGVyMTpodW50ZXIy", "hooks"] {
            assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        }
    }
    for request in receiver.received() {
        assert_eq!(request.path, "/hooks/hunter3?token=hunter4");
        assert_eq!(request.headers["authorization"], "Basic aHVudGVyMTpodW50ZXIy");
        assert_eq!(request.headers["x-token"], "hunter5");
        assert_eq!(request.headers["content-type"], "application/vnd.docker.distribution.events.v1+json");
    }
}

/// Promise: a pull by a client that is sent to Swift itself is told as any other; one of which nothing comes is none.
#[tokio::test(flavor = "multi_thread")]
async fn redirected_pulls_are_told() {
    let receiver = Receiver::start().await;
    let backend = Backend::swift_v1().redirecting();
    let apus = Apus::start_with(backend.storage(), &notifications(receiver.address, "", ""));
    apus.until_it_logs(PROVEN).await;
    let client = apus.client();
    let content = random(1000);
    let path = format!("/v2/a/blobs/{}", client.push("a", content.clone()).await);
    client.get_here(&path, &[]).await.expect(307);
    client.get_here(&path, &[("range", "bytes=2000-")]).await.expect(416);
    client.get_here(&format!("/v2/b/blobs/{}", digest(&content)), &[]).await.expect(404);
    client.get_here(&path, &[("range", "bytes=10-20")]).await.expect(307);
    let events = receiver.until(3).await;
    let told = |event: &Value| {
        (
            event["action"].as_str().unwrap().to_owned(),
            event["request"]["method"].as_str().unwrap().to_owned(),
        )
    };
    let word = |action: &str, method: &str| (action.to_owned(), method.to_owned());
    assert_eq!(
        events.iter().map(told).collect::<Vec<_>>(),
        [word("push", "PUT"), word("pull", "GET"), word("pull", "GET")]
    );
    for event in events {
        assert_eq!(
            (event["target"]["size"].as_u64(), &event["target"]["length"]),
            (Some(1000), &event["target"]["size"])
        );
        assert_eq!(event["target"]["url"], format!("http://{}{path}", apus.address()));
    }
}

/// Promise: what registry:2 does not have is told in its manner: several tags of one push, each by its own event; a mount from
/// wherever the blob is; a deleted tag. Filters keep from an endpoint what it does not want. The request is found in the log by
/// its identifier, and the process by its own.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_our_own_is_told_too() {
    let (receiver, deletions) = (Receiver::start().await, Receiver::start().await);
    let other = format!(
        "  - {{name: other, url: 'http://{}', ignore: {{actions: [push, pull, mount]}}}}\n",
        deletions.address
    );
    let storage = format!("{}\n  delete: {{enabled: true}}", Backend::memory().storage());
    let config = notifications(receiver.address, "    ignoredmediatypes: [application/vnd.ours]\n", "");
    let apus = Apus::start_with(&storage, &format!("{config}{other}"));
    let client = apus.client();
    let blob = client.push("a", random(10)).await;
    client.post(&format!("/v2/b/blobs/uploads/?mount={blob}")).await.expect(201);
    let put = async |repository: &str, path: &str, media_type: &str| {
        let manifest =
            serde_json::json!({ "schemaVersion": 2, "mediaType": media_type, "layers": [] }).to_string();
        let path = format!("/v2/{repository}/manifests/{}{path}", digest(manifest.as_bytes()));
        client.request(Method::PUT, &path, &[("content-type", media_type)], manifest).await.expect(201)
    };
    put("a", "?tag=one&tag=two", OCI_IMAGE).await;
    put("a", "", "application/vnd.ours").await;
    let deleted = client.delete("/v2/a/manifests/two").await.expect(202);
    let events = receiver.until(5).await;
    let said = |event: &Value| {
        let target = &event["target"];
        [&event["action"], &target["repository"], &target["tag"]]
            .map(|word| word.as_str().unwrap_or("-").to_owned())
    };
    let said: Vec<_> = events.iter().map(said).collect();
    assert_eq!(
        said.iter().map(|words| words.join(" ")).collect::<Vec<_>>(),
        ["push a -", "mount b -", "push a one", "push a two", "delete a two"]
    );
    assert_eq!(events[1]["target"]["fromRepository"], Value::Null);
    assert_eq!(events[4]["request"]["id"], deleted.header("x-request-id"));
    assert_eq!(deletions.until(1).await[0]["id"], events[4]["id"], "it is one event, whoever is told");
    let line: Value = serde_json::from_str(&apus.log()[0]).unwrap();
    assert_eq!(events[0]["source"]["instanceID"], line["instance.id"]);
}
