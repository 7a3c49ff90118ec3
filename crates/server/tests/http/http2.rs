//! HTTP/2, beside HTTP/1.1 on the same port.

use std::sync::Arc;
use std::time::Duration;

use apus_registry::RegistryOptions;
use apus_server::{AppOptions, Locations, ServeOptions};
use apus_storage::MemoryStorage;
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::frames::{
    ACK, DATA, END_HEADERS, END_STREAM, Frame, GO_AWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS,
};
use crate::support::{self, Site, app_over, content, digest, header};

type Client = SendRequest<Full<Bytes>>;

async fn http2() -> Site {
    Site::start(ServeOptions { http2: true, ..ServeOptions::default() }).await
}

async fn client(site: &Site) -> Client {
    let stream = TcpStream::connect(site.address).await.unwrap();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    let (client, connection) =
        builder.max_header_list_size(1 << 20).handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn ask(client: &Client, method: Method, path: &str, body: impl Into<Bytes>) -> Response<Bytes> {
    let request = Request::builder().method(method).uri(format!("http://r.example:5000{path}"));
    send(client, request.body(Full::new(body.into())).unwrap()).await
}

async fn send(client: &Client, request: Request<Full<Bytes>>) -> Response<Bytes> {
    let (head, body) = client.clone().send_request(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

/// A blob and a manifest go in and out, HEAD and errors are as they are over HTTP/1.1, which is still spoken beside it.
#[tokio::test]
async fn both_protocols_on_one_port() {
    let site = http2().await;
    let client = client(&site).await;
    let blob = content(20 << 20);
    let digest = digest(&blob);
    let begun = ask(&client, Method::POST, "/v2/a/blobs/uploads/", "").await;
    assert_eq!(begun.status(), 202);
    let patched = ask(&client, Method::PATCH, header(&begun, "location"), blob.clone()).await;
    assert_eq!(patched.status(), 202, "{patched:?}");
    let finish = format!("{}&digest={digest}", header(&patched, "location"));
    assert_eq!(ask(&client, Method::PUT, &finish, "").await.status(), 201);
    let pulled = ask(&client, Method::GET, &format!("/v2/a/blobs/{digest}"), "").await;
    assert!(pulled.body() == &blob && header(&pulled, "content-length") == blob.len().to_string());
    let head = ask(&client, Method::HEAD, &format!("/v2/a/blobs/{digest}"), "").await;
    assert_eq!((header(&head, "content-length"), head.body().len()), (&*blob.len().to_string(), 0));
    let head = ask(&client, Method::HEAD, "/v2/", "").await;
    assert_eq!((header(&head, "content-length"), head.body().len()), ("2", 0));
    let unknown = ask(&client, Method::GET, "/v2/a/manifests/x", "").await;
    assert_eq!(unknown.status(), 404);
    assert!(String::from_utf8_lossy(unknown.body()).contains("MANIFEST_UNKNOWN"));
    // A refusal that is clear before the content has come does not wait for it.
    let refused = ask(&client, Method::PATCH, "/v2/a/blobs/uploads/unknown", blob.clone()).await;
    assert_eq!(refused.status(), 404);

    let mut socket = site.connect().await;
    for _ in 0..2 {
        let old = socket.ask(format!("GET /v2/a/blobs/{digest} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        assert!(old.body() == &blob);
    }
}

/// Many requests at once on one connection: more than it runs at once.
#[tokio::test]
async fn many_requests_at_once() {
    let site = http2().await;
    let client = client(&site).await;
    let pushes = (0..300).map(|number| {
        let client = client.clone();
        async move {
            let blob = content(1000 + number);
            let path = format!("/v2/a/blobs/uploads/?digest={}", digest(&blob));
            assert_eq!(ask(&client, Method::POST, &path, blob.clone()).await.status(), 201);
            let pulled = ask(&client, Method::GET, &format!("/v2/a/blobs/{}", digest(&blob)), "").await;
            assert_eq!(pulled.body(), &blob);
        }
    });
    futures_util::future::join_all(pushes).await;
}

/// Without the option only HTTP/1.1 is spoken.
#[tokio::test]
async fn not_unless_it_is_asked_for() {
    let site = Site::start(ServeOptions::default()).await;
    let mut socket = site.connect().await;
    socket.send(PREFACE).await;
    let rest = socket.rest().await;
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 400 "), "{rest:?}");
}

/// The authority stands where HTTP/1.1 has `Host`.
#[tokio::test]
async fn the_authority_is_the_host() {
    let options = AppOptions { locations: Locations::AsAsked, ..AppOptions::default() };
    let app = app_over(Arc::new(MemoryStorage::new()), RegistryOptions::default(), options);
    let site = Site::serving(app, ServeOptions { http2: true, ..ServeOptions::default() }).await;
    let begun = ask(&client(&site).await, Method::POST, "/v2/a/blobs/uploads/", "").await;
    let location = header(&begun, "location");
    assert!(location.starts_with("http://r.example:5000/v2/a/"), "{location}");
}

/// A head that is larger than its bound is told so; other requests on the connection are not disturbed. One that is far larger
/// ends the connection.
#[tokio::test]
async fn a_head_has_a_bound() {
    let site = Site::start(ServeOptions { http2: true, head_limit: 20_000, ..ServeOptions::default() }).await;
    let client = client(&site).await;
    let with = |bytes: usize| {
        Request::get("http://a/v2/").header("authorization", "x".repeat(bytes)).body(Full::default()).unwrap()
    };
    assert_eq!(send(&client, with(19_000)).await.status(), 200);
    assert_eq!(send(&client, with(21_000)).await.status(), 431);
    assert_eq!(send(&client, with(100)).await.status(), 200);
    let far_too_large = client.clone().send_request(with(900_000)).await;
    assert!(far_too_large.is_err() || far_too_large.unwrap().status() == 431);
    assert_eq!(send(&self::client(&site).await, with(100)).await.status(), 200);
}

/// A drain lets requests come to their end, takes no new ones, and says so by GOAWAY.
#[tokio::test]
async fn a_drain_waits_for_requests() {
    let mut site = http2().await;
    let mut socket = site.connect().await;
    socket.send(PREFACE).await;
    socket.send_frame(Frame::new(SETTINGS, 0, 0, [])).await;
    // A PUT of a manifest whose content is still to come: `:method: PUT` as a literal.
    let put = Frame::get(1, "/v2/a/manifests/x");
    let block = [&[0x02, 3][..], b"PUT", &put.payload[1..]].concat();
    socket.send_frame(Frame::new(HEADERS, END_HEADERS, 1, block)).await;
    socket.send_frame(Frame::new(PING, 0, 0, *b"received")).await;
    while socket.frame_but(&[]).await.kind != PING {}
    site.stop();
    while socket.frame_but(&[]).await.kind != GO_AWAY {}
    let manifest = r#"{"schemaVersion":2,"layers":[]}"#;
    socket.send_frame(Frame::new(DATA, END_STREAM, 1, manifest)).await;
    loop {
        let frame = socket.frame_but(&[]).await;
        match frame.kind {
            HEADERS => break assert_eq!(frame.stream, 1),
            PING if frame.flags != ACK => socket.send_frame(Frame::new(PING, ACK, 0, frame.payload)).await,
            _ => {}
        }
    }
    socket.rest().await;
    let app = site.app.clone();
    assert!(site.drained().await);
    assert_eq!(support::ask(&app, Method::GET, "/v2/a/manifests/x", &[], "").await.status(), 200);
}

/// A client that resets streams as fast as it opens them is sent away.
#[tokio::test]
async fn a_client_that_resets_all_it_asks_for_is_sent_away() {
    let site = http2().await;
    let mut socket = site.connect().await;
    socket.send(PREFACE).await;
    socket.send_frame(Frame::new(SETTINGS, 0, 0, [])).await;
    let mut flood = Vec::new();
    for stream in (1..20_000).step_by(2) {
        flood.extend(Frame::get(stream, "/v2/").bytes());
        flood.extend(Frame::new(RST_STREAM, 0, stream, [0, 0, 0, 8]).bytes());
    }
    socket.try_send(&flood).await;
    let rest = tokio::time::timeout(Duration::from_mins(1), async {
        while socket.frame_but(&[]).await.kind != GO_AWAY {}
    });
    rest.await.unwrap();
    site.has_place().await;
}
