//! 200 pushes at once, of images that share their layers: no request fails, and both processes have everything, byte for byte.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Options};
use bytes::Bytes;
use futures_util::{StreamExt, future, stream};
use hyper::Method;
use serde_json::json;

use super::{NOTHING_SHARED, Replicas, SHARED_SECRET};
use crate::support::backend::variable;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};
use crate::support::{Backend, Client};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const PUSHES: usize = 200;
const REPOSITORIES: usize = 4;
/// Of each image.
const LAYERS: usize = 2;
/// Bytes of all layers that there are, on either side of what Swift stores as a segment of its own.
const SIZES: [usize; 10] =
    [100, 1_200_000, 5000, 40_000, 300_000, 1_048_576, 2_500_000, 70_000, 1, 1_048_575];

/// An image on its way to a registry.
struct Push<'a> {
    number: usize,
    repository: String,
    layers: Vec<&'a Bytes>,
    manifest: Bytes,
}

impl<'a> Push<'a> {
    fn new(number: usize, layers: &'a [Bytes]) -> Self {
        let layers: Vec<_> = layers.iter().cycle().skip(number * 7).take(LAYERS).collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "config": descriptor(layers[0]),
            "layers": layers.iter().map(|layer| descriptor(layer)).collect::<Vec<_>>(),
            "annotations": { "number": number.to_string() },
        });
        let repository = format!("team/{}", number % REPOSITORIES);
        Self { number, repository, layers, manifest: manifest.to_string().into() }
    }

    fn blob(&self, layer: &[u8]) -> String {
        format!("/v2/{}/blobs/{}", self.repository, digest(layer))
    }

    fn manifest(&self) -> String {
        format!("/v2/{}/manifests/t{}", self.repository, self.number)
    }

    /// As clients do: what is there is not sent, all else in one of their ways, and the manifest last.
    async fn run(&self, client: Client) {
        for (place, layer) in self.layers.iter().enumerate() {
            let head = client.head(&self.blob(layer)).await;
            match head.status.as_u16() {
                200 => continue,
                404 => {}
                _ => panic!("{head:?}"),
            }
            match (self.number + place) % 3 {
                0 => drop(client.push(&self.repository, Bytes::clone(layer)).await),
                1 => drop(client.push_by_patch(&self.repository, Bytes::clone(layer)).await),
                _ => self.push_in_halves(client, layer).await,
            }
        }
        let media_type = [("content-type", OCI_IMAGE)];
        client.request(Method::PUT, &self.manifest(), &media_type, self.manifest.clone()).await.expect(201);
    }

    async fn push_in_halves(&self, client: Client, layer: &Bytes) {
        let (first, second) = (layer.slice(..layer.len() / 2), layer.slice(layer.len() / 2..));
        let begun = client.post(&format!("/v2/{}/blobs/uploads/", self.repository)).await.expect(202);
        let patched = client.patch(&begun.location(), first).await.expect(202);
        client.put(&with_digest(&patched.location(), &digest(layer)), second).await.expect(201);
    }
}

fn descriptor(content: &[u8]) -> serde_json::Value {
    json!({ "mediaType": "application/octet-stream", "digest": digest(content), "size": content.len() })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_pushes_to_processes_that_share_a_secret() {
    // Its listings say nothing of what the test does.
    let listing_lag = Duration::from_hours(1);
    let fake = FakeSwift::start(Options { listing_lag, ..Options::default() }).await.unwrap();
    two_hundred_pushes(&Replicas::start(Backend::fake_v3(&fake), SHARED_SECRET).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_pushes_to_processes_that_share_nothing() {
    two_hundred_pushes(&Replicas::start(Backend::swift_v1(), NOTHING_SHARED).await).await;
}

async fn two_hundred_pushes(replicas: &Replicas) {
    let layers = SIZES.map(random);
    let pushes: Vec<_> = (0..PUSHES).map(|number| Push::new(number, &layers)).collect();
    let begun = Instant::now();
    future::join_all(pushes.iter().map(|push| push.run(replicas.client()))).await;
    let (requests, seconds) = (replicas.proxy.requests(), begun.elapsed().as_secs_f64());
    println!("{PUSHES} pushes in {requests} requests and {seconds:.1} s");

    let mut expected = Vec::new();
    let mut blobs = BTreeSet::new();
    for push in &pushes {
        expected.push((push.manifest(), push.manifest.clone()));
        blobs.extend(push.layers.iter().map(|layer| (push.blob(layer), Bytes::clone(layer))));
    }
    assert_eq!(blobs.len(), REPOSITORIES * SIZES.len());
    expected.extend(blobs);
    for client in replicas.each() {
        stream::iter(&expected)
            .for_each_concurrent(16, async |(path, content)| {
                assert!(client.get(path).await.expect(200).body == *content, "{path} is something else");
            })
            .await;
    }
}

/// A real client, with connections that it keeps.
#[tokio::test(flavor = "multi_thread")]
async fn skopeo_pushes_to_two_processes_and_pulls_from_them() {
    let replicas = Replicas::start(Backend::swift_v1(), NOTHING_SHARED).await;
    let source = format!("oci:{}:latest", variable("APUS_TEST_IMAGE"));
    let image = format!("docker://{}/team/image:latest", replicas.proxy.address());
    let directory = tempfile::tempdir().unwrap();
    let copy = format!("oci:{}:latest", directory.path().display());
    for (from, to) in [(&source, &image), (&image, &copy)] {
        let copied = Command::new("skopeo")
            .args(["copy", "--insecure-policy", "--preserve-digests", "--all"])
            .args(["--src-tls-verify=false", "--dest-tls-verify=false", from, to])
            .output()
            .expect("skopeo is missing: scripts/install-tools installs it");
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    }
    let index = |layout: &str| {
        let text = std::fs::read_to_string(format!("{layout}/index.json")).unwrap();
        let index: serde_json::Value = serde_json::from_str(&text).unwrap();
        index["manifests"][0]["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(index(&variable("APUS_TEST_IMAGE")), index(&directory.path().display().to_string()));
}
