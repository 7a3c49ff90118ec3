//! A registry that is only read.

use std::sync::Arc;

use apus_registry::RegistryOptions;
use apus_server::AppOptions;
use apus_storage::{ListRequest, MemoryStorage, Storage};
use http::Method;
use serde_json::{Value, json};

use crate::support::{app_over, ask, digest, header, push, push_manifest};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Each request that writes, and each method that nothing knows, is refused as unsupported before anything is looked for; each
/// that reads is answered as ever.
#[tokio::test]
async fn a3_every_write_is_refused_and_every_read_answered() {
    let storage = Arc::new(MemoryStorage::new());
    let writable = app_over(Arc::clone(&storage), RegistryOptions::default(), AppOptions::default());
    let blob = push(&writable, "a", "content").await;
    let layers = json!([{ "mediaType": "application/octet-stream", "digest": blob, "size": 7 }]);
    let image = json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "layers": layers }).to_string();
    let manifest = push_manifest(&writable, "/v2/a/manifests/latest", OCI_IMAGE, image).await;
    let upload = ask(&writable, Method::POST, "/v2/a/blobs/uploads/", &[], "").await;
    let upload = header(&upload, "location").to_owned();
    let upload = ask(&writable, Method::PATCH, &upload, &[], "begun").await;
    let upload = header(&upload, "location").to_owned();
    let before = storage.list(&ListRequest::everything()).await.unwrap();

    let registry = RegistryOptions { read_only: true, ..RegistryOptions::default() };
    let app =
        app_over(Arc::clone(&storage), registry, AppOptions { read_only: true, ..AppOptions::default() });
    let other = digest(b"other");
    for (method, path) in [
        (Method::POST, "/v2/a/blobs/uploads/".to_owned()),
        (Method::POST, format!("/v2/b/blobs/uploads/?mount={blob}&from=a")),
        (Method::POST, format!("/v2/a/blobs/uploads/?digest={other}")),
        (Method::PATCH, upload.clone()),
        (Method::PUT, format!("{upload}&digest={other}")),
        (Method::DELETE, upload.clone()),
        (Method::PUT, "/v2/a/manifests/new".into()),
        (Method::PUT, format!("/v2/a/manifests/{manifest}")),
        (Method::DELETE, "/v2/a/manifests/latest".into()),
        (Method::DELETE, format!("/v2/a/manifests/{manifest}")),
        (Method::DELETE, format!("/v2/a/blobs/{blob}")),
        (Method::DELETE, format!("/v2/none/blobs/{other}")),
    ] {
        let answer = ask(&app, method.clone(), &path, &[("content-type", OCI_IMAGE)], "other").await;
        assert_eq!(answer.status(), 405, "{method} {path}");
        let told: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(told["errors"][0]["code"], "UNSUPPORTED", "{method} {path}");
        assert_eq!(header(&answer, "allow"), "GET, HEAD", "{method} {path}");
    }
    for (path, status) in [
        ("/v2/".to_owned(), 200),
        ("/v2/_catalog".into(), 200),
        ("/v2/a/tags/list".into(), 200),
        ("/v2/a/manifests/latest".into(), 200),
        (format!("/v2/a/blobs/{blob}"), 200),
        (format!("/v2/a/referrers/{manifest}"), 200),
        (upload, 204),
    ] {
        assert_eq!(ask(&app, Method::GET, &path, &[], "").await.status(), status, "{path}");
        assert_eq!(ask(&app, Method::HEAD, &path, &[], "").await.status(), status, "{path}");
    }
    assert_eq!(storage.list(&ListRequest::everything()).await.unwrap(), before);
    assert_eq!(storage.stage_list(None, 10).await.unwrap().len(), 1);
}

/// A secret for the URLs of uploads is not made for one who only asks.
#[tokio::test]
async fn nothing_is_written_for_the_url_of_an_upload() {
    let storage = Arc::new(MemoryStorage::new());
    let registry = RegistryOptions { read_only: true, ..RegistryOptions::default() };
    let app =
        app_over(Arc::clone(&storage), registry, AppOptions { read_only: true, ..AppOptions::default() });
    let path = format!("/v2/a/blobs/uploads/{}?_state=abc", "0".repeat(32));
    assert_eq!(ask(&app, Method::GET, &path, &[], "").await.status(), 404);
    assert!(storage.list(&ListRequest::everything()).await.unwrap().entries.is_empty());
}
