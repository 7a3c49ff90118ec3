//! Accepting connections, and letting them end.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::answer::chain;
use crate::connection::Connections;
use crate::drain::Drain;
use crate::{CurrentApp, Listener, Tls};

/// What an operator can choose of connections.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// TLS; `None` to speak without.
    pub tls: Option<Tls>,
    /// Whether HTTP/2 is spoken without TLS beside HTTP/1.1, with clients that begin with it (prior knowledge, RFC 9113, section
    /// 3.3). With TLS, [`TlsOptions`](crate::TlsOptions) decides.
    pub http2: bool,
    /// Bytes of content that clients may send ahead over HTTP/2, on all connections together. A connection for which nothing is
    /// left gets the 64 KiB that the protocol grants anyone: it is slower, not refused.
    pub http2_windows: u64,
    /// How long a client may take for the head of a request, and stay silent between two.
    pub head_timeout: Duration,
    /// The largest head of a request, in bytes.
    pub head_limit: usize,
    /// How long a client may take nothing of an answer.
    pub stall_timeout: Duration,
    /// How long requests may go on after the shutdown was asked for; then their connections are broken.
    pub drain_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections: 4096,
            tls: None,
            http2: false,
            http2_windows: 256 << 20,
            head_timeout: Duration::from_mins(1),
            head_limit: 64 << 10,
            stall_timeout: Duration::from_mins(1),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// How long accepting pauses when the system has no descriptor left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` ends, then lets the requests under way end, for as long as the drain lasts. Answers whether all
/// of them did.
pub async fn serve(
    listener: impl Into<Listener>,
    app: impl Into<CurrentApp>,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> bool {
    let listener = listener.into();
    let mut following = JoinSet::new();
    if let Some(tls) = &options.tls {
        following.spawn(tls.clone().follow());
    }
    let (most, drain_timeout) = (options.connections, options.drain_timeout);
    let places = Arc::new(Semaphore::new(most));
    let drain = Drain::new();
    let connections = Arc::new(Connections::new(app.into(), options));
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        let (socket, peer, place) = tokio::select! {
            () = &mut shutdown => break,
            (accepted, place) = accepted => match accepted {
                Ok((socket, peer)) => (socket, peer, place),
                Err(error) => {
                    pause(&error).await;
                    continue;
                }
            },
        };
        let connection = Arc::clone(&connections).serve(socket, peer, drain.watched());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, error = %chain(&*error), "connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    let under_way = most - places.available_permits();
    tracing::info!(connections = under_way, seconds = drain_timeout.as_secs(), "draining");
    let drained = tokio::time::timeout(drain_timeout, drain.ended()).await.is_ok();
    if !drained {
        tracing::warn!("some requests did not end in time; their connections are broken");
    }
    drained
}

pub(crate) async fn pause(error: &io::Error) {
    let of_one_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !of_one_connection {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
