//! One connection, from its first byte to its end: which protocol it speaks, how much a client may send ahead, and how long it
//! may keep us waiting. What is asked on it is [`App`](crate::App)'s matter.
//!
//! | room | what happens there |
//! |---|---|
//! | `secure` | the handshake of TLS, in which the protocol is chosen |
//! | `preface` | without TLS, the first bytes tell HTTP/2 from HTTP/1.1 |
//! | `replay` | bytes that were read to find that out are read once more |
//! | `stall` | a client that takes nothing breaks its connection |
//! | `streams` | the same for one stream of an HTTP/2 connection, and whether there are any |
//! | `linger` | the client comes to read its last answer |
//!
//! `speak` neither knows how the protocol was chosen nor what lies below.

mod linger;
mod preface;
mod replay;
mod secure;
mod stall;
mod streams;

use std::pin::pin;
use std::sync::Arc;

use apus_storage::BoxError;
use bytes::Bytes;
use http::Request;
use http::uri::Scheme;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use metrics::{counter, gauge};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::ServiceExt;

use crate::access_log::AccessLog;
use crate::answer::Answer;
use crate::budget::Budget;
use crate::connection::linger::Lingering;
use crate::connection::replay::Replayed;
use crate::connection::stall::Stalling;
use crate::connection::streams::{Streams, Watched};
use crate::drain::Draining;
use crate::listener::{Peer, Socket};
use crate::tls::Tls;
use crate::{CurrentApp, ServeOptions};

/// What a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// HTTP/1.1, and 1.0.
    Http1,
    /// HTTP/2.
    Http2,
}

/// Bytes of content that HTTP/1.1 reads ahead. Large enough to keep a fast connection busy, small enough for thousands of
/// connections.
const READ_BUFFER: usize = 256 << 10;

/// Requests at once on one HTTP/2 connection: the least that RFC 9113 recommends.
const STREAMS: u32 = 100;

/// Bytes that a client may send ahead of what is read, on one stream and on one connection of HTTP/2: 200 MB/s at a round trip
/// of 10 ms for one push, twice as much for several.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 4 << 20;

/// What RFC 9113 grants to any stream and connection; no server can grant less from the beginning.
const LEAST_WINDOW: u32 = 65_535;

/// Bytes in one frame of HTTP/2. Each is held whole.
const FRAME: u32 = 64 << 10;

/// Bytes of an answer that wait for one stream of HTTP/2 to be sent, beside the piece that comes next.
const SEND_BUFFER: usize = 128 << 10;

/// Counts a connection as open until it is dropped.
struct Open;

impl Open {
    fn count() -> Self {
        counter!("apus_connections_total").increment(1);
        gauge!("apus_connections").increment(1);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        gauge!("apus_connections").decrement(1);
    }
}

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Connections {
    app: CurrentApp,
    options: ServeOptions,
    windows: Budget,
}

impl Connections {
    pub(crate) fn new(app: CurrentApp, options: ServeOptions) -> Self {
        let windows = Budget::new(options.http2_windows);
        Self { app, options, windows }
    }

    /// Serves a connection until it ends, by itself or because it is asked to.
    pub(crate) async fn serve(
        self: Arc<Self>,
        socket: Socket,
        peer: Peer,
        draining: Draining,
    ) -> Result<(), BoxError> {
        let _open = Open::count();
        let stream = Stalling::new(Lingering::new(socket), self.options.stall_timeout);
        match &self.options.tls {
            Some(tls) => self.serve_secure(tls, stream, peer, draining).await,
            None => self.serve_plain(stream, peer, draining).await,
        }
    }

    async fn serve_secure(
        &self,
        tls: &Tls,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        mut draining: Draining,
    ) -> Result<(), BoxError> {
        let (protocol, stream) = tokio::select! {
            accepted = secure::accept(tls, stream) => accepted.inspect_err(|error| secure::tell(error, peer))?,
            () = draining.asked() => return Ok(()),
        };
        let service = AccessLog { app: self.app.clone(), peer, scheme: Scheme::HTTPS };
        Ok(self.speak(protocol, stream, service, draining).await?)
    }

    async fn serve_plain(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        mut draining: Draining,
    ) -> Result<(), BoxError> {
        let (protocol, read) = if self.options.http2 {
            let told = tokio::time::timeout(self.options.head_timeout, preface::read(&mut stream));
            tokio::select! {
                told = told => told??,
                () = draining.asked() => return Ok(()),
            }
        } else {
            (Protocol::Http1, Bytes::new())
        };
        let service = AccessLog { app: self.app.clone(), peer, scheme: Scheme::HTTP };
        Ok(self.speak(protocol, Replayed::new(read, stream), service, draining).await?)
    }

    async fn speak(
        &self,
        protocol: Protocol,
        io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        service: AccessLog,
        mut draining: Draining,
    ) -> hyper::Result<()> {
        match protocol {
            Protocol::Http1 => {
                let service = TowerToHyperService::new(service);
                let connection = self.http1().serve_connection(TokioIo::new(io), service);
                let mut connection = pin!(connection);
                tokio::select! {
                    ended = connection.as_mut() => return ended,
                    () = draining.asked() => connection.as_mut().graceful_shutdown(),
                }
                tokio::select! {
                    ended = connection => ended,
                    () = draining.over() => Ok(()),
                }
            }
            Protocol::Http2 => {
                let windows = self.windows.try_share(CONNECTION_WINDOW.into());
                let streams = Streams::new(self.options.stall_timeout);
                let watched = |answer: Answer| answer.map(Watched::new);
                let service = ServiceExt::<Request<Incoming>>::map_response(service, watched);
                let service = TowerToHyperService::new(service);
                let connection = self
                    .http2(streams.clone(), windows.is_some())
                    .serve_connection(TokioIo::new(io), service);
                let mut connection = pin!(connection);
                // Unlike HTTP/1.1, the protocol knows no time limit between two requests.
                let silence = self.options.head_timeout;
                tokio::select! {
                    ended = connection.as_mut() => return ended,
                    () = draining.asked() => connection.as_mut().graceful_shutdown(),
                    () = streams.none_for(silence) => connection.as_mut().graceful_shutdown(),
                }
                tokio::select! {
                    ended = connection => ended,
                    () = draining.over() => Ok(()),
                    // A client that takes no notice, or does not take the rest of its last answer.
                    () = streams.none_for(silence) => Ok(()),
                }
            }
        }
    }

    fn http1(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(self.options.head_timeout)
            .max_header_size(self.options.head_limit)
            .max_buf_size(READ_BUFFER.max(self.options.head_limit))
            // A client that has sent all and shut its side still wants its answer.
            .half_close(true);
        builder
    }

    /// hyper and h2 themselves bound what a client can do with streams that it resets, with frames that continue a head for
    /// ever, and with empty ones.
    fn http2(&self, streams: Streams, fast: bool) -> http2::Builder<Streams> {
        let (of_stream, of_connection) =
            if fast { (STREAM_WINDOW, CONNECTION_WINDOW) } else { (LEAST_WINDOW, LEAST_WINDOW) };
        let mut builder = http2::Builder::new(streams);
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(self.options.head_limit).unwrap_or(u32::MAX))
            .initial_stream_window_size(of_stream)
            .initial_connection_window_size(of_connection)
            .max_frame_size(FRAME)
            .max_send_buf_size(SEND_BUFFER)
            // A peer that is gone without a word is noticed within the time that it could have been silent.
            .keep_alive_interval(self.options.head_timeout / 2)
            .keep_alive_timeout(self.options.head_timeout / 2);
        builder
    }
}
