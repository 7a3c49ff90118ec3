//! A client that sends exactly the request that a test wants, and shows the whole answer.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderName, LOCATION};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::content::digest;

/// A client of one Apus. Each request has its own connection.
#[derive(Clone, Copy)]
pub(crate) struct Client {
    address: SocketAddr,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header as text; empty when it is absent.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The path and query of `Location`.
    pub(crate) fn location(&self) -> String {
        self.header(LOCATION.as_str()).to_owned()
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> String {
        let errors: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        errors["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Fails the test unless the answer has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(2000)]).into_owned();
        assert_eq!(self.status.as_u16(), status, "{:?}\n{text}", self.headers);
        self
    }
}

/// A body that is no error to send.
pub(crate) type RequestBody = BoxBody<Bytes, BoxError>;

/// Any error.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body of bytes.
pub(crate) fn full(bytes: impl Into<Bytes>) -> RequestBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed()
}

/// A body whose pieces come one by one, its length unknown unless the request has a `Content-Length`.
pub(crate) fn streamed(pieces: impl Stream<Item = Bytes> + Send + Sync + 'static) -> RequestBody {
    BodyExt::boxed(StreamBody::new(pieces.map(|piece| Ok(Frame::data(piece)))))
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Whom it asks.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// One request. An error is one of the connection.
    pub(crate) async fn try_send(&self, request: Request<RequestBody>) -> Result<Answer, BoxError> {
        let (head, body) = self.try_open(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// One request, and the head of its answer: the body is still to come, at the pace at which it is read.
    pub(crate) async fn try_open(
        &self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, BoxError> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the answer, for the only sender goes away here.
        tokio::spawn(connection);
        Ok(sender.send_request(request).await?)
    }

    /// One request.
    pub(crate) async fn send(&self, request: Request<RequestBody>) -> Answer {
        self.try_send(request).await.unwrap()
    }

    /// A request of this method, path and body, with headers. Who is told to GET it elsewhere does, as all clients do.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let body = body.into();
        let mut headers = headers.to_vec();
        if body.is_empty() && (method == Method::PUT || method == Method::POST || method == Method::PATCH) {
            headers.push(("content-length", "0"));
        }
        let answer = self.try_request(method.clone(), path, &headers, full(body)).await.unwrap();
        if method == Method::GET && answer.status == StatusCode::TEMPORARY_REDIRECT {
            let mut followed = follow(&answer, &headers).await;
            // This is said on the way, and nowhere else.
            let digest = HeaderName::from_static("docker-content-digest");
            let told = answer.headers.get(&digest).cloned();
            followed.headers.extend(told.map(|told| (digest, told)));
            return followed;
        }
        answer
    }

    /// A GET, and the answer as it is, though it may send elsewhere.
    pub(crate) async fn get_here(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.try_request(Method::GET, path, headers, full("")).await.unwrap()
    }

    /// The same with any body. An error is one of the connection.
    pub(crate) async fn try_request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: RequestBody,
    ) -> Result<Answer, BoxError> {
        let mut request =
            Request::builder().method(method).uri(path).header("host", self.address.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.try_send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path, &[], "").await
    }

    pub(crate) async fn head(&self, path: &str) -> Answer {
        self.request(Method::HEAD, path, &[], "").await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.request(Method::POST, path, &[], "").await
    }

    pub(crate) async fn patch(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.request(Method::PATCH, path, &[(CONTENT_TYPE.as_str(), "application/octet-stream")], body).await
    }

    pub(crate) async fn put(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.request(Method::PUT, path, &[(CONTENT_TYPE.as_str(), "application/octet-stream")], body).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path, &[], "").await
    }

    /// Pushes a blob by POST and PUT, as containerd does. Answers its digest.
    pub(crate) async fn push(&self, repository: &str, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let digest = digest(&content);
        let begun = self.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202);
        self.put(&with_digest(&begun.location(), &digest), content).await.expect(201);
        digest
    }

    /// Pushes a blob by POST, PATCH and PUT, as docker does. Answers its digest.
    pub(crate) async fn push_by_patch(&self, repository: &str, content: impl Into<Bytes>) -> String {
        let content = content.into();
        let digest = digest(&content);
        let begun = self.post(&format!("/v2/{repository}/blobs/uploads/")).await.expect(202);
        let patched = self.patch(&begun.location(), content).await.expect(202);
        self.put(&with_digest(&patched.location(), &digest), "").await.expect(201);
        digest
    }

    /// Puts an OCI image manifest that names these blobs as its layers. Answers its digest.
    pub(crate) async fn push_manifest(&self, repository: &str, reference: &str, layers: &[String]) -> String {
        const MEDIA_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
        let layers: Vec<_> = layers
            .iter()
            .map(|digest| serde_json::json!({ "mediaType": "application/octet-stream", "digest": digest, "size": 1 }))
            .collect();
        let manifest =
            serde_json::json!({ "schemaVersion": 2, "mediaType": MEDIA_TYPE, "layers": layers }).to_string();
        let path = format!("/v2/{repository}/manifests/{reference}");
        let answer =
            self.request(Method::PUT, &path, &[("content-type", MEDIA_TYPE)], manifest).await.expect(201);
        answer.header("docker-content-digest").to_owned()
    }
}

/// Asks where an answer sends, by its whole URL.
pub(crate) async fn follow(redirect: &Answer, headers: &[(&str, &str)]) -> Answer {
    let url: Uri = redirect.header(LOCATION.as_str()).parse().unwrap();
    let authority = url.authority().unwrap().as_str();
    let address = tokio::net::lookup_host(authority).await.unwrap().find(SocketAddr::is_ipv4).unwrap();
    let path = url.path_and_query().unwrap().as_str();
    Client::new(address).get_here(path, headers).await
}

/// An upload's URL with the digest that finishes it.
pub(crate) fn with_digest(location: &str, digest: &str) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}digest={digest}")
}
