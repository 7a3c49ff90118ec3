//! How much one client may ask for.

use std::num::NonZeroU32;
use std::sync::Arc;

use apus_legacy::LegacyRegistry;
use apus_server::{AppOptions, ClientLimits, RequestRate, ServeOptions, Version1};
use apus_storage::MemoryStorage;
use apus_v1::{V1, V1Options};
use http::Response;
use serde_json::Value;

use crate::support::{Site, Socket, app, digest, header};

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

async fn site(limits: ClientLimits) -> Site {
    let options = AppOptions {
        limits,
        trusted_proxies: Some(vec!["127.0.0.1/32".parse().unwrap()]),
        version_1: Some(Version1 {
            protocol: V1::new(LegacyRegistry::new(Arc::new(MemoryStorage::new())), V1Options::default()),
            alone: false,
        }),
        ..AppOptions::default()
    };
    Site::serving(app(options), ServeOptions::default()).await
}

/// By a proxy that says who asks.
fn ask(path: &str, client: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a\r\nx-forwarded-for: {client}\r\n\r\n")
}

fn is_refused<B: AsRef<[u8]>>(answer: &Response<B>) {
    assert_eq!(answer.status(), 429);
    let told: Value = serde_json::from_slice(answer.body().as_ref()).unwrap();
    assert_eq!(told["errors"][0]["code"], "TOOMANYREQUESTS");
    assert!((1..=60).contains(&header(answer, "retry-after").parse::<u64>().unwrap()));
}

/// One client that asks too often is refused, whatever it asks; another one is not, nor who asks whether anybody is there.
#[tokio::test]
async fn requests_of_each_client() {
    let requests = Some(RequestRate { per_second: number(1), burst: number(1000) });
    let site = site(ClientLimits { requests, ..ClientLimits::default() }).await;
    let mut socket = site.connect().await;
    let mut answered = 0;
    let refused = loop {
        let answer = socket.ask(ask("/v2/", "192.0.2.1")).await;
        if answer.status() != 200 {
            break answer;
        }
        answered += 1;
        assert!(answered < 100_000, "nobody is refused");
    };
    assert!(answered >= 1000, "{answered}");
    is_refused(&refused);
    // The rate allows one a second: not all of these.
    let mut refused = 0;
    for path in ["/v2/a/tags/list", "/elsewhere", "/v2/_catalog", "/v2/a/manifests/x", "/v2/A/tags/list"] {
        let answer = socket.ask(ask(path, "192.0.2.1")).await;
        if answer.status() == 429 {
            refused += 1;
            is_refused(&answer);
        }
    }
    assert!(refused > 0);
    assert_eq!(socket.ask(ask("/v2/", "192.0.2.2")).await.status(), 200);
    assert_eq!(socket.ask(ask("/", "192.0.2.1")).await.status(), 200);
}

/// An upload whose client sends nothing more, as one of this client.
async fn hold(site: &Site, client: &str) -> Socket {
    let mut socket = site.connect().await;
    let path = format!("/v2/a/blobs/uploads/?digest={}", digest(b"never"));
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: a\r\nx-forwarded-for: {client}\r\ncontent-length: 5\r\n");
    socket.send(format!("{head}expect: 100-continue\r\n\r\n")).await;
    // It has its place.
    assert_eq!(socket.head().await.status(), 100);
    socket
}

fn push(client: &str) -> String {
    let path = format!("/v2/a/blobs/uploads/?digest={}", digest(b"12345"));
    format!("POST {path} HTTP/1.1\r\nhost: a\r\nx-forwarded-for: {client}\r\ncontent-length: 5\r\n\r\n12345")
}

#[tokio::test]
async fn uploads_of_each_client_and_of_all() {
    let limits =
        ClientLimits { uploads: Some(number(1)), all_uploads: Some(number(2)), ..ClientLimits::default() };
    let site = site(limits).await;
    let mut held = hold(&site, "192.0.2.1").await;
    // It waits for a while, while others go on.
    let (refused, taken) = tokio::join!(async { site.connect().await.ask(push("192.0.2.1")).await }, async {
        site.connect().await.ask(push("192.0.2.2")).await
    });
    is_refused(&refused);
    assert_eq!(taken.status(), 201);
    let other = hold(&site, "192.0.2.2").await;
    is_refused(&site.connect().await.ask(push("192.0.2.3")).await);
    // What holds no content needs no place.
    let begin = "POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 192.0.2.1\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(site.connect().await.ask(begin).await.status(), 202);
    held.send("never").await;
    assert_eq!(held.answer().await.status(), 201);
    assert_eq!(site.connect().await.ask(push("192.0.2.1")).await.status(), 201);
    drop(other);
}

/// The same in version 1's own words.
fn is_refused_by_version_1<B: AsRef<[u8]>>(answer: &Response<B>) {
    assert_eq!(answer.status(), 429);
    let told: Value = serde_json::from_slice(answer.body().as_ref()).unwrap();
    assert!(told["error"].is_string() && told.get("errors").is_none(), "{told}");
    assert_eq!(header(answer, "content-type"), "application/json");
    assert!((1..=60).contains(&header(answer, "retry-after").parse::<u64>().unwrap()));
}

/// Both versions have one count.
#[tokio::test]
async fn requests_of_version_1() {
    let requests = Some(RequestRate { per_second: number(1), burst: number(20) });
    let site = site(ClientLimits { requests, ..ClientLimits::default() }).await;
    let mut socket = site.connect().await;
    for _ in 0..50 {
        assert_eq!(socket.ask(ask("/v1/_ping", "192.0.2.1")).await.status(), 200);
        assert_eq!(socket.ask(ask("/_ping", "192.0.2.1")).await.status(), 200);
    }
    let mut answered = 0;
    let refused = loop {
        let answer = socket.ask(ask("/v1/repositories/a/tags", "192.0.2.1")).await;
        if answer.status() != 404 {
            break answer;
        }
        answered += 1;
        assert!(answered < 100_000, "nobody is refused");
    };
    assert!(answered >= 20, "{answered}");
    is_refused_by_version_1(&refused);
    // The rate allows one a second: not all of these.
    let mut refused = 0;
    for _ in 0..20 {
        refused += usize::from(socket.ask(ask("/v2/", "192.0.2.1")).await.status() == 429);
    }
    assert!(refused > 0);
    assert_eq!(socket.ask(ask("/v1/users/", "192.0.2.2")).await.status(), 200);
}

/// A layer takes a place among the uploads.
#[tokio::test]
async fn uploads_of_version_1() {
    const ID: &str = "00000000000000000000000000000000000000000000000000000000000000aa";
    let site = site(ClientLimits { uploads: Some(number(1)), ..ClientLimits::default() }).await;
    let put = |part: &str, client: &str, content: &str, more: &str| {
        let length = content.len();
        let head = format!("PUT /v1/images/{ID}/{part} HTTP/1.1\r\nhost: a\r\nx-forwarded-for: {client}\r\n");
        format!("{head}content-length: {length}\r\n{more}\r\n")
    };
    let description = format!(r#"{{"id":"{ID}"}}"#);
    let described = put("json", "192.0.2.1", &description, "") + &description;
    assert_eq!(site.connect().await.ask(described).await.status(), 200);
    let mut held = site.connect().await;
    held.send(put("layer", "192.0.2.1", "12345", "expect: 100-continue\r\n")).await;
    assert_eq!(held.head().await.status(), 100);
    // What holds no layer needs no place.
    let tags = site.connect().await.ask(ask("/v1/repositories/a/tags", "192.0.2.1")).await;
    assert_eq!(tags.status(), 404);
    is_refused_by_version_1(
        &site.connect().await.ask(put("layer", "192.0.2.1", "12345", "") + "12345").await,
    );
    is_refused(&site.connect().await.ask(push("192.0.2.1")).await);
    held.send("12345").await;
    assert_eq!(held.answer().await.status(), 200);
}
