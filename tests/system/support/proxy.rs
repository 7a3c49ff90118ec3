//! A load balancer as operators put one before several replicas, at its most unkind: each request goes to another replica than
//! the one before it, also of one connection.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::Client;
use super::client::{BoxError, RequestBody, full};

/// How many replicas it has.
pub(crate) const REPLICAS: usize = 2;

/// A running proxy; it ends with the test.
pub(crate) struct RoundRobin {
    address: SocketAddr,
    turns: Arc<Turns>,
    accepting: JoinHandle<()>,
}

struct Turns {
    replicas: Mutex<[SocketAddr; REPLICAS]>,
    taken: AtomicUsize,
}

impl RoundRobin {
    pub(crate) async fn start(replicas: [SocketAddr; REPLICAS]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let turns = Arc::new(Turns { replicas: Mutex::new(replicas), taken: AtomicUsize::new(0) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&turns)));
        Self { address, turns, accepting }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client of all replicas.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Where a replica listens from now on.
    pub(crate) fn moved(&self, replica: usize, address: SocketAddr) {
        self.turns.replicas.lock().unwrap()[replica] = address;
    }

    /// Which replica gets the next request.
    pub(crate) fn next(&self) -> usize {
        self.turns.taken.load(Ordering::SeqCst) % REPLICAS
    }

    /// How many requests there have been.
    pub(crate) fn requests(&self) -> usize {
        self.turns.taken.load(Ordering::SeqCst)
    }
}

impl Drop for RoundRobin {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Turns {
    fn take(&self) -> SocketAddr {
        let turn = self.taken.fetch_add(1, Ordering::SeqCst);
        self.replicas.lock().unwrap()[turn % REPLICAS]
    }
}

async fn accept(listener: TcpListener, turns: Arc<Turns>) {
    while let Ok((stream, _)) = listener.accept().await {
        let turns = Arc::clone(&turns);
        let service = service_fn(move |request| {
            let replica = turns.take();
            async move {
                Ok::<_, BoxError>(pass_on(replica, request).await.unwrap_or_else(|error| bad_gateway(&error)))
            }
        });
        // A client that breaks off is the test's own.
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

/// Sends a request to a replica as it came, by a connection of its own, and the answer back as it comes.
async fn pass_on(replica: SocketAddr, request: Request<Incoming>) -> Result<Response<RequestBody>, BoxError> {
    let stream = TcpStream::connect(replica).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    Ok(answer.map(|body| body.map_err(BoxError::from).boxed()))
}

fn bad_gateway(error: &BoxError) -> Response<RequestBody> {
    let mut answer = Response::new(full(error.to_string()));
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    answer
}
