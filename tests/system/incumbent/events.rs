//! What is told of the same requests: by registry:2 and by Apus, each to a receiver of its own. Every field is compared, but for
//! those that are anew each time.

use std::net::SocketAddr;
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};

use super::registry2::Registry2;
use crate::clients::programs::run;
use crate::clients::source::Small;
use crate::support::content::digest;
use crate::support::receiver::Receiver;
use crate::support::{Apus, Client};

const STORAGE: &str = "  inmemory: {}\n  delete: {enabled: true}";
const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

fn notifications(receiver: &Receiver, ignore: &str) -> String {
    format!(
        "notifications:\n  events: {{includereferences: true}}\n  endpoints:\n  - name: hook\n    url: http://{}/\n    timeout: 20s\n{ignore}",
        receiver.address
    )
}

/// An event without what is never the same, its URL without the host; and a check that this is there.
fn comparable(mut event: Value, host: SocketAddr) -> Value {
    let time: jiff::Timestamp = event["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(time.duration_until(jiff::Timestamp::now()).as_secs() < 600, "{time}");
    let address = event["request"]["addr"].as_str().unwrap();
    assert!(address.parse::<SocketAddr>().unwrap().ip().is_loopback(), "{event:#}");
    assert_eq!(event["request"]["host"], host.to_string());
    for name in ["/id", "/timestamp", "/request/id", "/request/addr", "/request/host", "/source/instanceID"] {
        let found = event.pointer_mut(name).unwrap();
        assert!(!found.as_str().unwrap().is_empty(), "{name}");
        *found = json!("anew");
    }
    // Either listens on a port that it was given.
    let (machine, _) = event["source"]["addr"].as_str().unwrap().rsplit_once(':').unwrap();
    event["source"]["addr"] = json!(machine);
    if let Some(url) = event["target"]["url"].as_str() {
        let path = url.strip_prefix(&format!("http://{host}")).unwrap_or(url);
        assert!(path.starts_with("/v2/"), "{url}");
        event["target"]["url"] = json!(path);
    }
    event
}

/// Promise: of pushes in every way, pulls by GET and HEAD, in parts, of what the client has already, mounts, deletions and a
/// signed-in name registry:2 and Apus send the same events in the same order.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_requests_cause_the_same_events() {
    let receivers = [Receiver::start().await, Receiver::start().await];
    let old = Registry2::start(STORAGE, &notifications(&receivers[0], ""));
    let apus = Apus::start_with(STORAGE, &notifications(&receivers[1], ""));
    for client in [old.client(), apus.client()] {
        requests(client).await;
    }
    let expected = receivers[0].until(18).await;
    let mut expected: Vec<_> = expected.into_iter().map(|event| comparable(event, old.address())).collect();
    let told = receivers[1].until(18).await;
    let mut told: Vec<_> = told.into_iter().map(|event| comparable(event, apus.address())).collect();
    // The tags of a manifest go side by side.
    for events in [&mut expected, &mut told] {
        events[15..17].sort_by_key(Value::to_string);
    }
    for (told, expected) in told.iter().zip(&expected) {
        assert_eq!(told, expected);
    }
    // Down to the head of the request, but for what each calls itself.
    let heads = receivers.map(|receiver| {
        let mut head = receiver.received()[0].headers.clone();
        assert!(head.remove("user-agent").is_some() && head.remove("host").is_some());
        head.remove("content-length");
        // Only what Go's client says of every request.
        head.remove("accept-encoding");
        head
    });
    assert_eq!(heads[1], heads[0]);
}

/// What a client may do, on an empty registry.
async fn requests(client: Client) {
    let (one, two) = ("one".to_owned(), "the other".to_owned());
    let config = client.push("a/b", one.clone()).await;
    let layer = client.push_by_patch("a/b", two.clone()).await;
    client.push("a/b", "").await;
    client.post(&format!("/v2/c/blobs/uploads/?mount={layer}&from=a/b")).await.expect(201);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": one.len() },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": two.len(), "annotations": { "a": "b" } }],
    })
    .to_string();
    let by_digest = format!("/v2/a/b/manifests/{}", digest(manifest.as_bytes()));
    let put = async |path: &str| {
        client.request(Method::PUT, path, &[("content-type", OCI_IMAGE)], manifest.clone()).await.expect(201);
    };
    put(&by_digest).await;
    put("/v2/a/b/manifests/latest").await;
    put("/v2/a/b/manifests/other").await;
    let ask = async |method: Method, path: &str, headers: &[(&str, &str)], status: u16| {
        let headers = [&[("accept", OCI_IMAGE), ("user-agent", "tester/1")], headers].concat();
        client.request(method, path, &headers, "").await.expect(status);
    };
    let etag = format!("\"{}\"", digest(manifest.as_bytes()));
    ask(Method::GET, "/v2/a/b/manifests/latest", &[("authorization", "Basic am9lOnNlY3JldA==")], 200).await;
    ask(Method::HEAD, "/v2/a/b/manifests/latest", &[], 200).await;
    ask(Method::GET, &by_digest, &[], 200).await;
    ask(Method::GET, "/v2/a/b/manifests/latest", &[("if-none-match", &etag)], 304).await;
    ask(Method::GET, "/v2/a/b/manifests/unknown", &[], 404).await;
    let blob = format!("/v2/a/b/blobs/{layer}");
    ask(Method::GET, &blob, &[], 200).await;
    ask(Method::HEAD, &blob, &[], 200).await;
    ask(Method::GET, &blob, &[("range", "bytes=1-2")], 206).await;
    ask(Method::GET, &blob, &[("if-none-match", &format!("\"{layer}\""))], 304).await;
    ask(Method::DELETE, &by_digest, &[], 202).await;
    ask(Method::DELETE, &by_digest, &[], 404).await;
    ask(Method::DELETE, &blob, &[], 202).await;
    ask(Method::GET, &blob, &[], 404).await;
}

/// Promise: skopeo pushes a list of two images and an image again, and pulls them: the events are those of registry:2. Filters
/// leave out the same.
#[tokio::test(flavor = "multi_thread")]
async fn skopeo_causes_the_same_events() {
    let small = Small::make();
    for ignore in ["", "    ignoredmediatypes: [application/octet-stream]\n    ignore: {actions: [pull]}\n"] {
        let receivers = [Receiver::start().await, Receiver::start().await];
        let old = Registry2::start(STORAGE, &notifications(&receivers[0], ignore));
        let apus = Apus::start_with(STORAGE, &notifications(&receivers[1], ignore));
        let mut told = Vec::new();
        for (address, receiver) in [old.address(), apus.address()].into_iter().zip(&receivers) {
            let there = format!("docker://{address}/small:list");
            let here = tempfile::tempdir().unwrap();
            let skopeo = |from: &str, to: &str| {
                let mut command = Command::new("skopeo");
                command.args([
                    "copy",
                    "--quiet",
                    "--all",
                    "--src-tls-verify=false",
                    "--dest-tls-verify=false",
                ]);
                run(command.args([from, to]));
            };
            skopeo(&small.list().name(), &there);
            skopeo(&there, &format!("dir:{}", here.path().join("pulled").display()));
            skopeo(&small.image("arm64").name(), &format!("docker://{address}/small:image"));
            // The last event: by it is known that there are no more.
            let last = Client::new(address).push("last", "last").await;
            Client::new(address).delete(&format!("/v2/last/blobs/{last}")).await.expect(202);
            receiver.until_an_event(|event| event["action"] == "delete").await;
            let events = receiver.events().into_iter().map(|event| comparable(event, address).to_string());
            // Layers go side by side.
            let mut events: Vec<String> = events.collect();
            events.sort();
            told.push(events);
        }
        println!("{} events of skopeo", told[0].len());
        assert!(told[0].len() > if ignore.is_empty() { 20 } else { 4 }, "{:#?}", told[0]);
        assert_eq!(told[1], told[0]);
    }
}
