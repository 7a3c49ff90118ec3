//! What each operation costs: requests to Swift, counted at the fake one and held to the plan's budgets. A small request
//! costs a Swift some milliseconds, so their number decides how fast a registry is.
//!
//! Signing in and `/info` are not counted, nor what an Apus does once when it starts (its container, the secret of its
//! upload URLs). "Cold" is an Apus that has just started, "warm" one that was asked the same before.

use std::collections::HashSet;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Options, RequestRecord};
use bytes::Bytes;
use hyper::Method;
use serde_json::json;

use crate::support::backend::FAKE_CONTAINER;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};
use crate::support::{Answer, Apus, Backend, Client};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// A fake Swift, an Apus over it, and what its operations have cost.
struct Counted {
    fake: FakeSwift,
    apus: Apus,
    rows: Vec<Row>,
}

struct Row {
    operation: String,
    budget: usize,
    requests: Vec<RequestRecord>,
}

impl Counted {
    async fn new() -> Self {
        let fake = FakeSwift::start(Options::default()).await.unwrap();
        let apus = ready(&fake).await;
        Self { fake, apus, rows: Vec::new() }
    }

    /// Another Apus in the place of the first: it remembers nothing.
    async fn cold(&mut self) -> Client {
        self.apus = ready(&self.fake).await;
        self.apus.client()
    }

    /// Puts what has been asked since the last time down to an operation.
    fn charge(&mut self, operation: &str, budget: usize) {
        let requests = self.fake.take_requests();
        let requests = requests.into_iter().filter(|request| request.kind.is_storage()).collect();
        self.rows.push(Row { operation: operation.to_owned(), budget, requests });
    }

    /// Prints the table, and fails the test if a budget was exceeded, if nothing was counted, or if a request was of a
    /// kind that Apus never sends.
    fn settle(self) {
        let mut table = format!("{:<62} {:>6} {:>7}\n", "requests to Swift", "budget", "counted");
        let mut faults = String::new();
        for Row { operation, budget, requests } in &self.rows {
            writeln!(table, "{operation:<62} {budget:>6} {:>7}", requests.len()).unwrap();
            if requests.len() > *budget || requests.is_empty() {
                writeln!(faults, "{operation}: {} requests, budget {budget}", requests.len()).unwrap();
                for RequestRecord { method, path, query, status, .. } in requests {
                    writeln!(faults, "  {method} {path}?{query} {status:?}").unwrap();
                }
            }
            for request in requests {
                let copies = request.method.as_str() == "COPY" || request.headers.contains_key("x-copy-from");
                let is_dynamic = request.headers.contains_key("x-object-manifest");
                assert!(!copies && !is_dynamic, "{operation}: {request:?}");
            }
        }
        println!("{table}");
        assert!(faults.is_empty(), "{faults}");
    }
}

/// An Apus that has done what it does once, and whose requests until then are forgotten.
async fn ready(fake: &FakeSwift) -> Apus {
    let apus = Apus::start(Backend::fake_v3(fake).storage());
    let begun = Instant::now();
    while !apus.log().iter().any(|line| line.contains("Swift is ready")) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", apus.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    apus.client().post("/v2/warm/up/blobs/uploads/").await.expect(202);
    drop(fake.take_requests());
    apus
}

async fn push_in_chunks(client: Client, repository: &str, content: &Bytes, chunk: usize) {
    let mut location = client.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202).location();
    for chunk in content.chunks(chunk) {
        location = client.patch(&location, Bytes::copy_from_slice(chunk)).await.expect(202).location();
    }
    client.put(&with_digest(&location, &digest(content)), "").await.expect(201);
}

/// Pushes of blobs: in one request, in chunks, and without being sent at all.
#[tokio::test(flavor = "multi_thread")]
async fn pushing_blobs() {
    let mut counted = Counted::new().await;
    let client = counted.apus.client();
    for (size, name) in [(KIB, "1 KiB"), (3 * MIB, "3 MiB")] {
        client.push("a", random(size)).await;
        counted.charge(&format!("blob push of {name}, POST + PUT"), 3);
        client.push_by_patch("a", random(size)).await;
        counted.charge(&format!("blob push of {name}, POST + PATCH + PUT"), 6);
    }
    push_in_chunks(client, "a", &random(64 * MIB), 16 * MIB).await;
    counted.charge("blob push of 64 MiB in four chunks", 14);

    let blob = client.push("a", random(KIB)).await;
    drop(counted.fake.take_requests());
    client.post(&format!("/v2/b/blobs/uploads/?mount={blob}&from=a")).await.expect(201);
    counted.charge("mount, warm", 3);
    let client = counted.cold().await;
    client.post(&format!("/v2/c/blobs/uploads/?mount={blob}&from=a")).await.expect(201);
    counted.charge("mount, cold", 3);
    counted.settle();
}

/// Reads of blobs: HEAD, and GET streamed through.
#[tokio::test(flavor = "multi_thread")]
async fn pulling_blobs() {
    let mut counted = Counted::new().await;
    let small = counted.apus.client().push("a", random(KIB)).await;
    let large = random(3 * MIB);
    push_in_chunks(counted.apus.client(), "a", &large, 2 * MIB).await;
    for (blob, name) in [(small, "1 KiB"), (digest(&large), "3 MiB in two segments")] {
        let path = format!("/v2/a/blobs/{blob}");
        for (method, cold, warm) in [(Method::HEAD, 2, 1), (Method::GET, 2, 2)] {
            let client = counted.cold().await;
            client.request(method.clone(), &path, &[], "").await.expect(200);
            counted.charge(&format!("{method} blob of {name}, cold"), cold);
            client.request(method.clone(), &path, &[], "").await.expect(200);
            counted.charge(&format!("{method} blob of {name}, warm"), warm);
        }
    }
    counted.settle();
}

/// Manifests and tags.
#[tokio::test(flavor = "multi_thread")]
async fn manifests_and_tags() {
    let mut counted = Counted::new().await;
    let client = counted.apus.client();
    let mut layers = Vec::new();
    for _ in 0..11 {
        layers.push(client.push("a", random(KIB)).await);
    }
    drop(counted.fake.take_requests());
    let manifest = client.push_manifest("a", "latest", &layers).await;
    counted.charge("manifest PUT with a tag, 11 references just pushed here", 4);

    for (reference, name, cold, warm) in [(&*manifest, "digest", 2, 1), ("latest", "tag", 3, 2)] {
        let client = counted.cold().await;
        let path = format!("/v2/a/manifests/{reference}");
        client.get(&path).await.expect(200);
        counted.charge(&format!("GET manifest by {name}, cold"), cold);
        client.get(&path).await.expect(200);
        counted.charge(&format!("GET manifest by {name}, warm"), warm);
    }

    for tag in 0..1000 {
        let link = format!("files/docker/registry/v2/repositories/many/_manifests/tags/t{tag}/current/link");
        counted.fake.put_object(FAKE_CONTAINER, &link, manifest.clone());
    }
    for query in ["", "?n=100", "?last=t500&n=100"] {
        let list = counted.apus.client().get(&format!("/v2/many/tags/list{query}")).await;
        counted.charge(&format!("tags/list of 1,000 tags {query}"), 1);
        assert_eq!(count_of_tags(list), if query.is_empty() { 1000 } else { 100 });
    }
    counted.settle();
}

fn count_of_tags(answer: Answer) -> usize {
    let list: serde_json::Value = serde_json::from_slice(&answer.expect(200).body).unwrap();
    list["tags"].as_array().unwrap().len()
}

/// An image of 20 layers, pushed by skopeo as it pushes all images.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_20_layers_by_skopeo() {
    let mut counted = Counted::new().await;
    for (size, name) in [(256 * KIB, "256 KiB"), (4 * MIB, "4 MiB")] {
        let layout = tempfile::tempdir().unwrap();
        let digests = write_image(layout.path(), size);
        let destination = format!("docker://{}/image/of/{size}:latest", counted.apus.address());
        let copied = Command::new("skopeo")
            .args(["copy", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false"])
            .args([format!("oci:{}:latest", layout.path().display()), destination])
            .output()
            .expect("skopeo is missing: scripts/install-tools installs it");
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        counted.charge(&format!("push of an image of 20 layers of {name} by skopeo"), 190);
        for digest in digests {
            let path = format!("/v2/image/of/{size}/blobs/{digest}");
            counted.apus.client().head(&path).await.expect(200);
        }
        drop(counted.fake.take_requests());
    }
    counted.settle();
}

/// Writes an OCI image layout with one image, `latest`, of 20 random layers. Answers their digests.
fn write_image(layout: &Path, layer_size: usize) -> HashSet<String> {
    let blobs = layout.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let add = |content: &[u8]| {
        let digest = digest(content);
        std::fs::write(blobs.join(digest.trim_start_matches("sha256:")), content).unwrap();
        (digest, content.len())
    };
    let descriptor = |media_type: &str, (digest, size): &(String, usize)| json!({ "mediaType": format!("application/vnd.oci.image.{media_type}"), "digest": digest, "size": size });
    // What begins as gzip does is taken for compressed, and left as it is.
    let layers: Vec<_> =
        (0..20).map(|_| add(&[&[0x1f, 0x8b, 8], &*random(layer_size - 3)].concat())).collect();
    let digests: Vec<_> = layers.iter().map(|(digest, _)| digest.clone()).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": digests },
    });
    let config = add(config.to_string().as_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "config": descriptor("config.v1+json", &config),
        "layers": layers.iter().map(|layer| descriptor("layer.v1.tar+gzip", layer)).collect::<Vec<_>>(),
    });
    let mut manifest = descriptor("manifest.v1+json", &add(manifest.to_string().as_bytes()));
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    std::fs::write(layout.join("index.json"), index.to_string()).unwrap();
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    digests.into_iter().collect()
}
