//! HTTP as the binary speaks it by its configuration: both protocols on one port, URLs as a proxy wants them, limits, the sizes
//! of pages, what is checked of a manifest.

use std::time::{Duration, Instant};

use apus_fake_swift::{FakeSwift, Options};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::support::client::with_digest;
use crate::support::content::{digest, random};
use crate::support::{Answer, Apus, Backend, Client};

const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A client of HTTP/2 on one connection.
#[derive(Clone)]
struct Http2(SendRequest<Full<Bytes>>);

impl Http2 {
    async fn connect(apus: &Apus) -> Self {
        let stream = TcpStream::connect(apus.address()).await.unwrap();
        let (client, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self(client)
    }

    async fn request(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        let request = Request::builder().method(method).uri(format!("http://apus{path}"));
        let request = request.body(Full::new(body.into())).unwrap();
        let (head, body) = self.0.clone().send_request(request).await.unwrap().into_parts();
        Answer { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }
}

/// The line of the log that tells of a request; waits until it is there.
fn line_of(apus: &Apus, request: &str) -> Value {
    let begun = Instant::now();
    loop {
        let log = apus.log();
        if let Some(line) =
            log.iter().find(|line| line.contains(request) && line.contains("\"response completed"))
        {
            return serde_json::from_str(line).unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{request} is not in the log: {log:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Images come and go over HTTP/2 as over HTTP/1.1, many at once on one connection, into a real Swift.
#[tokio::test(flavor = "multi_thread")]
async fn both_protocols_over_swift() {
    for backend in [Backend::filesystem(), Backend::swift_v1()] {
        let apus = Apus::start_with(backend.storage(), "  h2c: {enabled: true}");
        let client = Http2::connect(&apus).await;
        let pushes = (0..12).map(|number: usize| {
            let client = client.clone();
            async move {
                let content = random(1 + number * 400_000);
                let digest = digest(&content);
                let begun = client.request(Method::POST, "/v2/a/blobs/uploads/", "").await.expect(202);
                let (first, second) = (content.slice(..number), content.slice(number..));
                let patched = client.request(Method::PATCH, &begun.location(), first).await.expect(202);
                let last = with_digest(&patched.location(), &digest);
                client.request(Method::PUT, &last, second).await.expect(201);
                let path = format!("/v2/a/blobs/{digest}");
                assert!(client.request(Method::GET, &path, "").await.expect(200).body == content);
                let head = client.request(Method::HEAD, &path, "").await.expect(200);
                assert_eq!(head.header("content-length"), content.len().to_string());
                digest
            }
        });
        let blobs = futures_util::future::join_all(pushes).await;
        let manifest = apus.client().push_manifest("a", "latest", &blobs).await;
        let pulled = client.request(Method::GET, "/v2/a/manifests/latest", "").await.expect(200);
        assert_eq!((pulled.header("content-type"), digest(&pulled.body)), (OCI_IMAGE, manifest));
    }
}

/// Where URLs begin, and whom the log names, is told by the configuration and by the proxies that it trusts.
#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy() {
    let proxied = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "registry.example"),
        ("x-forwarded-for", "203.0.113.5, 198.51.100.7"),
    ];
    for (config, begins, client) in [
        ("", "/v2/a/", None),
        ("  relativeurls: true", "/v2/a/", None),
        ("  relativeurls: false", "https://registry.example/v2/a/", None),
        ("  relativeurls: false\n  host: https://fixed.example/", "https://fixed.example/v2/a/", None),
        ("  relativeurls: true\n  host: https://fixed.example/", "https://fixed.example/v2/a/", None),
        (
            "  relativeurls: false\n  trustedproxies: [127.0.0.0/8]",
            "https://registry.example/v2/a/",
            Some("198.51.100.7"),
        ),
        ("  relativeurls: false\n  trustedproxies: [10.0.0.0/8, '::1']", "http://127.0.0.1:", None),
    ] {
        let apus = Apus::start_with(Backend::memory().storage(), config);
        let answer =
            apus.client().request(Method::POST, "/v2/a/blobs/uploads/", &proxied, "").await.expect(202);
        assert!(answer.location().starts_with(begins), "{config}: {}", answer.location());
        let line = line_of(&apus, answer.header("x-request-id"));
        let remote = line["http.request.remoteaddr"].as_str().unwrap();
        match client {
            Some(client) => assert_eq!(remote, client),
            None => assert!(remote.starts_with("127.0.0.1:"), "{line}"),
        }
    }
}

/// A whole URL that was made from a request is one by which the upload goes on.
#[tokio::test(flavor = "multi_thread")]
async fn whole_urls_can_be_used() {
    let apus = Apus::start_with(Backend::memory().storage(), "  relativeurls: false");
    let client = apus.client();
    let begun = client.post("/v2/a/blobs/uploads/").await.expect(202).location();
    assert!(begun.starts_with(&format!("http://{}/v2/a/blobs/uploads/", apus.address())), "{begun}");
    let content = random(1000);
    let blob = digest(&content);
    let patched = client.patch(&begun, content.clone()).await.expect(202).location();
    let finished = client.put(&with_digest(&patched, &blob), "").await.expect(201).location();
    assert_eq!(finished, format!("http://{}/v2/a/blobs/{blob}", apus.address()));
    assert!(client.get(&finished).await.expect(200).body == content);
}

/// A head that nobody means is refused, over either protocol, and the next request is served.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_has_a_bound() {
    let apus = Apus::start_with(Backend::memory().storage(), "  h2c: {enabled: true}");
    let long = format!("/v2/?{}", "x".repeat(65_000));
    let large = "x".repeat(66_000);
    let client = apus.client();
    client.request(Method::GET, "/v2/", &[("authorization", &large)], "").await.expect(431);
    client.request(Method::GET, "/v2/", &[("authorization", &large[..60_000])], "").await.expect(200);
    let http2 = Http2::connect(&apus).await;
    http2.request(Method::GET, &format!("{long}{large}")[..65_400], "").await.expect(431);
    http2.request(Method::GET, "/v2/", "").await.expect(200);
}

/// The longest pages are those of the configuration.
#[tokio::test(flavor = "multi_thread")]
async fn pages_as_long_as_configured() {
    async fn page(client: Client, path: &str, key: &str) -> (usize, bool) {
        let answer = client.get(path).await.expect(200);
        let list: Value = serde_json::from_slice(&answer.body).unwrap();
        (list[key].as_array().unwrap().len(), !answer.header("link").is_empty())
    }
    let apus = Apus::start_with(Backend::memory().storage(), "catalog: {maxentries: 2}\ntags: {maxtags: 3}");
    let client = apus.client();
    for tag in ["a", "b", "c", "d"] {
        client.push_manifest(&format!("of-{tag}"), "x", &[]).await;
        client.push_manifest("all", tag, &[]).await;
    }
    assert_eq!(page(client, "/v2/_catalog", "repositories").await, (2, true));
    assert_eq!(page(client, "/v2/_catalog?n=100", "repositories").await, (2, true));
    assert_eq!(page(client, "/v2/all/tags/list", "tags").await, (3, true));
    assert_eq!(page(client, "/v2/all/tags/list?n=100&last=b", "tags").await, (2, false));
}

/// What a manifest names is looked for as far as the configuration says.
#[tokio::test(flavor = "multi_thread")]
async fn manifests_are_checked_as_configured() {
    let missing = |architecture: &str| {
        json!({ "mediaType": OCI_IMAGE, "digest": digest(architecture.as_bytes()), "size": 2,
                "platform": { "os": "linux", "architecture": architecture } })
    };
    let image = json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "layers": [missing("amd64")] });
    let index = |architectures: &[&str]| {
        let manifests: Vec<Value> = architectures.iter().map(|architecture| missing(architecture)).collect();
        json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests })
    };
    for (config, [of_image, of_arm, of_both]) in [
        ("", [400, 400, 400]),
        ("validation: {disabled: true}", [201, 201, 201]),
        ("validation: {disabled: true, enabled: true}", [400, 400, 400]),
        ("validation: {manifests: {indexes: {platforms: none}}}", [400, 201, 201]),
        (
            "validation: {manifests: {indexes: {platforms: list, platformlist: [{os: linux, architecture: amd64}]}}}",
            [400, 201, 400],
        ),
    ] {
        let apus = Apus::start_with(Backend::memory().storage(), config);
        for (manifest, media_type, status) in [
            (&image, OCI_IMAGE, of_image),
            (&index(&["arm64"]), OCI_INDEX, of_arm),
            (&index(&["arm64", "amd64"]), OCI_INDEX, of_both),
        ] {
            let headers = [("content-type", media_type)];
            let answer =
                apus.client().request(Method::PUT, "/v2/a/manifests/x", &headers, manifest.to_string()).await;
            assert_eq!(answer.status.as_u16(), status, "{config}\n{manifest}");
        }
    }
}

/// Whoever begins an upload is told the least size of a chunk where storage has one: Swift does, a directory does not.
#[tokio::test(flavor = "multi_thread")]
async fn the_least_size_of_a_chunk() {
    let fake = FakeSwift::start(Options::default()).await.unwrap();
    for (backend, has_one) in [(Backend::fake_v1(&fake), true), (Backend::filesystem(), false)] {
        let apus = Apus::start(backend.storage());
        let begun = apus.client().post("/v2/a/blobs/uploads/").await.expect(202);
        let least = begun.header("oci-chunk-min-length");
        assert_eq!(least.parse::<u64>().is_ok_and(|least| least > 0), has_one, "{}: {least:?}", backend.name);
    }
}
