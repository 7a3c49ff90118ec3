//! A server, and a client that writes what a test wants.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use apus_registry::{Algorithm, Digest, Registry, RegistryOptions};
use apus_server::{App, AppOptions, ServeOptions, serve};
use apus_storage::MemoryStorage;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower::ServiceExt;

/// How long anything here may take.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// An application over memory.
pub(crate) fn app(options: AppOptions) -> App {
    app_over(Arc::new(MemoryStorage::new()), RegistryOptions::default(), options)
}

pub(crate) fn app_over(storage: Arc<MemoryStorage>, registry: RegistryOptions, options: AppOptions) -> App {
    App::new(Registry::new(storage, registry), options)
}

/// Asks an application without any connection.
pub(crate) async fn ask(
    app: &App,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Response<Bytes> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let (head, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes())
}

/// A header as text; empty when it is absent.
pub(crate) fn header<'a, B>(answer: &'a Response<B>, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

pub(crate) fn digest(content: &[u8]) -> String {
    Digest::of(Algorithm::Sha256, content).to_string()
}

/// Content that repeats nowhere soon.
pub(crate) fn content(length: usize) -> Bytes {
    let words = (0_u64..).flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    words.take(length).collect::<Vec<u8>>().into()
}

/// Pushes a blob. Answers its digest.
pub(crate) async fn push(app: &App, repository: &str, content: impl Into<Bytes>) -> String {
    let content = content.into();
    let digest = digest(&content);
    let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
    assert_eq!(ask(app, Method::POST, &path, &[], content).await.status(), 201);
    digest
}

/// Pushes a manifest. Answers its digest.
pub(crate) async fn push_manifest(
    app: &App,
    path: &str,
    media_type: &str,
    manifest: impl Into<Bytes>,
) -> String {
    let answer = ask(app, Method::PUT, path, &[("content-type", media_type)], manifest).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    header(&answer, "docker-content-digest").to_owned()
}

/// A running server. It ends with the test.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    pub(crate) app: App,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<bool>,
}

impl Site {
    pub(crate) async fn start(options: ServeOptions) -> Self {
        Self::serving(app(AppOptions::default()), options).await
    }

    pub(crate) async fn serving(app: App, options: ServeOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served =
            tokio::spawn(serve(listener, app.clone(), options, async { stopped.await.unwrap_or(()) }));
        Self { address, app, stop: Some(stop), served }
    }

    pub(crate) async fn connect(&self) -> Socket {
        Socket::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// Asks it to end.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Whether all requests came to their end.
    pub(crate) async fn drained(self) -> bool {
        tokio::time::timeout(LIMIT, self.served).await.expect("it does not end").unwrap()
    }

    /// There is place for another connection.
    pub(crate) async fn has_place(&self) {
        let answer = self.connect().await.ask("GET /v2/ HTTP/1.1\r\nhost: a\r\n\r\n").await;
        assert_eq!(answer.status(), 200);
    }
}

/// A connection, byte by byte.
pub(crate) struct Socket<S = TcpStream>(BufReader<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends as much of this as the other side takes.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        // It may have closed its side.
        let _ = self.0.get_mut().write_all(bytes.as_ref()).await;
    }

    /// Sends this, then takes the next answer.
    pub(crate) async fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Response<Bytes> {
        self.send(bytes).await;
        self.answer().await
    }

    /// The next answer, with its content.
    pub(crate) async fn answer(&mut self) -> Response<Bytes> {
        let (head, ()) = self.head().await.into_parts();
        let length =
            head.headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        tokio::time::timeout(LIMIT, self.0.read_exact(&mut body)).await.expect("no content").unwrap();
        Response::from_parts(head, body.into())
    }

    /// The head of the next answer.
    pub(crate) async fn head(&mut self) -> Response<()> {
        let line = self.line().await;
        let status: u16 =
            line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line:?}")).parse().unwrap();
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await;
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
        }
        let mut answer = Response::builder().status(status).body(()).unwrap();
        *answer.headers_mut() = headers;
        answer
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        tokio::time::timeout(LIMIT, self.0.read_line(&mut line)).await.expect("no answer").unwrap();
        line.trim_end().to_owned()
    }

    /// Exactly so many bytes.
    pub(crate) async fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        tokio::time::timeout(LIMIT, self.0.read_exact(&mut bytes)).await.expect("nothing comes").unwrap();
        bytes
    }

    /// What still comes until the other side closes, or resets, the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // An error is a reset.
        let _ = tokio::time::timeout(LIMIT, self.0.read_to_end(&mut rest)).await.expect("it stays open");
        rest
    }

    /// Says that no more will be sent.
    pub(crate) async fn shut(&mut self) {
        self.0.get_mut().shutdown().await.unwrap();
    }
}
