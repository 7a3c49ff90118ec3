//! Connections: accepting them, their time limits, and letting them end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::App;
use crate::access_log::AccessLog;
use crate::linger::Lingering;

/// What an operator can choose of connections.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// Connections at once; more wait to be accepted.
    pub connections: usize,
    /// How long a client may take for the head of a request, and stay silent between two.
    pub head_timeout: Duration,
    /// How long requests may go on after the shutdown was asked for; then their connections are broken.
    pub drain_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections: 4096,
            head_timeout: Duration::from_mins(1),
            drain_timeout: Duration::from_secs(30),
        }
    }
}

/// Bytes that are read ahead of a request's content, at most. Large enough to keep a fast connection busy, small enough
/// for thousands of connections.
const READ_BUFFER: usize = 256 << 10;

/// How long accepting pauses when the system has no descriptor left for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` ends, then lets the requests under way end, for as long as the drain lasts. Answers whether all
/// of them did.
pub async fn serve(
    listener: TcpListener,
    app: App,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> bool {
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(options.connections));
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            // The semaphore is never closed.
            let permit = Arc::clone(&connections).acquire_owned().await.ok();
            (listener.accept().await, permit)
        };
        let (stream, peer, permit) = tokio::select! {
            () = &mut shutdown => break,
            (accepted, permit) = accepted => match accepted {
                Ok((stream, peer)) => (stream, peer, permit),
                Err(error) => {
                    pause(&error).await;
                    continue;
                }
            },
        };
        let connection = connection(stream, peer, app.clone(), &options);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(%peer, error = %crate::answer::chain(&error), "connection ended");
            }
            drop(permit);
        });
    }
    drop(listener);
    let under_way = graceful.count();
    tracing::info!(connections = under_way, seconds = options.drain_timeout.as_secs(), "draining");
    let drained = tokio::time::timeout(options.drain_timeout, graceful.shutdown()).await.is_ok();
    if !drained {
        tracing::warn!("some requests did not end in time; their connections are broken");
    }
    drained
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    app: App,
    options: &ServeOptions,
) -> http1::Connection<TokioIo<Lingering>, TowerToHyperService<AccessLog<App>>> {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "answers may be delayed by Nagle's algorithm");
    }
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.head_timeout)
        .max_buf_size(READ_BUFFER)
        // A client that has sent all and shut its side still wants its answer.
        .half_close(true)
        .serve_connection(
            TokioIo::new(Lingering::new(stream)),
            TowerToHyperService::new(AccessLog { inner: app, peer }),
        )
}

async fn pause(error: &io::Error) {
    let of_one_connection = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    );
    if !of_one_connection {
        tracing::error!(%error, "cannot accept connections");
        tokio::time::sleep(ACCEPT_PAUSE).await;
    }
}
