//! What is deleted is gone at once in its repository, and stays in the others (OCI distribution specification, "Content
//! Management").

use super::manifests::{OCI_IMAGE, image, put};
use super::{Site, over_every_backend};
use crate::support::content::{digest, random};

/// A blob is taken from one repository; the other keeps it, and it can be pushed again.
async fn a_blob(site: &Site) {
    let client = site.client();
    for content in [random(1000), random(2_000_000)] {
        let digest = client.push_by_patch("here", content.clone()).await;
        client.push("there", content.clone()).await;
        let path = format!("/v2/here/blobs/{digest}");
        client.delete(&path).await.expect(202);
        site.refused(client.get(&path).await, 404, "BLOB_UNKNOWN");
        client.head(&path).await.expect(404);
        site.refused(client.delete(&path).await, 404, "BLOB_UNKNOWN");
        site.has("there", &content).await;
        client.push("here", content.clone()).await;
        site.has("here", &content).await;
    }
}

/// A tag is taken away, and its manifest stays; a manifest is taken away, and its tags go with it.
async fn a_tag_and_a_manifest(site: &Site) {
    let client = site.client();
    let (path, blob) = ("/v2/a/manifests", client.push("a", random(100)).await);
    let (first, second) = (image(OCI_IMAGE, &blob), image(OCI_IMAGE, &client.push("a", random(100)).await));
    for (tag, manifest) in [("one", &first), ("two", &first), ("three", &second)] {
        put(client, &format!("{path}/{tag}"), OCI_IMAGE, manifest).await.expect(201);
    }
    client.delete(&format!("{path}/one")).await.expect(202);
    site.refused(client.get(&format!("{path}/one")).await, 404, "MANIFEST_UNKNOWN");
    site.refused(client.delete(&format!("{path}/one")).await, 404, "MANIFEST_UNKNOWN");
    client.get(&format!("{path}/two")).await.expect(200);

    let by_digest = format!("{path}/{}", digest(&first));
    client.delete(&by_digest).await.expect(202);
    for gone in [&by_digest, &format!("{path}/two")] {
        site.refused(client.get(gone).await, 404, "MANIFEST_UNKNOWN");
        site.refused(client.delete(gone).await, 404, "MANIFEST_UNKNOWN");
    }
    client.get(&format!("{path}/three")).await.expect(200);
    let listed: serde_json::Value =
        serde_json::from_slice(&client.get("/v2/a/tags/list").await.expect(200).body).unwrap();
    assert_eq!(listed["tags"], serde_json::json!(["three"]));

    // Under the same tag it is there again.
    put(client, &format!("{path}/two"), OCI_IMAGE, &first).await.expect(201);
    client.get(&by_digest).await.expect(200);
}

over_every_backend!(a_blob, a_tag_and_a_manifest);
