//! `apus garbage-collect` as an operator meets it: what is needed can still be pulled, what is not is gone with its segments,
//! and where it is in doubt nothing is touched.
//!
//! | file | what it shows |
//! |---|---|
//! | `images` | images on the real Swift: kept whole, or gone without a trace |
//! | `faults` | a Swift whose listings lag or disagree, or that fails in the middle |
//! | `kills` | SIGKILL in the middle, and the run after it |
//! | `remnants` | what uploads have left that came to nothing |

use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use crate::support::apus::command;
use crate::support::content::{digest, random};
use crate::support::{Apus, Backend, Client};

mod faults;
mod images;
mod kills;
mod remnants;

/// How long one run may take.
const LIMIT: Duration = Duration::from_mins(3);

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// A registry whose clients may delete.
fn serve(backend: &Backend) -> Apus {
    Apus::start(&format!("{}\n  delete: {{enabled: true}}", backend.storage()))
}

/// A configuration file for the collector.
struct Collector {
    directory: tempfile::TempDir,
}

impl Collector {
    fn of(backend: &Backend) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = format!("version: 0.1\nstorage:\n{}\n", backend.storage());
        std::fs::write(directory.path().join("config.yml"), text).unwrap();
        Self { directory }
    }

    /// Begins a run in which everything counts as old.
    fn begin(&self, arguments: &[&str]) -> Child {
        command()
            .args(["garbage-collect", "config.yml", "--min-age", "0s"])
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs it to its end. It prints less than a pipe holds.
    fn run(&self, arguments: &[&str]) -> Output {
        // Times of objects are told in whole seconds, rounded up, and what is from the future is young.
        std::thread::sleep(Duration::from_millis(1100));
        let mut child = self.begin(arguments);
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > LIMIT {
                child.kill().unwrap();
                panic!("it still runs: {:?}", child.wait_with_output());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        child.wait_with_output().unwrap()
    }

    /// Runs it to a good end. Answers the summary.
    fn collect(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["--json"], arguments].concat());
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
        let summary: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
        assert_eq!((&summary["event"], &summary["done"]), (&"summary".into(), &true.into()), "{stdout}");
        summary
    }

    /// Runs it to a bad end. Answers what it said.
    fn fail(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let (stdout, stderr) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{stdout}{stderr}");
        stderr
    }
}

fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// An image that was pushed: its manifest, and its layer.
struct Image {
    repository: String,
    manifest: Bytes,
    digest: String,
    layer: Bytes,
    layer_digest: String,
}

impl Image {
    /// Pushes an image with a random layer, by the way that makes a large one of segments.
    async fn push(client: Client, repository: &str, tag: Option<&str>, layer: usize) -> Self {
        let layer = random(layer);
        let layer_digest = client.push_by_patch(repository, layer.clone()).await;
        let layers = [serde_json::json!({
            "mediaType": "application/octet-stream", "digest": layer_digest, "size": layer.len()
        })];
        let content = serde_json::json!({ "schemaVersion": 2, "mediaType": MANIFEST, "layers": layers });
        let manifest = Bytes::from(content.to_string());
        let digest = put(client, repository, tag, MANIFEST, &manifest).await;
        Self { repository: repository.to_owned(), manifest, digest, layer, layer_digest }
    }

    /// Takes it from its repository.
    async fn delete(&self, client: Client) {
        client.delete(&format!("/v2/{}/manifests/{}", self.repository, self.digest)).await.expect(202);
    }

    /// That it can be pulled, every byte of it.
    async fn is_whole(&self, client: Client) {
        let Self { repository, manifest, digest, layer, layer_digest } = self;
        let answer = client.get(&format!("/v2/{repository}/manifests/{digest}")).await.expect(200);
        assert_eq!(answer.body, manifest);
        let answer = client.get(&format!("/v2/{repository}/blobs/{layer_digest}")).await.expect(200);
        assert_eq!(answer.body, layer);
    }

    /// That nothing of it is said to be there.
    async fn is_gone(&self, client: Client) {
        let Self { repository, digest, layer_digest, .. } = self;
        client.head(&format!("/v2/{repository}/manifests/{digest}")).await.expect(404);
        client.head(&format!("/v2/{repository}/blobs/{layer_digest}")).await.expect(404);
    }

    /// Whether an object belongs to it, by its name.
    fn has(&self, object: &str) -> bool {
        [&self.digest, &self.layer_digest].iter().any(|digest| object.contains(&digest["sha256:".len()..]))
    }
}

/// Puts a manifest under a tag or its digest. Answers the digest.
async fn put(
    client: Client,
    repository: &str,
    tag: Option<&str>,
    media_type: &str,
    content: &Bytes,
) -> String {
    let digest = digest(content);
    let path = format!("/v2/{repository}/manifests/{}", tag.unwrap_or(&digest));
    let headers = [("content-type", media_type)];
    client.request(Method::PUT, &path, &headers, content.clone()).await.expect(201);
    digest
}

/// An index of these images.
fn index(images: &[&Image]) -> Bytes {
    let descriptor = |image: &&Image| serde_json::json!({ "mediaType": MANIFEST, "digest": image.digest, "size": image.manifest.len() });
    let manifests: Vec<Value> = images.iter().map(descriptor).collect();
    serde_json::json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string().into()
}

/// A manifest that says something about another.
fn referrer(subject: &str, note: &str) -> Bytes {
    let subject = serde_json::json!({ "mediaType": MANIFEST, "digest": subject, "size": 1 });
    let annotations = serde_json::json!({ "note": note });
    let manifest = serde_json::json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "subject": subject, "annotations": annotations
    });
    manifest.to_string().into()
}
