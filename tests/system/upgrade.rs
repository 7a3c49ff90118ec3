//! A rolling upgrade: the commit before this one and this one serve one store at the same time, behind a proxy that sends each
//! request to the other version. What one began the other goes on with, and what one wrote or deleted is so for the other.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use crate::protocol::uploads::send_chunk;
use crate::support::backend::variable;
use crate::support::client::with_digest;
use crate::support::content::{digest, random};
use crate::support::proxy::RoundRobin;
use crate::support::{Apus, Backend, Client};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Sizes of chunks on either side of what Swift stores as a segment of its own.
const SIZES: [usize; 7] = [1000, 1_200_000, 17, 900_000, 300_000, 2_500_000, 1];

/// Both versions over one storage.
struct Versions {
    previous: Apus,
    present: Apus,
    proxy: RoundRobin,
}

impl Versions {
    async fn start(backend: &Backend) -> Self {
        let storage = format!("{}\n  delete: {{enabled: true}}", backend.storage());
        let previous = Apus::start_program(&variable("APUS_TEST_PREVIOUS"), &storage);
        let present = Apus::start(&storage);
        let proxy = RoundRobin::start([previous.address(), present.address()]).await;
        Self { previous, present, proxy }
    }

    /// Each version first, the other one second.
    fn both_ways(&self) -> [(Client, Client); 2] {
        let (previous, present) = (self.previous.client(), self.present.client());
        [(previous, present), (present, previous)]
    }
}

macro_rules! over_both_backends {
    ($($case:ident),+ $(,)?) => {
        mod filesystem {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    super::$case(&crate::support::Backend::filesystem()).await;
                }
            )+
        }
        mod swift {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    super::$case(&crate::support::Backend::swift_v1()).await;
                }
            )+
        }
    };
}

/// The chunks of an upload go to either version in turn, whichever begins it.
async fn an_upload_goes_on_in_the_other_version(backend: &Backend) {
    let versions = Versions::start(backend).await;
    let client = versions.proxy.client();
    for beginner in [0, 1] {
        if versions.proxy.next() != beginner {
            client.get("/v2/").await.expect(200);
        }
        let mut location = client.post("/v2/a/blobs/uploads/").await.expect(202).location();
        let mut content = Vec::new();
        for size in SIZES {
            let chunk = random(size);
            let answer =
                send_chunk(client, Method::PATCH, &location, content.len(), &chunk).await.expect(202);
            content.extend_from_slice(&chunk);
            assert_eq!(answer.header("range"), format!("0-{}", content.len() - 1));
            location = answer.location();
        }
        let content = Bytes::from(content);
        let put = client.put(&with_digest(&location, &digest(&content)), "").await.expect(201);
        for (version, _) in versions.both_ways() {
            assert!(version.get(&put.location()).await.expect(200).body == content);
        }
    }
}

/// An upload that one version has begun can be asked for and cancelled in the other.
async fn an_upload_is_cancelled_in_the_other_version(backend: &Backend) {
    let versions = Versions::start(backend).await;
    for (one, other) in versions.both_ways() {
        let begun = one.post("/v2/a/blobs/uploads/").await.expect(202).location();
        let content = random(1_500_000);
        let location = one.patch(&begun, content.clone()).await.expect(202).location();
        let status = other.get(&location).await.expect(204);
        assert_eq!(status.header("range"), "0-1499999");
        other.delete(&location).await.expect(204);
        other.get(&location).await.expect(404);
        let too_late = one.put(&with_digest(&location, &digest(&content)), "").await;
        assert!([404, 409].contains(&too_late.status.as_u16()), "{too_late:?}");
        other.head(&format!("/v2/a/blobs/{}", digest(&content))).await.expect(404);
    }
}

/// What one version pushed the other one serves, byte for byte, lists, and deletes.
async fn what_one_version_pushes_the_other_serves_and_deletes(backend: &Backend) {
    let versions = Versions::start(backend).await;
    for (number, (one, other)) in versions.both_ways().into_iter().enumerate() {
        let repository = format!("from/{number}");
        let blobs = [random(1000), random(2_500_000), random(3_000_000)];
        one.push(&repository, blobs[0].clone()).await;
        one.push(&repository, blobs[1].clone()).await;
        one.push_by_patch(&repository, blobs[2].clone()).await;
        for blob in &blobs {
            let path = format!("/v2/{repository}/blobs/{}", digest(blob));
            assert_eq!(other.head(&path).await.expect(200).header("content-length"), blob.len().to_string());
            assert!(other.get(&path).await.expect(200).body == *blob);
        }

        let subject = image(&blobs[..2], None);
        let referrer = image(&blobs[2..], Some(&subject));
        let path = |reference: &str| format!("/v2/{repository}/manifests/{reference}");
        let (by_tag, by_digest) = (path("latest"), path(&digest(&referrer)));
        for (target, manifest) in [(&by_tag, &subject), (&path("old"), &subject), (&by_digest, &referrer)] {
            one.request(Method::PUT, target, &[("content-type", OCI_IMAGE)], manifest.clone())
                .await
                .expect(201);
        }
        for (target, manifest) in
            [(&by_tag, &subject), (&path(&digest(&subject)), &subject), (&by_digest, &referrer)]
        {
            let answer = other.get(target).await.expect(200);
            assert_eq!(answer.body, *manifest);
            assert_eq!(answer.header("content-type"), OCI_IMAGE);
        }
        assert_eq!(tags(other, &repository).await, json!(["latest", "old"]));
        assert_eq!(referrers(other, &repository, &subject).await, [digest(&referrer)]);

        other.delete(&by_digest).await.expect(202);
        one.head(&by_digest).await.expect(404);
        assert!(referrers(one, &repository, &subject).await.is_empty());
        other.delete(&path("old")).await.expect(202);
        one.head(&path("old")).await.expect(404);
        assert_eq!(tags(one, &repository).await, json!(["latest"]));
        other.delete(&path(&digest(&subject))).await.expect(202);
        one.head(&by_tag).await.expect(404);
        for blob in &blobs {
            let path = format!("/v2/{repository}/blobs/{}", digest(blob));
            other.delete(&path).await.expect(202);
            one.head(&path).await.expect(404);
        }
    }
}

over_both_backends!(
    an_upload_goes_on_in_the_other_version,
    an_upload_is_cancelled_in_the_other_version,
    what_one_version_pushes_the_other_serves_and_deletes,
);

/// An image manifest, whose first blob is its configuration too.
fn image(blobs: &[Bytes], subject: Option<&Bytes>) -> Bytes {
    let descriptor = |media_type: &str, content: &Bytes| json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() });
    let blob = |content| descriptor("application/octet-stream", content);
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": blob(&blobs[0]),
        "layers": blobs.iter().map(blob).collect::<Vec<_>>(),
    });
    if let Some(subject) = subject {
        manifest["subject"] = descriptor(OCI_IMAGE, subject);
    }
    manifest.to_string().into()
}

async fn listed(client: Client, path: &str) -> Value {
    serde_json::from_slice(&client.get(path).await.expect(200).body).unwrap()
}

async fn tags(client: Client, repository: &str) -> Value {
    listed(client, &format!("/v2/{repository}/tags/list")).await["tags"].clone()
}

async fn referrers(client: Client, repository: &str, subject: &Bytes) -> Vec<String> {
    let index = listed(client, &format!("/v2/{repository}/referrers/{}", digest(subject))).await;
    let manifests = index["manifests"].as_array().unwrap().iter();
    manifests.map(|manifest| manifest["digest"].as_str().unwrap().to_owned()).collect()
}
