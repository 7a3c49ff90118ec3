//! Lists of repositories and of referrers.

use bytes::Bytes;
use hyper::Method;
use serde_json::{Value, json};

use super::manifests::{OCI_IMAGE, put};
use super::{Site, over_every_backend};
use crate::support::Answer;
use crate::support::content::{digest, random};

fn of(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// Where a list goes on, if it does.
#[track_caller]
pub(super) fn next_page(answer: &Answer) -> Option<String> {
    let link = answer.header("link");
    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
    assert!(link.is_empty() || next.is_some(), "{link}");
    next.map(str::to_owned)
}

/// The catalog names every repository once, in the order of their bytes, in pages of any size; names that are the beginning
/// of others, and such that storage lists elsewhere, are where they belong.
async fn the_catalog(site: &Site) {
    let client = site.client();
    assert_eq!(of(&client.get("/v2/_catalog").await.expect(200).body), json!({ "repositories": [] }));
    let names = ["app", "foo", "foo-bar", "foo.d", "foo/1bar", "foo/zz", "zed"];
    for name in names {
        client.push(name, random(10)).await;
    }
    for size in 1..=8 {
        let (mut met, mut next) = (Vec::new(), Some(format!("/v2/_catalog?n={size}")));
        while let Some(path) = next {
            let answer = client.get(&path).await.expect(200);
            let page = of(&answer.body)["repositories"].as_array().unwrap().clone();
            assert!(page.len() <= size && met.len() <= names.len());
            met.extend(page.iter().map(|name| name.as_str().unwrap().to_owned()));
            next = next_page(&answer);
        }
        assert_eq!(met, names, "in pages of {size}");
    }
    let huge = "9".repeat(30);
    let all = of(&client.get(&format!("/v2/_catalog?n={huge}")).await.expect(200).body);
    assert_eq!(all, json!({ "repositories": names }));
    for query in ["n=-1", "n=abc", "n=1.5"] {
        let answer = client.get(&format!("/v2/_catalog?{query}")).await;
        site.refused(answer, 400, "PAGINATION_NUMBER_INVALID");
    }
}

/// A manifest with a subject is listed under it, whether the subject exists or not, with its type and annotations; it goes
/// from the list when it is deleted. Several tags come with one push.
async fn referrers(site: &Site) {
    const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    let client = site.client();
    let subject = digest(b"nobody has pushed this");
    let path = format!("/v2/a/referrers/{subject}");
    let empty = client.get(&path).await.expect(200);
    assert_eq!(empty.header("content-type"), INDEX);
    assert_eq!(of(&empty.body), json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }));
    site.refused(client.get("/v2/a/referrers/sha256:bad").await, 400, "DIGEST_INVALID");

    let config = client.push("a", "{}").await;
    let manifest = |artifact_type: Option<&str>, note: &str| {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "config": { "mediaType": "a/config", "digest": config, "size": 2 },
            "layers": [],
            "subject": { "mediaType": OCI_IMAGE, "digest": subject, "size": 7 },
            "annotations": { "note": note },
        });
        if let Some(artifact_type) = artifact_type {
            manifest["artifactType"] = json!(artifact_type);
        }
        Bytes::from(manifest.to_string())
    };
    let (signature, other) = (manifest(Some("a/signature"), "one"), manifest(None, "two"));
    let tagged = format!("/v2/a/manifests/{}?tag=x&tag=y", digest(&signature));
    let answer = put(client, &tagged, OCI_IMAGE, &signature).await.expect(201);
    assert_eq!(answer.header("oci-subject"), subject);
    let tags: Vec<_> = answer.headers.get_all("oci-tag").iter().collect();
    assert_eq!(tags, ["x", "y"]);
    assert_eq!(client.get("/v2/a/manifests/y").await.expect(200).body, signature);
    put(client, "/v2/a/manifests/other", OCI_IMAGE, &other).await.expect(201);

    let describes = |content: &Bytes, artifact_type: &str, note: &str| {
        json!({ "mediaType": OCI_IMAGE, "digest": digest(content), "size": content.len(),
                "artifactType": artifact_type, "annotations": { "note": note } })
    };
    let (first, second) = (describes(&signature, "a/signature", "one"), describes(&other, "a/config", "two"));
    let mut both = vec![first.clone(), second.clone()];
    both.sort_by_key(|descriptor| descriptor["digest"].as_str().unwrap().to_owned());
    assert_eq!(of(&client.get(&path).await.expect(200).body)["manifests"], json!(both));
    let filtered = client.get(&format!("{path}?artifactType=a%2Fsignature")).await.expect(200);
    assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
    assert_eq!(of(&filtered.body)["manifests"], json!([first]));

    let gone = format!("/v2/a/manifests/{}", digest(&signature));
    client.request(Method::DELETE, &gone, &[], "").await.expect(202);
    assert_eq!(of(&client.get(&path).await.expect(200).body)["manifests"], json!([second]));
}

over_every_backend!(the_catalog, referrers);
