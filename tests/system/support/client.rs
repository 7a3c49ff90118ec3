//! A client that sends exactly the request that a test wants, and shows the whole answer.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::content::digest;

/// A client of one Apus. Each request has its own connection.
#[derive(Clone, Copy)]
pub struct Client {
    address: SocketAddr,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// A header as text; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The path and query of `Location`.
    pub fn location(&self) -> String {
        self.header(LOCATION.as_str()).to_owned()
    }

    /// The code of the first error.
    pub fn code(&self) -> String {
        let errors: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        errors["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Fails the test unless the answer has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(2000)]).into_owned();
        assert_eq!(self.status.as_u16(), status, "{:?}\n{text}", self.headers);
        self
    }
}

/// A body that is no error to send.
pub type RequestBody = BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// A body of bytes.
pub fn full(bytes: impl Into<Bytes>) -> RequestBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// One request. An error is one of the connection.
    pub async fn try_send(&self, request: Request<RequestBody>) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driving = tokio::spawn(connection);
        let answer = sender.send_request(request).await?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await?.to_bytes();
        driving.abort();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// One request.
    pub async fn send(&self, request: Request<RequestBody>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// A request of this method, path and body, with headers.
    pub async fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        let mut request = Request::builder().method(&method).uri(path).header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_empty() && (method == Method::PUT || method == Method::POST || method == Method::PATCH) {
            request = request.header("content-length", "0");
        }
        self.send(request.body(full(body)).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], "").await
    }

    pub async fn head(&self, path: &str) -> Answer {
        self.request(Method::HEAD, path, &[], "").await
    }

    pub async fn post(&self, path: &str) -> Answer {
        self.request(Method::POST, path, &[], "").await
    }

    pub async fn patch(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.request(Method::PATCH, path, &[(CONTENT_TYPE.as_str(), "application/octet-stream")], body).await
    }

    pub async fn put(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.request(Method::PUT, path, &[(CONTENT_TYPE.as_str(), "application/octet-stream")], body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path, &[], "").await
    }

    /// Pushes a blob by POST and PUT, as containerd does. Answers its digest.
    pub async fn push(&self, repository: &str, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let digest = digest(&content);
        let begun = self.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202);
        self.put(&with_digest(&begun.location(), &digest), content).await.expect(201);
        digest
    }

    /// Pushes a blob by POST, PATCH and PUT, as docker does. Answers its digest.
    pub async fn push_by_patch(&self, repository: &str, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let digest = digest(&content);
        let begun = self.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202);
        let patched = self.patch(&begun.location(), content).await.expect(202);
        self.put(&with_digest(&patched.location(), &digest), "").await.expect(201);
        digest
    }

    /// Puts an OCI image manifest that names these blobs as its layers. Answers its digest.
    pub async fn push_manifest(&self, repository: &str, reference: &str, layers: &[String]) -> String {
        const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
        let layers: Vec<_> = layers
            .iter()
            .map(|digest| serde_json::json!({ "mediaType": "application/octet-stream", "digest": digest, "size": 1 }))
            .collect();
        let manifest = serde_json::json!({ "schemaVersion": 2, "mediaType": MEDIA_TYPE, "layers": layers }).to_string();
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer = self.request(Method::PUT, &path, &[("content-type", MEDIA_TYPE)], manifest).await.expect(201);
        answer.header("docker-content-digest").to_owned()
    }
}

/// An upload's URL with the digest that finishes it.
pub fn with_digest(location: &str, digest: &str) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}digest={digest}")
}
