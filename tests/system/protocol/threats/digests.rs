//! Digests: only those that Apus can compute, in the one form that they have, wherever one may stand.

use bytes::Bytes;
use hyper::Method;
use serde_json::json;

use crate::protocol::manifests::{OCI_IMAGE, put};
use crate::protocol::{Site, over_every_backend};
use crate::support::client::with_digest;
use crate::support::content::{digest, digest_512};

/// What is no digest.
fn bad_digests() -> Vec<String> {
    let (hex, hex_512) = ("ab".repeat(32), "ab".repeat(64));
    vec![
        format!("md5:{}", &hex[..32]),
        format!("sha1:{}", &hex[..40]),
        format!("sha384:{}", &hex_512[..96]),
        format!("blake3:{hex}"),
        format!("sha256+b64:{hex}"),
        format!("SHA256:{hex}"),
        format!("Sha512:{hex_512}"),
        format!("sha256:{}", hex.to_uppercase()),
        format!("sha512:{}", hex_512.to_uppercase()),
        format!("sha256:A{}", &hex[1..]),
        format!("sha256:{}", &hex[1..]),
        format!("sha256:{hex}a"),
        format!("sha256:{}g", &hex[1..]),
        format!("sha256:{hex_512}"),
        format!("sha512:{hex}"),
        format!("sha512:{}", &hex_512[1..]),
        "sha256:".to_owned(),
        "sha512:".to_owned(),
        ":".to_owned(),
        format!(":{hex}"),
        format!("sha256::{hex}"),
        format!("sha256:sha256:{hex}"),
        format!("sha256:{hex}:{hex}"),
        format!("sha256:0x{}", &hex[2..]),
        format!("sha256:%20{}", &hex[1..]),
        format!("sha256:{hex}%00"),
        format!("sha256:{hex}%0a"),
        format!("%20sha256:{hex}"),
        format!("sha256:{}%c3%a9", &hex[2..]),
    ]
}

/// Every path and every parameter that takes a digest refuses what is none, as that, and nothing comes of it.
async fn a17_what_is_no_digest_is_refused_wherever_it_stands(site: &Site) {
    let client = site.client();
    let fresh = site.begin("a").await;
    let begun = client.patch(&site.begin("a").await, "content").await.expect(202).location();
    let before = site.holds().await;
    for bad in bad_digests() {
        let (blob, manifest) = (format!("/v2/a/blobs/{bad}"), format!("/v2/a/manifests/{bad}"));
        let referrers = format!("/v2/a/referrers/{bad}");
        for (method, path) in [
            (Method::GET, blob.clone()),
            (Method::DELETE, blob.clone()),
            (Method::GET, manifest.clone()),
            (Method::PUT, manifest.clone()),
            (Method::DELETE, manifest.clone()),
            (Method::GET, referrers.clone()),
            (Method::GET, format!("/v2/a/referrers/{}?last={bad}", digest(b""))),
            (Method::POST, format!("/v2/a/blobs/uploads/?digest={bad}")),
            (Method::POST, format!("/v2/a/blobs/uploads/?mount={bad}")),
            (Method::POST, format!("/v2/a/blobs/uploads/?mount={bad}&from=b")),
            (Method::PUT, with_digest(&fresh, &bad)),
            (Method::PUT, with_digest(&begun, &bad)),
        ] {
            let answer = client.request(method, &path, &[("content-type", OCI_IMAGE)], "content").await;
            site.refused(answer, 400, "DIGEST_INVALID");
        }
        for path in [blob, manifest, referrers] {
            assert!(client.head(&path).await.expect(400).body.is_empty());
        }
    }
    site.holds_again(before.as_ref()).await;
    client.put(&with_digest(&begun, &digest(b"content")), "").await.expect(201);
    client.put(&with_digest(&fresh, &digest_512(b"fresh")), "fresh").await.expect(201);
}

/// None at all is none either.
async fn a17_no_digest_where_one_is_due_is_refused(site: &Site) {
    let client = site.client();
    let upload = site.begin("a").await;
    let before = site.holds().await;
    for (method, path) in [
        (Method::POST, "/v2/a/blobs/uploads/?digest=".to_owned()),
        (Method::POST, "/v2/a/blobs/uploads/?mount=&from=b".to_owned()),
        (Method::POST, "/v2/a/blobs/uploads/?digest-algorithm=".to_owned()),
        (Method::POST, "/v2/a/blobs/uploads/?digest-algorithm=md5".to_owned()),
        (Method::POST, "/v2/a/blobs/uploads/?digest-algorithm=SHA256".to_owned()),
        (Method::POST, "/v2/a/blobs/uploads/?digest-algorithm=sha256:".to_owned()),
        (Method::PUT, upload.clone()),
        (Method::PUT, with_digest(&upload, "")),
    ] {
        let answer = client.request(method, &path, &[], "content").await;
        site.refused(answer, 400, "DIGEST_INVALID");
    }
    for path in ["/v2/a/blobs/", "/v2/a/manifests/", "/v2/a/referrers/"] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = client.request(method, path, &[], "").await;
            assert!(answer.status.is_client_error(), "{path}: {answer:?}");
            site.keeps_to_itself(&answer);
        }
    }
    site.holds_again(before.as_ref()).await;
}

/// A manifest that names something by what is no digest is no manifest.
async fn a17_what_is_no_digest_is_refused_in_a_manifest(site: &Site) {
    let client = site.client();
    let empty = client.push("a", "{}").await;
    let before = site.holds().await;
    let good = json!({ "mediaType": "application/json", "digest": empty, "size": 2 });
    let plain = bad_digests().into_iter().filter(|bad| !bad.contains('%'));
    for bad in plain.chain([String::new(), "sha256".into(), "\u{0}".into(), "../../secret".into()]) {
        let bad = json!({ "mediaType": "application/json", "digest": bad, "size": 2 });
        for fields in [
            json!({ "config": bad, "layers": [] }),
            json!({ "config": good, "layers": [good, bad] }),
            json!({ "config": good, "layers": [], "subject": bad }),
            json!({ "manifests": [bad] }),
            json!({ "manifests": [], "subject": bad }),
        ] {
            let mut document = fields;
            document["schemaVersion"] = json!(2);
            let is_index = document.get("manifests").is_some();
            let media_type = if is_index { "application/vnd.oci.image.index.v1+json" } else { OCI_IMAGE };
            document["mediaType"] = json!(media_type);
            let manifest = Bytes::from(document.to_string());
            let answer = put(client, "/v2/a/manifests/bad", media_type, &manifest).await;
            site.refused(answer, 400, "MANIFEST_INVALID");
        }
    }
    client.head("/v2/a/manifests/bad").await.expect(404);
    site.holds_again(before.as_ref()).await;
}

over_every_backend!(
    a17_what_is_no_digest_is_refused_wherever_it_stands,
    a17_no_digest_where_one_is_due_is_refused,
    a17_what_is_no_digest_is_refused_in_a_manifest,
);
