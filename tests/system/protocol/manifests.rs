//! Manifests and tags (OCI distribution specification, "Pulling manifests", "Pushing Manifests", "Listing Tags").

use bytes::Bytes;
use hyper::Method;
use serde_json::json;

use super::blobs::head_is_get_without_content;
use super::lists::next_page;
use super::{Site, over_every_backend};
use crate::support::content::{digest, digest_512, random};
use crate::support::{Answer, Client};

pub(super) const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// An image of one blob, written as no program would write it: what is stored must be these bytes and no others.
pub(super) fn image(media_type: &str, blob: &str) -> Bytes {
    let text = format!(
        "{{\n   \"schemaVersion\":2,\t\"mediaType\" : \"{media_type}\",\n \"layers\":[ {{\"size\": 1e3,\n\"digest\":\"{blob}\", \
         \"mediaType\":\"application/octet-stream\"}} ],\r\n\"annotations\":{{\"\\u00e9\":\"é\"}}  }}\n\n"
    );
    text.into()
}

pub(super) async fn put(client: Client, path: &str, media_type: &str, manifest: &Bytes) -> Answer {
    client.request(Method::PUT, path, &[("content-type", media_type)], manifest.clone()).await
}

/// The manifest is there by this reference, byte for byte and with its media type; HEAD says the same.
async fn is_there(site: &Site, path: &str, media_type: &str, manifest: &Bytes) {
    let get = head_is_get_without_content(site.client(), path, &[]).await.expect(200);
    assert_eq!(get.body, *manifest, "{path}");
    assert_eq!(get.header("content-type"), media_type, "{path}");
    assert_eq!(get.header("content-length"), manifest.len().to_string());
    assert_eq!(get.header("docker-content-digest"), digest(manifest));
    assert_eq!(get.header("etag"), format!("\"{}\"", digest(manifest)));
}

/// A manifest pushed by tag is there by tag and by digest.
async fn a_manifest_by_tag(site: &Site) {
    let client = site.client();
    let blob = client.push("a/b", random(1000)).await;
    for media_type in [OCI_IMAGE, DOCKER_IMAGE] {
        let manifest = image(media_type, &blob);
        let by_digest = format!("/v2/a/b/manifests/{}", digest(&manifest));
        let answer = put(client, "/v2/a/b/manifests/v1.0", media_type, &manifest).await.expect(201);
        assert_eq!(answer.location(), by_digest);
        assert_eq!(answer.header("docker-content-digest"), digest(&manifest));
        is_there(site, "/v2/a/b/manifests/v1.0", media_type, &manifest).await;
        is_there(site, &by_digest, media_type, &manifest).await;
    }
}

/// A manifest pushed by digest is there by digest, and makes no tag; an index is a manifest, and names others.
async fn a_manifest_by_digest(site: &Site) {
    let client = site.client();
    let blob = client.push("a", random(1000)).await;
    let manifest = image(OCI_IMAGE, &blob);
    let path = format!("/v2/a/manifests/{}", digest(&manifest));
    put(client, &path, OCI_IMAGE, &manifest).await.expect(201);
    is_there(site, &path, OCI_IMAGE, &manifest).await;
    let listed: serde_json::Value =
        serde_json::from_slice(&client.get("/v2/a/tags/list").await.expect(200).body).unwrap();
    assert_eq!(listed, json!({ "name": "a", "tags": [] }));
    site.refused(client.get("/v2/nobody/tags/list").await, 404, "NAME_UNKNOWN");

    let child = json!({ "mediaType": OCI_IMAGE, "digest": digest(&manifest), "size": manifest.len() });
    // Its media type is only in the header: so some tools write indexes.
    let index = Bytes::from(json!({ "schemaVersion": 2, "manifests": [child] }).to_string());
    put(client, "/v2/a/manifests/all", OCI_INDEX, &index).await.expect(201);
    is_there(site, "/v2/a/manifests/all", OCI_INDEX, &index).await;

    let by_512 = digest_512(&manifest);
    let answer = put(client, &format!("/v2/a/manifests/{by_512}"), OCI_IMAGE, &manifest).await.expect(201);
    assert_eq!(answer.header("docker-content-digest"), by_512);
    let answer = client.get(&format!("/v2/a/manifests/{by_512}")).await.expect(200);
    assert_eq!(answer.header("docker-content-digest"), by_512);
    assert_eq!(answer.body, manifest);
}

/// A tag moves to what was pushed last; what it pointed to before stays by its digest.
async fn a_tag_moves(site: &Site) {
    let client = site.client();
    let mut pushed = Vec::new();
    for _ in 0..3 {
        let blob = client.push("a", random(10)).await;
        let manifest = image(OCI_IMAGE, &blob);
        put(client, "/v2/a/manifests/latest", OCI_IMAGE, &manifest).await.expect(201);
        is_there(site, "/v2/a/manifests/latest", OCI_IMAGE, &manifest).await;
        pushed.push(manifest);
    }
    for manifest in pushed {
        is_there(site, &format!("/v2/a/manifests/{}", digest(&manifest)), OCI_IMAGE, &manifest).await;
    }
}

/// Who has a manifest already is not sent it again; what is not there is unknown, in another repository too.
async fn a_manifest_that_the_client_has_and_one_that_nobody_has(site: &Site) {
    let client = site.client();
    let manifest = image(OCI_IMAGE, &client.push("a", random(10)).await);
    put(client, "/v2/a/manifests/latest", OCI_IMAGE, &manifest).await.expect(201);
    let digest = digest(&manifest);
    for reference in ["latest", &digest] {
        let path = format!("/v2/a/manifests/{reference}");
        let condition = format!("\"{digest}\"");
        head_is_get_without_content(client, &path, &[("if-none-match", &condition)]).await.expect(304);
        let path = format!("/v2/b/manifests/{reference}");
        let answer = head_is_get_without_content(client, &path, &[]).await;
        let told = site.refused(answer, 404, "MANIFEST_UNKNOWN");
        assert!(told.contains(reference), "{told}");
    }
    // A blob is no manifest, though its content lies in the same place.
    let blob = client.push("a", manifest.clone()).await;
    client.push("c", manifest).await;
    client.get(&format!("/v2/c/blobs/{blob}")).await.expect(200);
    site.refused(client.get(&format!("/v2/c/manifests/{blob}")).await, 404, "MANIFEST_UNKNOWN");
}

/// A manifest is refused as long as the repository lacks a blob or a manifest that it names, and told each of them; nothing
/// is left of it.
async fn a_manifest_that_names_what_is_not_there(site: &Site) {
    let client = site.client();
    let there = client.push("a", random(10)).await;
    let elsewhere = client.push("b", random(10)).await;
    let before = site.holds().await;
    let (nowhere, nobody) = (digest(b"nowhere"), digest(b"nobody"));
    let layer =
        |digest: &str| json!({ "mediaType": "application/octet-stream", "digest": digest, "size": 1 });
    let layers = [layer(&elsewhere), layer(&there), layer(&nowhere)];
    let image =
        json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "config": layer(&nobody), "layers": layers });
    let index =
        json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [layer(&nowhere), layer(&there)] });
    for (media_type, manifest, missing) in
        [(OCI_IMAGE, image, vec![&elsewhere, &nowhere, &nobody]), (OCI_INDEX, index, vec![&nowhere, &there])]
    {
        let answer = put(client, "/v2/a/manifests/x", media_type, &Bytes::from(manifest.to_string())).await;
        let errors: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        site.refused(answer, 400, "MANIFEST_BLOB_UNKNOWN");
        let mut told: Vec<_> =
            errors["errors"].as_array().unwrap().iter().map(|error| &error["detail"]["digest"]).collect();
        let mut missing: Vec<_> = missing.into_iter().map(|digest| json!(digest)).collect();
        told.sort_by_key(ToString::to_string);
        missing.sort_by_key(ToString::to_string);
        assert_eq!(told, missing.iter().collect::<Vec<_>>());
    }
    site.refused(client.get("/v2/a/manifests/x").await, 404, "MANIFEST_UNKNOWN");
    site.holds_again(before.as_ref()).await;
}

/// Tags are listed in order, whole or in pages that link to the next one; who follows the links meets each tag once.
async fn tags_are_listed_in_pages(site: &Site) {
    let client = site.client();
    site.refused(client.get("/v2/lib/app/tags/list").await, 404, "NAME_UNKNOWN");
    let blob = client.push("lib/app", random(10)).await;
    let manifest = image(OCI_IMAGE, &blob);
    // In the order of their bytes, where names that begin alike are what listings get wrong.
    let tags = ["1.0", "1.0-rc", "1.0.1", "10", "A", "_", "a", "a-b", "a.b", "a_b", "latest"];
    for tag in tags.iter().rev() {
        put(client, &format!("/v2/lib/app/manifests/{tag}"), OCI_IMAGE, &manifest).await.expect(201);
    }
    let listed = |answer: Answer| -> Vec<String> {
        let list: serde_json::Value = serde_json::from_slice(&answer.expect(200).body).unwrap();
        assert_eq!(list["name"], "lib/app");
        serde_json::from_value(list["tags"].clone()).unwrap()
    };
    let all = head_is_get_without_content(client, "/v2/lib/app/tags/list", &[]).await;
    assert_eq!(all.header("link"), "");
    assert_eq!(listed(all), tags);

    for size in [1, 3, tags.len() - 1, tags.len(), 1000] {
        let mut next = Some(format!("/v2/lib/app/tags/list?n={size}"));
        let mut met = Vec::new();
        while let Some(path) = next {
            let answer = client.get(&path).await;
            next = next_page(&answer);
            let page = listed(answer);
            assert!(page.len() <= size && met.len() <= tags.len());
            met.extend(page);
        }
        assert_eq!(met, tags, "in pages of {size}");
    }
    for (query, expected) in [
        ("n=0", &tags[..0]),
        ("last=1.0", &tags[1..]),
        ("last=1.0-zz", &tags[2..]),
        ("last=latest", &tags[tags.len()..]),
        ("last=a&n=2", &tags[7..9]),
    ] {
        assert_eq!(listed(client.get(&format!("/v2/lib/app/tags/list?{query}")).await), expected, "{query}");
    }
    for query in ["n=-1", "n=many", "n="] {
        let answer = client.get(&format!("/v2/lib/app/tags/list?{query}")).await;
        site.refused(answer, 400, "PAGINATION_NUMBER_INVALID");
    }
}

over_every_backend!(
    a_manifest_by_tag,
    a_manifest_by_digest,
    a_tag_moves,
    a_manifest_that_the_client_has_and_one_that_nobody_has,
    a_manifest_that_names_what_is_not_there,
    tags_are_listed_in_pages,
);
