//! A storage that has URLs of its own for its objects: clients are sent there for the content of blobs, and for nothing else.

use std::sync::Arc;
use std::time::Duration;

use apus_registry::{Digest, Registry, RegistryOptions, layout};
use apus_server::{App, AppOptions};
use apus_storage::testing::WatchedStorage;
use apus_storage::{MemoryStorage, Storage};
use http::Method;

use crate::support::{ask, digest, header, push, push_manifest};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Memory with URLs, as long as they work.
fn shop() -> Arc<WatchedStorage> {
    let shop = WatchedStorage::new(Arc::new(MemoryStorage::new()));
    shop.set_urls(true);
    shop
}

fn over(shop: &Arc<WatchedStorage>, blob_url_lifetime: Option<Duration>) -> App {
    let storage = Arc::clone(shop) as Arc<dyn Storage>;
    let options = RegistryOptions { blob_url_lifetime, ..RegistryOptions::default() };
    App::new(Registry::new(storage, options), AppOptions::default())
}

/// How often it was asked for an object since the last time.
fn reads(shop: &WatchedStorage) -> usize {
    shop.take_asked().iter().filter(|(operation, _)| ["stat", "read"].contains(operation)).count()
}

/// The answer says where, for how long, and that nobody is to keep it.
#[tokio::test]
async fn a_get_of_a_blob_is_sent_to_storage() {
    let shop = shop();
    let app = over(&shop, Some(Duration::from_secs(90)));
    let blob = push(&app, "a", "content").await;
    let path = format!("/v2/a/blobs/{blob}");
    let object = layout::blob_data(&Digest::parse(&blob).unwrap()).unwrap();
    for headers in
        [&[][..], &[("range", "bytes=2-3")], &[("range", "bytes=0-0,2-3")], &[("if-none-match", "\"x\"")]]
    {
        let answer = ask(&app, Method::GET, &path, headers, "").await;
        assert_eq!(answer.status(), 307, "{headers:?}");
        assert_eq!(header(&answer, "location"), WatchedStorage::url(&object, Duration::from_secs(90)));
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert_eq!(header(&answer, "docker-content-digest"), blob);
        assert_eq!((header(&answer, "content-length"), answer.body().len()), ("0", 0));
        let shown = format!("{answer:?}");
        assert!(!shown.contains("storage.example"), "{shown}");
    }
}

/// What needs no content, and what is not to be had, is answered here.
#[tokio::test]
async fn all_else_is_answered_here() {
    let shop = shop();
    let app = over(&shop, Some(Duration::from_mins(1)));
    let blob = push(&app, "a", "content").await;
    let manifest =
        push_manifest(&app, "/v2/a/manifests/latest", OCI_IMAGE, r#"{"schemaVersion":2,"layers":[]}"#).await;
    let path = format!("/v2/a/blobs/{blob}");

    let head = ask(&app, Method::HEAD, &path, &[], "").await;
    assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, "7"));
    let same = ask(&app, Method::GET, &path, &[("if-none-match", &format!("\"{blob}\""))], "").await;
    assert_eq!(same.status(), 304);
    for range in ["bytes=7-", "bytes=3-2", "bytes=7-8,9-"] {
        let answer = ask(&app, Method::GET, &path, &[("range", range)], "").await;
        assert_eq!(
            (answer.status().as_u16(), header(&answer, "content-range")),
            (416, "bytes */7"),
            "{range}"
        );
    }
    for reference in ["latest", &manifest] {
        let answer = ask(&app, Method::GET, &format!("/v2/a/manifests/{reference}"), &[], "").await;
        assert_eq!(answer.status(), 200);
    }
    // Nobody is let in by the way to storage who has no right to the blob: neither to one of another repository, nor to one
    // that is gone.
    let unknown = digest(b"unknown");
    shop.delete(&[layout::blob_data(&Digest::parse(&blob).unwrap()).unwrap()]).await.remove(0).unwrap();
    let cold = over(&shop, Some(Duration::from_mins(1)));
    for path in [format!("/v2/b/blobs/{blob}"), format!("/v2/a/blobs/{unknown}"), path] {
        let answer = ask(&cold, Method::GET, &path, &[], "").await;
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (404, ""), "{path}");
        assert!(String::from_utf8_lossy(answer.body()).contains("BLOB_UNKNOWN"), "{answer:?}");
    }
}

/// Where the URLs do not work, or are not wanted, the content comes through the registry.
#[tokio::test]
async fn without_urls_content_is_streamed() {
    let shop = shop();
    let blob = push(&over(&shop, None), "a", "content").await;
    let path = format!("/v2/a/blobs/{blob}");
    for (shut, lifetime) in [(true, Some(Duration::from_mins(1))), (false, None)] {
        shop.set_urls(!shut);
        let app = over(&shop, lifetime);
        let whole = ask(&app, Method::GET, &path, &[], "").await;
        assert_eq!((whole.status().as_u16(), &whole.body()[..]), (200, &b"content"[..]));
        let part = ask(&app, Method::GET, &path, &[("range", "bytes=2-3")], "").await;
        assert_eq!((part.status().as_u16(), &part.body()[..]), (206, &b"nt"[..]));
    }
}

/// A redirect costs a look at the link, and at the blob if it was not seen lately; to stream costs no more than before.
#[tokio::test]
async fn what_a_redirect_asks_of_storage() {
    let shop = shop();
    let blob = push(&over(&shop, None), "a", "content").await;
    let path = format!("/v2/a/blobs/{blob}");
    let app = over(&shop, Some(Duration::from_mins(1)));
    for (shut, status, asked) in [(false, 307, 2), (false, 307, 1), (true, 200, 2)] {
        shop.set_urls(!shut);
        reads(&shop);
        assert_eq!(ask(&app, Method::GET, &path, &[], "").await.status(), status);
        assert_eq!(reads(&shop), asked, "{status}");
    }
}
