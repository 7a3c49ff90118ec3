//! A registry without any connection, and one with.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use apus_http_client::Proxies;
use apus_legacy::LegacyRegistry;
use apus_storage::{ByteRange, Freshness, MemoryStorage, ObjectName, Storage, WriteMode, body};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::{Call, Content, Outgoing, TagRights, V1, V1Options};

pub(super) const TOP: &str = "4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce";
pub(super) const NEW: &str = "00000000000000000000000000000000000000000000000000000000000000aa";
pub(super) const DOCKER: &str =
    "docker/1.3.2 go/go1.3.3 git-commit/39fa2fa kernel/3.16.0-25-generic os/linux arch/amd64";

/// A copy of tests/data/docker-registry-0.x.
pub(super) async fn sample() -> Arc<MemoryStorage> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/docker-registry-0.x");
    let storage = Arc::new(MemoryStorage::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
                put(&storage, name, std::fs::read(&path).unwrap()).await;
            }
        }
    }
    storage
}

pub(super) async fn put(storage: &MemoryStorage, name: &str, content: impl Into<Vec<u8>>) {
    let name = ObjectName::parse(name).unwrap();
    storage.write(&name, content.into().into(), WriteMode::Replace).await.unwrap();
}

pub(super) async fn content(storage: &MemoryStorage, name: &str) -> Option<Bytes> {
    let name = ObjectName::parse(name).unwrap();
    let reader = storage.read(&name, ByteRange::Full, Freshness::Newest).await.unwrap()?;
    Some(body::collect(reader.stream, 1 << 26).await.unwrap())
}

pub(super) fn over(storage: &Arc<MemoryStorage>, options: V1Options) -> V1 {
    V1::new(LegacyRegistry::new(Arc::clone(storage) as _), options)
}

pub(super) fn outgoing() -> Outgoing {
    Outgoing::new(Proxies::default()).unwrap()
}

/// An answer with its content.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Told {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Status and content in one.
    pub(super) fn said(&self) -> (u16, &str) {
        (self.status, self.text())
    }

    pub(super) fn error(&self) -> (u16, String) {
        let value: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        (self.status, value["error"].as_str().unwrap_or_else(|| panic!("{value}")).to_owned())
    }
}

pub(super) fn call(method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Call {
    let body: Bytes = body.into();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    }
    Call {
        method,
        path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: map,
        host: Some("registry.example:5000".to_owned()),
        signed_in: false,
        tags: TagRights::all(),
        length: Some(body.len() as u64),
        body: body::once(body),
    }
}

pub(super) async fn answered(v1: &V1, call: Call) -> Told {
    let (head, body) = v1.answer(call).await.into_parts();
    let body = match body {
        Content::Empty => Bytes::new(),
        Content::Bytes(bytes) => bytes,
        Content::Stream(length, stream) => {
            let content = body::collect(stream, 1 << 26).await.unwrap();
            assert_eq!(content.len() as u64, length);
            content
        }
    };
    Told { status: head.status.as_u16(), headers: head.headers, body }
}

pub(super) async fn ask(
    v1: &V1,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Told {
    answered(v1, call(method, path, headers, body)).await
}

pub(super) async fn get(v1: &V1, path: &str) -> Told {
    ask(v1, Method::GET, path, &[], "").await
}

pub(super) async fn put_to(v1: &V1, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Told {
    ask(v1, Method::PUT, path, headers, body).await
}

pub(super) fn json_of(id: &str, parent: Option<&str>) -> String {
    let parent = parent.map_or_else(String::new, |parent| format!(r#""parent":"{parent}","#));
    format!(r#"{{"id":"{id}",{parent}"Size":5}}"#)
}

pub(super) fn checksum(json: &str, layer: &[u8]) -> String {
    let mut hash = Sha256::new();
    hash.update(json);
    hash.update(b"\n");
    hash.update(layer);
    format!("sha256:{}", data_encoding::HEXLOWER.encode(&hash.finalize()))
}

/// An image of one layer, from its description to its checksum.
pub(super) async fn push(
    v1: &V1,
    id: &str,
    parent: Option<&str>,
    layer: &'static str,
    headers: &[(&str, &str)],
) {
    let json = json_of(id, parent);
    assert_eq!(
        put_to(v1, &format!("/v1/images/{id}/json"), headers, json.clone()).await.said(),
        (200, "true")
    );
    assert_eq!(put_to(v1, &format!("/v1/images/{id}/layer"), headers, layer).await.said(), (200, "true"));
    let sum = checksum(&json, layer.as_bytes());
    let mut headers = headers.to_vec();
    headers.push(("x-docker-checksum-payload", &sum));
    assert_eq!(put_to(v1, &format!("/v1/images/{id}/checksum"), &headers, "").await.said(), (200, "true"));
}

type Body = UnsyncBoxBody<Bytes, apus_storage::BoxError>;

/// Serves over HTTP until the test ends.
pub(super) async fn serve<F, R>(answer: F) -> SocketAddr
where
    F: Fn(Method, String, HeaderMap) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let answer = answer.clone();
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let (head, _) = request.into_parts();
                let answer = answer(head.method, head.uri.to_string(), head.headers);
                async move { Ok::<_, std::convert::Infallible>(answer.await) }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
            );
        }
    });
    address
}

pub(super) fn full(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Full::new(body.into()).map_err(|never| match never {}).boxed_unsync()).unwrap()
}

/// A registry of version 1 that others can ask.
pub(super) async fn site(v1: V1) -> SocketAddr {
    serve(move |method, path, headers| {
        let v1 = v1.clone();
        async move {
            let mut asked = call(method, &path, &[], "");
            asked.headers = headers;
            let (head, content) = v1.answer(asked).await.into_parts();
            let body = match content {
                Content::Empty => Full::new(Bytes::new()).map_err(|never| match never {}).boxed_unsync(),
                Content::Bytes(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
                Content::Stream(length, stream) => {
                    let frames = futures_util::TryStreamExt::map_ok(stream, Frame::data);
                    let mut response = Response::from_parts(head, StreamBody::new(frames).boxed_unsync());
                    response.headers_mut().insert("content-length", length.into());
                    return response;
                }
            };
            Response::from_parts(head, body)
        }
    })
    .await
}
