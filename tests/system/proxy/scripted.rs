//! A registry that plays a script, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::client::{BoxError, RequestBody, full};

pub(super) type Answer = Response<RequestBody>;

/// What it was asked.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) range: String,
    pub(super) authorization: String,
}

pub(super) struct Scripted {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    accepting: JoinHandle<()>,
}

impl Scripted {
    pub(super) async fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1", script).await
    }

    /// On another address of this machine, and so another host.
    pub(super) async fn start_at(
        host: &str,
        script: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((host, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let accepting = tokio::spawn(accept(listener, Arc::clone(&asked), Arc::new(script)));
        Self { address, asked, accepting }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often a blob was asked for by GET.
    pub(super) fn blobs(&self) -> usize {
        let is_blob = |asked: &&Asked| asked.method == Method::GET && asked.path.contains("/blobs/");
        self.asked().iter().filter(is_blob).count()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    asked: Arc<Mutex<Vec<Asked>>>,
    script: Arc<impl Fn(&Asked) -> Answer + Send + Sync + 'static>,
) {
    while let Ok((socket, _)) = listener.accept().await {
        let (asked, script) = (Arc::clone(&asked), Arc::clone(&script));
        let service = service_fn(move |request: Request<Incoming>| {
            let text =
                |name| request.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            let question = Asked {
                method: request.method().clone(),
                path: request.uri().path_and_query().unwrap().to_string(),
                range: text("range"),
                authorization: text("authorization"),
            };
            asked.lock().unwrap().push(question.clone());
            let answer = script(&question);
            async move { Ok::<_, BoxError>(answer) }
        });
        // A connection that breaks is the script's own.
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
        );
    }
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(full(body)).unwrap()
}

/// A body of `size` bytes that comes in pieces, or breaks.
pub(super) fn streamed(
    size: usize,
    pieces: impl Stream<Item = Result<Bytes, BoxError>> + Send + Sync + 'static,
) -> Answer {
    let body = StreamBody::new(pieces.map(|piece| piece.map(Frame::data)));
    Response::builder().header("content-length", size).body(BodyExt::boxed(body)).unwrap()
}
