//! What a manifest, a tag and the lists of both must answer.

use bytes::Bytes;
use hyper::Method;
use serde_json::Value;

use super::content::{OCI_IMAGE, OCI_INDEX};
use crate::support::{Answer, Client};

/// A manifest that is pushed.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    pub(super) digest: String,
    pub(super) content: Bytes,
    pub(super) document: Value,
    pub(super) tags: Vec<String>,
}

impl Manifest {
    fn media_type(&self) -> &str {
        self.document["mediaType"].as_str().unwrap()
    }

    pub(super) fn subject(&self) -> Option<&str> {
        self.document["subject"]["digest"].as_str()
    }

    /// What the list of its subject's referrers says of it.
    pub(super) fn as_referrer(&self) -> Value {
        let mut descriptor = serde_json::json!({
            "mediaType": self.document["mediaType"], "digest": self.digest, "size": self.content.len(),
        });
        let of_config = self.document["config"].get("mediaType");
        if let Some(artifact_type) = self.document.get("artifactType").or(of_config) {
            descriptor["artifactType"] = artifact_type.clone();
        }
        if let Some(annotations) = self.document.get("annotations") {
            descriptor["annotations"] = annotations.clone();
        }
        descriptor
    }
}

/// Asks for a manifest as the runner does: of two media types, in a header each.
async fn ask(client: Client, method: Method, path: &str) -> Answer {
    client.request(method, path, &[("accept", OCI_INDEX), ("accept", OCI_IMAGE)], "").await
}

fn path(repository: &str, reference: &str) -> String {
    format!("/v2/{repository}/manifests/{reference}")
}

pub(super) async fn put(client: Client, repository: &str, reference: &str, manifest: &Manifest) -> Answer {
    let headers = [("content-type", manifest.media_type())];
    client.request(Method::PUT, &path(repository, reference), &headers, manifest.content.clone()).await
}

/// The answer says that the manifest is there, and where; and there it is, byte for byte. What it refers to is named.
pub(super) async fn is_taken(client: Client, answer: Answer, repository: &str, manifest: &Manifest) {
    let answer = answer.expect(201);
    assert_eq!(answer.header("docker-content-digest"), manifest.digest);
    assert_eq!(answer.header("oci-subject"), manifest.subject().unwrap_or_default());
    assert_eq!(answer.location(), path(repository, &manifest.digest));
    is_there(client, Method::GET, &answer.location(), manifest).await;
}

/// HEAD tells its media type, its size and its digest, and nothing else.
pub(super) async fn head(client: Client, repository: &str, reference: &str, manifest: &Manifest) {
    is_there(client, Method::HEAD, &path(repository, reference), manifest).await;
}

/// GET gives it.
pub(super) async fn get(client: Client, repository: &str, reference: &str, manifest: &Manifest) {
    is_there(client, Method::GET, &path(repository, reference), manifest).await;
}

async fn is_there(client: Client, method: Method, path: &str, manifest: &Manifest) {
    let answer = ask(client, method.clone(), path).await.expect(200);
    assert_eq!(answer.header("content-type"), manifest.media_type(), "{path}");
    assert_eq!(answer.header("content-length"), manifest.content.len().to_string(), "{path}");
    assert_eq!(answer.header("docker-content-digest"), manifest.digest, "{path}");
    let expected = if method == Method::HEAD { Bytes::new() } else { manifest.content.clone() };
    assert!(answer.body == expected, "{path}");
}

/// DELETE takes a tag, or a manifest, away at once.
pub(super) async fn delete(client: Client, repository: &str, reference: &str) {
    client.delete(&path(repository, reference)).await.expect(202);
    is_not_there(client, repository, reference).await;
}

pub(super) async fn is_not_there(client: Client, repository: &str, reference: &str) {
    let path = path(repository, reference);
    ask(client, Method::HEAD, &path).await.expect(404);
    for method in [Method::GET, Method::DELETE] {
        assert_eq!(ask(client, method, &path).await.expect(404).code(), "MANIFEST_UNKNOWN", "{path}");
    }
}

/// The tags of a repository, as a list with this query has them.
pub(super) async fn tags(client: Client, repository: &str, query: &str) -> Vec<String> {
    let answer = client.get(&format!("/v2/{repository}/tags/list{query}")).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let list: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(list["name"], repository);
    serde_json::from_value(list["tags"].clone()).unwrap()
}

/// The referrers of a subject, only those of one type where one is wanted, in the order of their digests.
pub(super) async fn referrers(
    client: Client,
    repository: &str,
    subject: &str,
    artifact_type: Option<&str>,
) -> Vec<Value> {
    // In a query, a plus is a space.
    let query = artifact_type.map(|wanted| format!("?artifactType={}", wanted.replace('+', "%2B")));
    let query = query.unwrap_or_default();
    let answer = client.get(&format!("/v2/{repository}/referrers/{subject}{query}")).await.expect(200);
    assert_eq!(answer.header("content-type"), OCI_INDEX);
    assert_eq!(answer.header("oci-filters-applied"), artifact_type.map_or("", |_| "artifactType"));
    let list: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&list["schemaVersion"], &list["mediaType"]), (&2.into(), &OCI_INDEX.into()));
    let mut referrers = list["manifests"].as_array().unwrap().clone();
    sort(&mut referrers);
    referrers
}

/// Puts descriptors in the order of their digests.
pub(super) fn sort(descriptors: &mut [Value]) {
    descriptors.sort_by_key(|descriptor| descriptor["digest"].as_str().unwrap().to_owned());
}
