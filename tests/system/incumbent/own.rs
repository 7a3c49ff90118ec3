//! What Apus takes and registry:2 does not.

use bytes::Bytes;
use serde_json::json;

use super::stock::{Format, Part, Stock, Way, put_manifest};
use crate::support::Client;
use crate::support::client::with_digest;
use crate::support::content::{digest_512, random};

/// Where all of it is.
const REPOSITORY: &str = "own";

/// A media type that nobody knows.
const UNKNOWN_TYPE: &str = "application/vnd.example.unknown.v1+json";

/// How much of the upload is there.
const SENT: usize = 2_000_000;

/// A referrer, what goes by SHA-512, a manifest of an unknown type, an upload that is under way.
pub(super) struct Own {
    subject: Part,
    referrer: String,
    upload: (String, Bytes),
}

impl Own {
    /// Pushes all of it; `stock` gets what registry:2 serves too.
    pub(super) async fn push(client: Client, stock: &mut Stock) -> Self {
        let layer = stock.blob(client, REPOSITORY, &random(200_000), Way::Stream).await;
        let subject = stock.image(client, REPOSITORY, "subject", Format::Oci, &[layer]).await;
        let referrer = stock.referrer(client, REPOSITORY, &subject).await;
        push_by_sha_512(client, stock).await;

        let unknown = json!({ "schemaVersion": 2, "mediaType": UNKNOWN_TYPE }).to_string();
        put_manifest(client, REPOSITORY, "unknown", UNKNOWN_TYPE, unknown).await;

        let content = random(SENT + 1_000_000);
        let place = begin(client).await;
        let place = client.patch(&place, content.slice(..SENT)).await.expect(202).location();
        Self { subject, referrer, upload: (place, content) }
    }

    /// Apus has all of it.
    pub(super) async fn assert_there(&self, client: Client) {
        assert_eq!(
            client.get("/v2/own/manifests/unknown").await.expect(200).header("content-type"),
            UNKNOWN_TYPE
        );
        self.assert_referrer(client).await;
    }

    /// Apus has the referrer in its list.
    pub(super) async fn assert_referrer(&self, client: Client) {
        assert_eq!(self.listed(client).await, [&*self.referrer]);
    }

    /// The digests in the list of referrers.
    pub(super) async fn listed(&self, client: Client) -> Vec<String> {
        let list = client.get(&self.referrers()).await.expect(200);
        let list: serde_json::Value = serde_json::from_slice(&list.body).unwrap();
        let list = list["manifests"].as_array().unwrap();
        list.iter().map(|referrer| referrer["digest"].as_str().unwrap().to_owned()).collect()
    }

    /// Where the referrer is.
    pub(super) fn referrer(&self) -> String {
        format!("/v2/{REPOSITORY}/manifests/{}", self.referrer)
    }

    /// registry:2 says no to what it does not know.
    pub(super) async fn assert_unknown_to_registry_2(&self, client: Client) {
        client.get("/v2/own/manifests/unknown").await.expect(500);
        client.get(&self.referrers()).await.expect(404);
        client.patch(&self.upload.0, "more").await.expect(404);
    }

    fn referrers(&self) -> String {
        format!("/v2/{REPOSITORY}/referrers/{}", self.subject.digest)
    }

    /// Removes the manifest of an unknown type.
    pub(super) async fn remove_what_is_unknown(&self, client: Client) {
        let unknown = client.get("/v2/own/manifests/unknown").await.expect(200);
        let digest = unknown.header("docker-content-digest");
        client.delete(&format!("/v2/own/manifests/{digest}")).await.expect(202);
    }

    /// Goes on with the upload to its end.
    pub(super) async fn finish(&self, client: Client, stock: &mut Stock) {
        let (place, content) = &self.upload;
        stock.finish(client, REPOSITORY, place, content, SENT).await;
    }
}

/// An image whose only layer goes by SHA-512, and so does its manifest.
async fn push_by_sha_512(client: Client, stock: &mut Stock) {
    let content = random(100_000);
    let layer = Part { digest: digest_512(&content), size: content.len() };
    client.put(&with_digest(&begin(client).await, &layer.digest), content).await.expect(201);
    stock.ask(format!("/v2/{REPOSITORY}/blobs/{}", layer.digest));
    stock.image(client, REPOSITORY, "layer-sha512", Format::Oci, std::slice::from_ref(&layer)).await;

    let manifest = json!({
        "schemaVersion": 2, "mediaType": Format::Oci.image(),
        "config": layer.described("application/vnd.oci.empty.v1+json"), "layers": []
    });
    let manifest = manifest.to_string();
    let digest = digest_512(manifest.as_bytes());
    let reference = format!("{digest}?tag=sha512");
    put_manifest(client, REPOSITORY, &reference, Format::Oci.image(), manifest).await;
    stock.ask(format!("/v2/{REPOSITORY}/manifests/{digest}"));
    stock.ask(format!("/v2/{REPOSITORY}/manifests/sha512"));
}

async fn begin(client: Client) -> String {
    client.post(&format!("/v2/{REPOSITORY}/blobs/uploads/")).await.expect(202).location()
}
