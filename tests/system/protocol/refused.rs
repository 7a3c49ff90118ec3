//! Bad input: it is refused, the answer names the cause, and nothing is left of it.

use bytes::Bytes;
use hyper::Method;

use super::manifests::{OCI_IMAGE, put};
use super::uploads::send_streamed;
use super::{Site, over_every_backend};
use crate::support::client::with_digest;
use crate::support::content::{digest, digest_512, random};

/// Sizes on either side of what the Swift backend keeps in memory.
const SIZES: [usize; 2] = [1000, (3 << 20) + 17];

/// A digest that the content does not have is refused in every way to push, with the digest that it has; the content is
/// not there under either, and storage holds what it held before.
async fn a_wrong_digest_leaves_nothing(site: &Site) {
    let client = site.client();
    for size in SIZES {
        let before = site.holds().await;
        let content = random(size);
        let half = content.slice(..size / 2);
        let right = digest(&content);
        for wrong in [digest(b"other"), digest_512(b"other")] {
            let post = format!("/v2/a/blobs/uploads/?digest={wrong}");
            let patched = client.patch(&site.begin("a").await, content.clone()).await.expect(202).location();
            let chunk = client.patch(&site.begin("a").await, half.clone()).await.expect(202).location();
            let answers = [
                ("POST", client.request(Method::POST, &post, &[], content.clone()).await),
                ("PUT", client.put(&with_digest(&site.begin("a").await, &wrong), content.clone()).await),
                ("streamed PUT", {
                    let location = with_digest(&site.begin("a").await, &wrong);
                    send_streamed(client, Method::PUT, &location, &content).await
                }),
                ("PATCH, PUT", client.put(&with_digest(&patched, &wrong), "").await),
                ("chunk, PUT", client.put(&with_digest(&chunk, &wrong), content.slice(size / 2..)).await),
                ("empty PUT", client.put(&with_digest(&site.begin("a").await, &wrong), "").await),
            ];
            for (way, answer) in answers {
                let told = site.refused(answer, 400, "DIGEST_INVALID");
                assert!(told.contains(&wrong), "{way}: {told}");
                if way != "empty PUT" && wrong.starts_with("sha256") {
                    assert!(told.contains(&right), "{way}: {told}");
                }
            }
            for upload in [&patched, &chunk] {
                site.refused(client.get(upload).await, 404, "BLOB_UPLOAD_UNKNOWN");
            }
            for digest in [&wrong, &right] {
                client.head(&format!("/v2/a/blobs/{digest}")).await.expect(404);
            }
            site.holds_again(before.as_ref()).await;
        }
        // And what was refused with the wrong digest is taken with the right one.
        assert_eq!(client.push("b", content).await, right);
        assert_eq!(client.get(&format!("/v2/b/blobs/{right}")).await.expect(200).body.len(), size);
    }
}

/// A wrong digest for content that is there under that digest is refused too: nobody gets a blob by knowing its name.
async fn a_digest_is_no_key_to_a_blob(site: &Site) {
    let client = site.client();
    let secret = random(1000);
    let theirs = client.push("theirs", secret.clone()).await;
    for content in [Bytes::from_static(b"a guess"), random(1000), Bytes::new()] {
        let put = client.put(&with_digest(&site.begin("mine").await, &theirs), content.clone()).await;
        site.refused(put, 400, "DIGEST_INVALID");
        let patched = client.patch(&site.begin("mine").await, content).await.expect(202).location();
        site.refused(client.put(&with_digest(&patched, &theirs), "").await, 400, "DIGEST_INVALID");
        client.head(&format!("/v2/mine/blobs/{theirs}")).await.expect(404);
    }
}

/// What is no digest, or one that Apus cannot compute, is refused wherever one may stand, with the reason.
async fn what_is_no_digest_is_refused(site: &Site) {
    let client = site.client();
    let hex = "a".repeat(64);
    let location = site.begin("a").await;
    for (bad, reason) in [
        ("sha256:abc".to_owned(), "wrong length"),
        (format!("sha256:{hex}a"), "wrong length"),
        (format!("sha256:{}", hex.to_uppercase()), "lower-case hexadecimal"),
        (format!("sha256:{}", "g".repeat(64)), "lower-case hexadecimal"),
        ("md5:d41d8cd98f00b204e9800998ecf8427e".into(), "neither sha256 nor sha512"),
        (format!("SHA256:{hex}"), "neither sha256 nor sha512"),
        (format!("sha512:{hex}"), "wrong length"),
        (format!("sha256:..{}", &hex[2..]), "lower-case hexadecimal"),
        (format!(":{hex}"), "neither sha256 nor sha512"),
    ] {
        for answer in [
            client.get(&format!("/v2/a/blobs/{bad}")).await,
            client.get(&format!("/v2/a/manifests/{bad}")).await,
            client.put(&with_digest(&location, &bad), "x").await,
            client.post(&format!("/v2/a/blobs/uploads/?digest={bad}")).await,
            client.post(&format!("/v2/a/blobs/uploads/?mount={bad}&from=b")).await,
        ] {
            let told = site.refused(answer, 400, "DIGEST_INVALID");
            assert!(told.contains(reason), "{bad}: {told}");
        }
    }
    for path in [format!("/v2/a/blobs/{hex}"), "/v2/a/blobs/sha256%3a%2e%2e%2f%2e%2e".into()] {
        let answer = client.get(&path).await;
        assert!(answer.status.is_client_error(), "{path}: {answer:?}");
        site.keeps_to_itself(&answer);
    }
    // None at all.
    let told = site.refused(client.put(&location, "x").await, 400, "DIGEST_INVALID");
    assert!(told.contains("digest"), "{told}");
    let answer = client.post("/v2/a/blobs/uploads/?digest-algorithm=md5").await;
    site.refused(answer, 400, "DIGEST_INVALID");
}

/// A name that is none is refused as such wherever one may stand: those that try to leave their place, plain or encoded,
/// those with NUL, a backslash or another byte that no name has, and those that storage uses itself.
async fn what_is_no_name_is_refused(site: &Site) {
    let client = site.client();
    let digest = digest(b"");
    let before = site.holds().await;
    for bad in [
        "..",
        "../../etc",
        "a/../b",
        "a/..",
        "%2e%2e",
        "%2E%2E/%2e%2e/etc",
        "a/%2e%2e/b",
        "a%2f..%2fb",
        "..%2f..%2fetc%2fpasswd",
        "%252e%252e",
        "a/./b",
        ".",
        "a//b",
        "/a",
        "a/",
        "a%00",
        "a%00/b",
        "a%5cb",
        "..%5c..%5cetc",
        "a%0d%0ab",
        "a%20b",
        "a%c3%a9",
        "Upper",
        "_uploads",
        "a/_uploads",
        "a/_blobs/b",
        ".apus",
        "-a",
        "a..b",
        &"a".repeat(256),
    ] {
        let uploads = format!("/v2/{bad}/blobs/uploads/");
        for answer in [
            client.get(&format!("/v2/{bad}/tags/list")).await,
            client.get(&format!("/v2/{bad}/manifests/latest")).await,
            client.get(&format!("/v2/{bad}/blobs/{digest}")).await,
            client.post(&uploads).await,
            client.request(Method::POST, &format!("{uploads}?digest={digest}"), &[], "").await,
            client.get(&format!("{uploads}3fa0e6b3")).await,
            client.request(Method::PUT, &format!("/v2/{bad}/manifests/x"), &[], "{}").await,
        ] {
            site.refused(answer, 400, "NAME_INVALID");
        }
    }
    let mount = format!("/v2/a/blobs/uploads/?mount={digest}&from=..%2f..");
    site.refused(client.post(&mount).await, 400, "NAME_INVALID");
    site.holds_again(before.as_ref()).await;
}

/// The same for tags, and for the identifiers of uploads.
async fn what_is_no_tag_or_upload_is_refused(site: &Site) {
    let client = site.client();
    for bad in ["..", "%2e%2e", ".hidden", "-dash", "a%00", "a%5cb", "a%20b", &"t".repeat(129)] {
        for method in [Method::GET, Method::PUT] {
            let answer = client.request(method, &format!("/v2/a/manifests/{bad}"), &[], "").await;
            site.refused(answer, 400, "TAG_INVALID");
        }
    }
    for bad in ["..", "%2e%2e", "a%00", "a%5cb", &"u".repeat(300), "3fa0e6b3-0000-4000-8000-000000000000"] {
        let path = format!("/v2/a/blobs/uploads/{bad}");
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            site.refused(client.request(method, &path, &[], "").await, 404, "BLOB_UPLOAD_UNKNOWN");
        }
        let answer = client.put(&with_digest(&path, &digest(b"")), "").await;
        site.refused(answer, 404, "BLOB_UPLOAD_UNKNOWN");
    }
}

/// An upload belongs to the repository in which it was begun: in another one it is unknown, by its URL and by its bare
/// identifier, and so it is by a URL that was tampered with. The upload itself goes on.
async fn an_upload_of_another_repository_is_unknown(site: &Site) {
    let client = site.client();
    let content = random(1500);
    let fresh = site.begin("mine").await;
    let location = client.patch(&site.begin("mine").await, content.slice(..700)).await.expect(202).location();
    for url in [&fresh, &location] {
        let (path, state) = url.split_once('?').unwrap();
        let theirs = url.replace("/v2/mine/", "/v2/theirs/");
        let other = if state.ends_with('A') { "B" } else { "A" };
        let mut strangers = vec![
            theirs.clone(),
            theirs.split('?').next().unwrap().to_owned(),
            format!("{path}?{}{other}", &state[..state.len() - 1]),
            format!("{path}?_state=AAAA"),
            format!("{path}?_state="),
        ];
        if url == &location {
            // One upload's state for the other.
            strangers.push(format!("{}?{state}", fresh.split('?').next().unwrap()));
        }
        for stranger in &strangers {
            for answer in [
                client.get(stranger).await,
                client.patch(stranger, "x").await,
                client.put(&with_digest(stranger, &digest(b"x")), "x").await,
                client.delete(stranger).await,
            ] {
                site.refused(answer, 404, "BLOB_UPLOAD_UNKNOWN");
            }
        }
    }
    let end = client.put(&with_digest(&location, &digest(&content)), content.slice(700..)).await;
    end.expect(201);
    client.put(&with_digest(&fresh, &digest(b"fresh")), "fresh").await.expect(201);
}

/// A manifest may have 4 MiB and not more; a larger one is told the limit, however much larger it is, and leaves nothing.
async fn a_manifest_that_is_too_large_is_refused(site: &Site) {
    let client = site.client();
    let blob = client.push("a", random(10)).await;
    let manifest = |size: usize| {
        let begin = format!(
            r#"{{"schemaVersion":2,"mediaType":"{OCI_IMAGE}","layers":[{{"mediaType":"application/octet-stream","digest":"{blob}","size":10}}],"annotations":{{"a":""#
        );
        Bytes::from(format!("{begin}{}\"}}}}", "x".repeat(size - begin.len() - 3)))
    };
    for size in [4_089_446, 4 << 20] {
        let manifest = manifest(size);
        assert_eq!(manifest.len(), size);
        put(client, "/v2/a/manifests/large", OCI_IMAGE, &manifest).await.expect(201);
        assert_eq!(client.get("/v2/a/manifests/large").await.expect(200).body, manifest);
    }
    let before = site.holds().await;
    for size in [(4 << 20) + 1, 12 << 20, 40 << 20] {
        let answer = put(client, "/v2/a/manifests/too-large", OCI_IMAGE, &manifest(size)).await;
        let told = site.refused(answer, 413, "MANIFEST_INVALID");
        assert!(told.contains("larger than 4194304 bytes"), "{told}");
        client.head("/v2/a/manifests/too-large").await.expect(404);
    }
    site.holds_again(before.as_ref()).await;
}

/// What is no manifest, is none of the sort that it is said to be, or has another digest than it is pushed under, is refused
/// with the reason, and leaves nothing.
async fn what_is_no_manifest_is_refused(site: &Site) {
    let client = site.client();
    let blob = client.push("a", random(10)).await;
    let before = site.holds().await;
    let good = format!(r#"{{"schemaVersion":2,"mediaType":"{OCI_IMAGE}","layers":[]}}"#);
    let index = "application/vnd.oci.image.index.v1+json";
    let schema_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    for (text, media_type, reason) in [
        ("", OCI_IMAGE, "no manifest in JSON"),
        ("{", OCI_IMAGE, "no manifest in JSON"),
        ("[1]", OCI_IMAGE, "no manifest in JSON"),
        ("\u{0}", OCI_IMAGE, "no manifest in JSON"),
        (r#"{"layers":7}"#, OCI_IMAGE, "no manifest in JSON"),
        (r#"{"layers":[],"manifests":[]}"#, OCI_IMAGE, "an image and an index at once"),
        (r#"{"layers":[{"digest":"sha256:../../x"}]}"#, OCI_IMAGE, "a descriptor cannot be followed"),
        (&good, index, "it was sent as application/vnd.oci.image.index.v1+json"),
        (r#"{"schemaVersion":1,"fsLayers":[]}"#, schema_1, "schema 1 is no longer accepted"),
    ] {
        let answer = put(client, "/v2/a/manifests/x", media_type, &Bytes::from(text.to_owned())).await;
        let told = site.refused(answer, 400, "MANIFEST_INVALID");
        assert!(told.contains(reason), "{text}: {told}");
    }
    for wrong in [digest(b"other"), digest_512(b"other"), blob] {
        let answer =
            put(client, &format!("/v2/a/manifests/{wrong}"), OCI_IMAGE, &Bytes::from(good.clone())).await;
        let told = site.refused(answer, 400, "DIGEST_INVALID");
        assert!(told.contains(&wrong), "{told}");
        client.head(&format!("/v2/a/manifests/{wrong}")).await.expect(404);
    }
    client.head("/v2/a/manifests/x").await.expect(404);
    site.holds_again(before.as_ref()).await;
}

/// A chunk whose place is none, or does not fit its length, is refused, and the upload stays where it was.
async fn a_chunk_whose_place_is_none_is_refused(site: &Site) {
    let client = site.client();
    let location = client.patch(&site.begin("a").await, random(1000)).await.expect(202).location();
    for range in [
        "1000-1010",
        "1000-998",
        "nonsense",
        "1000",
        "1000-",
        "-5",
        "+1000-1004",
        "1000-18446744073709551616",
    ] {
        let headers = [("content-range", range)];
        let answer = client.request(Method::PATCH, &location, &headers, "12345").await;
        let told = site.refused(answer, 400, "SIZE_INVALID");
        assert!(told.contains("Content-Range"), "{range}: {told}");
    }
    assert_eq!(client.get(&location).await.expect(204).header("range"), "0-999");
}

/// A refusal that is clear before the content has come reaches a client that is still sending.
async fn a_refusal_overtakes_the_content(site: &Site) {
    let client = site.client();
    let content = random(30 << 20);
    let right = digest(&content);
    let unknown = "/v2/a/blobs/uploads/3fa0e6b3";
    site.refused(client.patch(unknown, content.clone()).await, 404, "BLOB_UPLOAD_UNKNOWN");
    let put = client.put(&with_digest(unknown, &right), content.clone()).await;
    site.refused(put, 404, "BLOB_UPLOAD_UNKNOWN");
    let put = client.put(&with_digest(&site.begin("a").await, "md5:0"), content.clone()).await;
    site.refused(put, 400, "DIGEST_INVALID");
    let post = format!("/v2/A/blobs/uploads/?digest={right}");
    site.refused(client.request(Method::POST, &post, &[], content).await, 400, "NAME_INVALID");
}

over_every_backend!(
    a_refusal_overtakes_the_content,
    a_wrong_digest_leaves_nothing,
    a_digest_is_no_key_to_a_blob,
    what_is_no_digest_is_refused,
    what_is_no_name_is_refused,
    what_is_no_tag_or_upload_is_refused,
    an_upload_of_another_repository_is_unknown,
    a_manifest_that_is_too_large_is_refused,
    what_is_no_manifest_is_refused,
    a_chunk_whose_place_is_none_is_refused,
);
