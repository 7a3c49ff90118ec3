//! Receivers for tests: small servers that keep what they are sent, and answer as they are told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use tokio::net::TcpListener;

use crate::event::Event;
use crate::{Action, Actor, EndpointOptions, EventsOptions, QueueOptions, Source, Target, TriggeringRequest};

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Answer = Arc<Mutex<Box<dyn Fn(&Received) -> Response<Full<Bytes>> + Send>>>;

/// A server on a free port.
#[derive(Clone)]
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    answer: Answer,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let answer: Answer = Arc::new(Mutex::new(Box::new(|_| status(200))));
        let endpoint = Self { address: listener.local_addr().unwrap(), received: Arc::default(), answer };
        let serving = endpoint.clone();
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let serving = serving.clone();
                let service = service_fn(move |request| serving.clone().serve(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
            }
        });
        endpoint
    }

    async fn serve(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = head.uri.to_string();
        let received = Received { method: head.method, path, headers: head.headers, body };
        let answer = (self.answer.lock().unwrap())(&received);
        self.received.lock().unwrap().push(received);
        Ok(answer)
    }

    /// From now on it answers so.
    pub(crate) fn answer(&self, with: impl Fn(&Received) -> Response<Full<Bytes>> + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(with);
    }

    /// What came until now.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until so many requests came.
    pub(crate) async fn until(&self, requests: usize) -> Vec<Received> {
        until(|| self.received().len() >= requests).await;
        self.received()
    }

    /// How it is configured.
    pub(crate) fn options(&self, path: &str) -> EndpointOptions {
        options(&format!("http://{}{path}", self.address))
    }
}

/// An endpoint of which nothing is said but its URL; it is tried again soon.
pub(crate) fn options(url: &str) -> EndpointOptions {
    EndpointOptions {
        name: "hook".to_owned(),
        url: SecretString::from(url),
        headers: HeaderMap::new(),
        timeout: Duration::from_secs(20),
        threshold: NonZeroU32::MIN,
        backoff: Duration::from_millis(1),
        ignored_media_types: Vec::new(),
        ignored_actions: Vec::new(),
    }
}

/// Events for these endpoints, in memory.
pub(crate) fn events_for(endpoints: Vec<EndpointOptions>) -> EventsOptions {
    EventsOptions {
        endpoints,
        queue: QueueOptions { directory: None, limit: 1 << 20 },
        include_references: false,
        source: Source::new("machine", Some(5000), "this process"),
    }
}

pub(crate) fn status(code: u16) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    answer
}

/// A pull of the manifest with this tag.
pub(crate) fn event(tag: &str) -> Event {
    let target = Target {
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        repository: "a/b".to_owned(),
        tag: tag.to_owned(),
        ..Target::default()
    };
    let request = TriggeringRequest { method: "GET".to_owned(), ..TriggeringRequest::default() };
    Event::now(Action::Pull, target, request, Actor::default())
}

/// The tags of the events that came, in their order.
pub(crate) fn tags(received: &[Received]) -> Vec<String> {
    let tag = |received: &Received| {
        let envelope: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
        envelope["events"][0]["target"]["tag"].as_str().unwrap().to_owned()
    };
    received.iter().map(tag).collect()
}

/// Waits until something holds.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it never comes to hold");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
