//! A registry that plays a script, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use apus_registry::{Algorithm, Digest};
use apus_storage::BoxError;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, Method, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(crate) type Answer = Response<BoxBody<Bytes, BoxError>>;

/// What it was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn is(&self, method: &Method, end: &str) -> bool {
        self.method == *method && self.path.ends_with(end)
    }

    /// Where a `Range` begins.
    pub(crate) fn offset(&self) -> usize {
        let range = self.header("range");
        range.strip_prefix("bytes=").map_or(0, |range| range.trim_end_matches('-').parse().unwrap())
    }
}

pub(crate) struct Upstream {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    script: Arc<Mutex<Script>>,
    accepting: JoinHandle<()>,
}

type Script = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

impl Upstream {
    pub(crate) async fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1", script).await
    }

    /// On another address of this machine, and so another host.
    pub(crate) async fn start_at(
        host: &str,
        script: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(Arc::new(script)));
        let accepting = tokio::spawn({
            let (asked, script) = (Arc::clone(&asked), Arc::clone(&script));
            async move {
                while let Ok((socket, _)) = listener.accept().await {
                    let (asked, script) = (Arc::clone(&asked), Arc::clone(&script));
                    let service = service_fn(move |request: Request<Incoming>| {
                        let (head, _) = request.into_parts();
                        let path = head.uri.path_and_query().unwrap().to_string();
                        let question = Asked { method: head.method, path, headers: head.headers };
                        asked.lock().unwrap().push(question.clone());
                        let script = Arc::clone(&script.lock().unwrap());
                        let answer = script(&question);
                        async move { Ok::<_, BoxError>(answer) }
                    });
                    // A connection that breaks is the script's own.
                    tokio::spawn(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(TokioIo::new(socket), service),
                    );
                }
            }
        });
        Self { address, asked, script, accepting }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn now_plays(&self, script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) {
        *self.script.lock().unwrap() = Arc::new(script);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What it was asked since the last time, such as `GET /v2/`.
    pub(crate) fn take(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

pub(crate) fn digest(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

pub(crate) fn status(status: u16) -> Answer {
    with(status, &[], Bytes::new())
}

pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(Full::new(body.into()).map_err(BoxError::from).boxed()).unwrap()
}

/// A blob as a registry sends it, also a part of it.
pub(crate) fn blob(asked: &Asked, content: &Bytes) -> Answer {
    let (offset, size) = (asked.offset(), content.len());
    if asked.method == Method::HEAD {
        return with(200, &[("content-length", &size.to_string())], Bytes::new());
    }
    let range = format!("bytes {offset}-{}/{size}", size - 1);
    let headers: &[(&str, &str)] = if offset > 0 { &[("content-range", &range)] } else { &[] };
    with(if offset > 0 { 206 } else { 200 }, headers, content.slice(offset..))
}

/// A body of `size` bytes that comes in pieces, or breaks.
pub(crate) fn streamed(
    size: usize,
    pieces: impl Stream<Item = Result<Bytes, BoxError>> + Send + Sync + 'static,
) -> Answer {
    let body = StreamBody::new(pieces.map(|piece| piece.map(Frame::data)));
    Response::builder().header("content-length", size).body(BodyExt::boxed(body)).unwrap()
}

/// A body that breaks off after `sent` bytes.
pub(crate) fn cut(content: &Bytes, from: usize, sent: usize) -> Answer {
    let pieces = [Ok(content.slice(from..from + sent)), Err("cut".into())];
    let broken = stream::iter(pieces).then(|piece| async move {
        if piece.is_err() {
            // What was sent is to arrive before the connection breaks.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        piece
    });
    let mut answer = streamed(content.len() - from, broken.boxed().into_sync());
    if from > 0 {
        *answer.status_mut() = http::StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {from}-{}/{}", content.len() - 1, content.len());
        answer.headers_mut().insert("content-range", range.parse().unwrap());
    }
    answer
}

/// A manifest as a registry sends it.
pub(crate) fn manifest(content: &str) -> Answer {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let digest = digest(content.as_bytes()).to_string();
    with(200, &[("content-type", media_type), ("docker-content-digest", &digest)], content.to_owned())
}

/// The manifest of an image without layers, unlike others.
pub(crate) fn image(number: u32) -> String {
    let config = digest(b"{}");
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[],"annotations":{{"n":"{number}"}}}}"#
    )
}

/// Makes a stream that only one task looks at one that several may hold.
pub(crate) trait IntoSync: Sized {
    fn into_sync(self) -> SyncStream<Self> {
        SyncStream(Mutex::new(self))
    }
}

impl<S: Stream> IntoSync for S {}

pub(crate) struct SyncStream<S>(Mutex<S>);

impl<S: Stream + Unpin> Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.get_mut().0.get_mut().unwrap().poll_next_unpin(context)
    }
}
