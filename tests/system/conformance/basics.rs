//! What is asked before anything else, and what is no manifest.

use hyper::Method;

use super::content::{DataSet, OCI_INDEX, image_of};
use super::manifests;
use super::run::{Case, REPOSITORY, Run};
use super::{Site, blobs, cases, over_every_backend};
use crate::support::content::{digest, random};

const PING: Case = Case::new("", &[&["ping"]]);

async fn ping(site: &Site) {
    let run = Run::begin(site, &PING);
    run.step("ping", run.client.get("/v2/")).await.expect(200);
}

const EMPTY: Case = Case::new("empty", &[&["tag list", "referrers"]]);

/// A repository that nobody has pushed to has no tags, and nothing refers to anything in it.
async fn empty(site: &Site) {
    let run = Run::begin(site, &EMPTY);
    run.step("tag list", run.client.get(&format!("/v2/{REPOSITORY}/tags/list"))).await.expect(404);
    let subject = digest(&random(26));
    let found = run.step("referrers", manifests::referrers(run.client, REPOSITORY, &subject, None)).await;
    assert!(found.is_empty());
}

const MISSING_MANIFEST: Case = Case::new("missing-manifest", &[&["by-digest", "by-tag"]]);

async fn missing_manifest(site: &Site) {
    let run = Run::begin(site, &MISSING_MANIFEST);
    let missing = digest(&random(1024));
    run.step("by-digest", manifests::is_not_there(run.client, REPOSITORY, &missing)).await;
    run.step("by-tag", manifests::is_not_there(run.client, REPOSITORY, "missing-tag")).await;
}

const INVALID_DIGEST_FORMAT: Case = Case::new(
    "invalid-digest-format",
    &[&["blob-post-put", "manifest-put", "manifest-get", "delete/manifest-delete", "delete/blob-delete"]],
);

/// What only looks like a digest names nothing.
async fn invalid_digest_format(site: &Site) {
    const BAD: &str = "sha256:baddigeststring";
    let run = Run::begin(site, &INVALID_DIGEST_FORMAT);
    let mut data = DataSet::new();
    let layer = data.layer();
    let image = image_of(&data.config("amd64"), &[layer]);
    data.manifest(image, &[]);
    let manifest = &data.manifests[0];
    for blob in &data.blobs {
        run.step("blob-post-put", blobs::put(run.client, REPOSITORY, blob)).await;
    }
    let put = run.step("manifest-put", manifests::put(run.client, REPOSITORY, BAD, manifest)).await;
    assert_eq!(put.expect(400).code(), "DIGEST_INVALID");
    let path = format!("/v2/{REPOSITORY}/manifests/{BAD}");
    let headers = [("accept", OCI_INDEX)];
    let get = run.step("manifest-get", run.client.request(Method::GET, &path, &headers, "")).await;
    assert_eq!(get.expect(400).code(), "DIGEST_INVALID");
    let gone = manifests::is_not_there(run.client, REPOSITORY, &manifest.digest);
    run.step("delete/manifest-delete", gone).await;
    for blob in &data.blobs {
        run.step("delete/blob-delete", blobs::delete(run.client, REPOSITORY, blob)).await;
    }
}

cases!(
    ping: PING,
    empty: EMPTY,
    missing_manifest: MISSING_MANIFEST,
    invalid_digest_format: INVALID_DIGEST_FORMAT,
);
