//! Somebody who is told what happens: a server that keeps the events that it is sent.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;

/// How long events may take to come.
const PATIENCE: Duration = Duration::from_mins(2);

/// An endpoint.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    status: Arc<AtomicU16>,
    accepting: tokio::task::AbortHandle,
}

/// An event, with the head of the request that brought it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) event: Value,
}

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// The same at a known address.
    pub(crate) async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU16::new(200)));
        let accepting = tokio::spawn({
            let (received, status) = (Arc::clone(&received), Arc::clone(&status));
            async move {
                loop {
                    let (socket, _) = listener.accept().await.unwrap();
                    let (received, status) = (Arc::clone(&received), Arc::clone(&status));
                    let service = service_fn(move |request| {
                        take(request, Arc::clone(&received), status.load(Ordering::Relaxed))
                    });
                    tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
                }
            }
        });
        Self { address, received, status, accepting: accepting.abort_handle() }
    }

    /// From now on it answers with this status.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    /// What came until now, in order, whatever was answered.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The events that came until now, in order: of those that came several times the first.
    pub(crate) fn events(&self) -> Vec<Value> {
        let mut ids = std::collections::HashSet::new();
        let events = self.received().into_iter().map(|received| received.event);
        events.filter(|event| ids.insert(event["id"].as_str().unwrap().to_owned())).collect()
    }

    /// Waits for so many events; fails when there are more.
    pub(crate) async fn until(&self, events: usize) -> Vec<Value> {
        let begun = Instant::now();
        while self.events().len() < events {
            let came = self.events();
            assert!(begun.elapsed() < PATIENCE, "{} of {events} events came: {came:#?}", came.len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let came = self.events();
        assert_eq!(came.len(), events, "{came:#?}");
        came
    }

    /// Waits until an event came of which this holds.
    pub(crate) async fn until_an_event(&self, holds: impl Fn(&Value) -> bool) {
        let begun = Instant::now();
        while !self.events().iter().any(&holds) {
            assert!(begun.elapsed() < PATIENCE, "it does not come: {:#?}", self.events());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until it was tried so often, whatever it answered.
    pub(crate) async fn until_tried(&self, times: usize) {
        let begun = Instant::now();
        while self.received().len() < times {
            assert!(begun.elapsed() < PATIENCE, "{} of {times} tries came", self.received().len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn take(
    request: Request<Incoming>,
    received: Arc<Mutex<Vec<Received>>>,
    status: u16,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let envelope: Value = serde_json::from_slice(&body).unwrap();
    let [event] = &envelope["events"].as_array().unwrap()[..] else { panic!("{envelope:#}") };
    let path = head.uri.to_string();
    received.lock().unwrap().push(Received { path, headers: head.headers, event: event.clone() });
    let mut answer = Response::new(Empty::new());
    *answer.status_mut() = status.try_into().unwrap();
    Ok(answer)
}
