//! What every path answers.

use std::sync::Arc;

use apus_registry::{Digest, Reference, RegistryOptions, RepositoryName, layout};
use apus_server::AppOptions;
use apus_storage::{MemoryStorage, Storage, WriteMode};
use http::Method;
use serde_json::{Value, json};

use crate::support::{app, app_over, ask, digest, header, push, push_manifest};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

fn image(note: &str) -> String {
    json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "layers": [], "annotations": { "note": note } })
        .to_string()
}

/// HEAD is GET without the content: the same status and the same headers, wherever GET is known; nobody is sent elsewhere.
#[tokio::test]
async fn head_is_get_without_content() {
    let app = app(AppOptions::default());
    let blob = push(&app, "a/b", "content").await;
    push_manifest(&app, "/v2/a/b/manifests/latest", OCI_IMAGE, image("one")).await;
    push_manifest(&app, "/v2/a/b/manifests/other", OCI_IMAGE, image("two")).await;
    let upload = ask(&app, Method::POST, "/v2/a/b/blobs/uploads/", &[], "").await;
    let unknown = digest(b"unknown");
    for (path, status) in [
        ("/".to_owned(), 200),
        ("/v2".into(), 200),
        ("/v2/".into(), 200),
        ("/v2/_catalog".into(), 200),
        ("/v2/_catalog?n=x".into(), 400),
        ("/v2/a/b/tags/list".into(), 200),
        ("/v2/a/b/tags/list?n=1".into(), 200),
        ("/v2/none/tags/list".into(), 404),
        ("/v2/a/b/manifests/latest".into(), 200),
        ("/v2/a/b/manifests/none".into(), 404),
        (format!("/v2/a/b/blobs/{blob}"), 200),
        (format!("/v2/a/b/blobs/{unknown}"), 404),
        ("/v2/a/b/blobs/sha256:bad".into(), 400),
        (format!("/v2/a/b/referrers/{unknown}"), 200),
        (header(&upload, "location").to_owned(), 204),
        ("/v2/a/b/blobs/uploads/none".into(), 404),
        ("/v2/a/b/blobs/uploads/".into(), 405),
        ("/v2/A/tags/list".into(), 400),
        ("/elsewhere".into(), 404),
    ] {
        let get = ask(&app, Method::GET, &path, &[], "").await;
        let head = ask(&app, Method::HEAD, &path, &[], "").await;
        assert_eq!(get.status(), status, "{path}");
        assert_eq!(get.status(), head.status(), "{path}");
        assert_eq!(get.headers(), head.headers(), "{path}");
        assert_eq!(head.body(), "", "{path}");
        let length = header(&get, "content-length");
        assert!(status == 204 || length == get.body().len().to_string(), "{path}: {length}");
        assert_eq!(header(&get, "docker-distribution-api-version"), "registry/2.0");
    }
}

/// What has not changed is not sent again, and neither answer has a length.
#[tokio::test]
async fn what_the_client_has_is_not_sent() {
    let app = app(AppOptions::default());
    let blob = push(&app, "a", "content").await;
    let manifest = push_manifest(&app, "/v2/a/manifests/latest", OCI_IMAGE, image("one")).await;
    for (path, digest) in [
        (format!("/v2/a/blobs/{blob}"), blob),
        ("/v2/a/manifests/latest".into(), manifest.clone()),
        (format!("/v2/a/manifests/{manifest}"), manifest),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = ask(&app, method, &path, &[("if-none-match", &format!("\"{digest}\""))], "").await;
            assert_eq!(answer.status(), 304, "{path}");
            assert_eq!(header(&answer, "etag"), format!("\"{digest}\""));
            assert_eq!((header(&answer, "content-length"), answer.body().len()), ("", 0));
        }
    }
}

/// There is nothing at the place where uploads begin: only beginning is possible there.
#[tokio::test]
async fn a_method_that_is_not_known_is_told_the_known_ones() {
    let app = app(AppOptions::default());
    for (path, allow, methods) in [
        ("/v2/a/blobs/uploads/", "POST", &["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"][..]),
        ("/v2/a/tags/list", "GET, HEAD", &["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]),
        ("/v2/_catalog", "GET, HEAD", &["POST", "DELETE"]),
        ("/v2/", "GET, HEAD", &["POST", "PUT", "OPTIONS"]),
        ("/v2/a/manifests/x", "GET, HEAD, PUT, DELETE", &["POST", "PATCH"]),
    ] {
        for method in methods {
            let answer = ask(&app, method.parse().unwrap(), path, &[], "").await;
            assert_eq!(answer.status(), 405, "{method} {path}");
            assert_eq!(header(&answer, "allow"), allow, "{method} {path}");
        }
    }
}

/// A list of manifests goes whole to whom it is asked for by digest, or who knows lists; who knows only images gets the one for
/// linux/amd64, and is told so.
#[tokio::test]
async fn a_list_for_clients_that_know_only_images() {
    let app = app(AppOptions::default());
    let image = json!({ "schemaVersion": 2, "mediaType": DOCKER_IMAGE, "layers": [] }).to_string();
    let child =
        push_manifest(&app, &format!("/v2/a/manifests/{}", digest(image.as_bytes())), DOCKER_IMAGE, image)
            .await;
    let entry = |architecture: &str| json!({ "mediaType": DOCKER_IMAGE, "digest": child, "size": 1, "platform": { "os": "linux", "architecture": architecture } });
    let list = |architecture: &str| {
        json!({ "schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [entry("s390x"), entry(architecture)] })
            .to_string()
    };
    let whole = push_manifest(&app, "/v2/a/manifests/list", DOCKER_LIST, list("amd64")).await;
    let others = push_manifest(&app, "/v2/a/manifests/others", DOCKER_LIST, list("arm64")).await;
    let both = format!("{DOCKER_IMAGE}, {DOCKER_LIST}");
    for (reference, accept, expected) in [
        ("list", None, &whole),
        ("list", Some("*/*"), &whole),
        ("list", Some(&*both), &whole),
        ("list", Some("text/html"), &whole),
        ("list", Some(DOCKER_IMAGE), &child),
        ("others", Some(DOCKER_IMAGE), &others),
        (&*whole, Some(DOCKER_IMAGE), &whole),
    ] {
        let headers: Vec<_> = accept.map(|accept| ("accept", accept)).into_iter().collect();
        let answer = ask(&app, Method::GET, &format!("/v2/a/manifests/{reference}"), &headers, "").await;
        assert_eq!(header(&answer, "docker-content-digest"), expected, "{reference} {accept:?}");
        assert_eq!(digest(answer.body()), *expected);
        let warning = header(&answer, "warning");
        assert_eq!(warning.contains("linux/amd64"), *expected == child, "{warning}");
    }
    // OCI's index has no such clients.
    let index =
        json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry("amd64")] }).to_string();
    let index = push_manifest(&app, "/v2/a/manifests/index", OCI_INDEX, index).await;
    let answer = ask(&app, Method::GET, "/v2/a/manifests/index", &[("accept", OCI_IMAGE)], "").await;
    assert_eq!(header(&answer, "docker-content-digest"), index);
}

/// An image of schema 1 that is still there is served as it is, with a warning that says what to do.
#[tokio::test]
async fn schema_1_comes_with_a_warning() {
    let storage = Arc::new(MemoryStorage::new());
    let manifest = r#"{"schemaVersion":1,"name":"a","tag":"old","fsLayers":[],"signatures":[]}"#;
    let digest = Digest::parse(&digest(manifest.as_bytes())).unwrap();
    let (name, reference) = (RepositoryName::parse("a").unwrap(), Reference::parse("old").unwrap());
    let Reference::Tag(tag) = &reference else { panic!("a tag") };
    for (object, content) in [
        (layout::blob_data(&digest), manifest.to_owned()),
        (layout::revision_link(&name, &digest), digest.to_string()),
        (layout::tag_link(&name, tag), digest.to_string()),
    ] {
        storage.write(&object.unwrap(), content.into_bytes().into(), WriteMode::Replace).await.unwrap();
    }
    let app = app_over(storage, RegistryOptions::default(), AppOptions::default());
    for reference in ["old", &digest.to_string()] {
        let answer = ask(&app, Method::GET, &format!("/v2/a/manifests/{reference}"), &[], "").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.body(), manifest);
        assert_eq!(
            header(&answer, "content-type"),
            "application/vnd.docker.distribution.manifest.v1+prettyjws"
        );
        let warning = header(&answer, "warning");
        assert!(warning.starts_with("299 - \"this image is in the obsolete format"), "{warning}");
        assert!(warning.contains("push it again in schema 2 or OCI format"), "{warning}");
    }
}

/// Errors have the form of the specification, and tell nothing that is not for clients.
#[tokio::test]
async fn errors_have_their_form() {
    let app = app(AppOptions::default());
    let unknown = digest(b"unknown");
    for (method, path, status, code) in [
        (Method::GET, "/v2/A/tags/list".to_owned(), 400, "NAME_INVALID"),
        (Method::GET, "/v2/a/tags/list".into(), 404, "NAME_UNKNOWN"),
        (Method::GET, "/v2/a/manifests/.x".into(), 400, "TAG_INVALID"),
        (Method::GET, "/v2/a/manifests/x".into(), 404, "MANIFEST_UNKNOWN"),
        (Method::GET, format!("/v2/a/blobs/{unknown}"), 404, "BLOB_UNKNOWN"),
        (Method::GET, "/v2/a/blobs/x".into(), 400, "DIGEST_INVALID"),
        (Method::PATCH, "/v2/a/blobs/uploads/x".into(), 404, "BLOB_UPLOAD_UNKNOWN"),
        (Method::PUT, "/v2/a/manifests/x".into(), 400, "MANIFEST_INVALID"),
        (Method::GET, "/v2/_catalog?n=-1".into(), 400, "PAGINATION_NUMBER_INVALID"),
        (Method::PUT, "/v2/".into(), 405, "UNSUPPORTED"),
    ] {
        let answer = ask(&app, method, &path, &[], "").await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(header(&answer, "content-type"), "application/json", "{path}");
        let body: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(body["errors"][0]["code"], code, "{path}");
        assert!(body["errors"][0]["message"].is_string(), "{path}");
        assert!(!String::from_utf8_lossy(answer.body()).contains("docker/registry"), "{path}");
    }
}

/// A prefix stands in front of every path but `/`, and of every `Location`.
#[tokio::test]
async fn a_prefix_is_part_of_every_path() {
    let app = app(AppOptions { prefix: "/mirror".into(), ..AppOptions::default() });
    assert_eq!(ask(&app, Method::GET, "/v2/", &[], "").await.status(), 404);
    assert_eq!(ask(&app, Method::GET, "/mirror/v2/", &[], "").await.status(), 200);
    assert_eq!(ask(&app, Method::GET, "/", &[], "").await.status(), 200);
    let begun = ask(&app, Method::POST, "/mirror/v2/a/blobs/uploads/", &[], "").await;
    let location = header(&begun, "location");
    assert!(location.starts_with("/mirror/v2/a/blobs/uploads/"), "{location}");
    assert_eq!(ask(&app, Method::GET, location, &[], "").await.status(), 204);
    assert_eq!(begun.headers().get_all("oci-chunk-min-length").iter().count(), 0, "memory takes any chunk");
}
