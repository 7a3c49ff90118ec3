//! Pushes as the server takes them: contents that have to be held whole, and whom `100 Continue` invites to send.

use std::sync::Arc;
use std::time::Duration;

use apus_registry::RegistryOptions;
use apus_server::{AppOptions, ServeOptions};
use apus_storage::MemoryStorage;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::channel::Channel;
use serde_json::Value;
use tower::ServiceExt;

use crate::support::{Site, app, app_over, ask, digest, header, push};

const IMAGE: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","layers":[]}"#;

/// Manifests that are being received share a budget of memory: one that finds none left waits, then is asked to come again.
#[tokio::test(start_paused = true)]
async fn manifests_share_a_budget() {
    let app = app(AppOptions { manifest_memory: 5 << 20, ..AppOptions::default() });
    // Of unknown length: it takes as much as a manifest may have.
    let (mut sender, body) = Channel::<Bytes, std::convert::Infallible>::new(1);
    let request = Request::put("/v2/a/manifests/slow").body(body).unwrap();
    let slow = tokio::spawn(app.clone().oneshot(request));
    sender.send_data(Bytes::from_static(&IMAGE.as_bytes()[..10])).await.unwrap();
    tokio::task::yield_now().await;

    // One of known length takes no more than that.
    assert_eq!(ask(&app, Method::PUT, "/v2/a/manifests/small", &[], IMAGE).await.status(), 201);
    let large = Bytes::from(vec![b' '; 2 << 20]);
    let refused = ask(&app, Method::PUT, "/v2/a/manifests/large", &[], large.clone()).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(header(&refused, "retry-after"), "5");
    let body: Value = serde_json::from_slice(refused.body()).unwrap();
    assert_eq!(body["errors"][0]["code"], "TOOMANYREQUESTS");

    // One that waits is served when there is room.
    let waiting = ask(&app, Method::PUT, "/v2/a/manifests/large", &[], large);
    let ending = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        sender.send_data(Bytes::from_static(&IMAGE.as_bytes()[10..])).await.unwrap();
        drop(sender);
        slow.await.unwrap().unwrap()
    };
    let (waited, ended) = tokio::join!(waiting, ending);
    assert_eq!(ended.status(), 201);
    assert_eq!(waited.status(), 400, "it is no manifest, but it was read");
}

/// What is too large by its own word is refused before anything of it is read, room or not.
#[tokio::test(start_paused = true)]
async fn a_manifest_that_is_too_large_takes_no_room() {
    let app = app(AppOptions { manifest_memory: 1, ..AppOptions::default() });
    let answer = ask(&app, Method::PUT, "/v2/a/manifests/x", &[], vec![b' '; (4 << 20) + 1]).await;
    assert_eq!(answer.status(), 413);
    let answer = ask(&app, Method::PUT, "/v2/a/manifests/x", &[], vec![b' '; 4 << 20]).await;
    assert_eq!(answer.status(), 400, "one at a time is always possible");
}

/// Who is refused for what is known before the content gets the refusal alone, and is not invited to send.
#[tokio::test]
async fn who_is_refused_is_not_invited_to_send() {
    let registry = RegistryOptions { deletes: false, ..RegistryOptions::default() };
    let app = app_over(Arc::new(MemoryStorage::new()), registry, AppOptions::default());
    let blob = push(&app, "a", "content").await;
    let site = Site::serving(app, ServeOptions::default()).await;
    for (line, length, status) in [
        ("PUT /v2/A/manifests/latest".to_owned(), 100, 400),
        ("PUT /v2/a/manifests/.x".into(), 100, 400),
        (format!("PUT /v2/a/manifests/x?{}", "tag=y&".repeat(101)), 100, 414),
        ("PUT /v2/a/manifests/x?tag=.y".into(), 100, 400),
        ("PUT /v2/a/manifests/x".into(), (4 << 20) + 1, 413),
        (format!("DELETE /v2/a/blobs/{blob}"), 100, 405),
        ("POST /v2/a/manifests/latest".into(), 100, 405),
        ("PUT /elsewhere".into(), 100, 404),
        ("PATCH /v2/a/blobs/uploads/unknown".into(), 100, 404),
        (format!("PUT /v2/a/blobs/uploads/unknown?digest={blob}"), 100, 404),
        ("PUT /v2/a/blobs/uploads/unknown".into(), 100, 400),
        ("POST /v2/a/blobs/uploads/?digest=md5:0".into(), 100, 400),
        ("POST /v2/A/blobs/uploads/".into(), 100, 400),
    ] {
        let mut socket = site.connect().await;
        let head =
            format!("{line} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n");
        assert_eq!(socket.ask(&head).await.status(), status, "{line}");
    }
}

/// Who is accepted is invited first, and then gets an answer; who does not wait for the invitation is served as well.
#[tokio::test]
async fn who_is_accepted_is_invited_to_send() {
    let site = Site::start(ServeOptions::default()).await;
    let digest = digest(b"content");
    let begun = ask(&site.app, Method::POST, "/v2/a/blobs/uploads/", &[], "").await;
    let location = header(&begun, "location");
    for (line, content, status) in [
        (format!("POST /v2/a/blobs/uploads/?digest={digest}"), "content", 201),
        ("PUT /v2/a/manifests/latest".into(), IMAGE, 201),
        (format!("PATCH {location}"), "content", 202),
    ] {
        let head = |more: &str| {
            let length = content.len();
            format!("{line} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n{more}\r\n")
        };
        let mut socket = site.connect().await;
        assert_eq!(socket.ask(&head("expect: 100-continue\r\n")).await.status(), 100, "{line}");
        assert_eq!(socket.ask(content).await.status(), status, "{line}");
        if status == 201 {
            let impatient = socket.ask(&(head("") + content)).await;
            assert_eq!(impatient.status(), status, "{line}");
        }
    }
}
