//! Connections: TCP, a proxy's tunnel and TLS under one time-out, and errors that say which of them failed.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use crate::body::BoxError;
use crate::error::{Error, Stage, find};
use crate::proxy::Routes;
use crate::reach::{JudgingResolver, OutOfReach, Reach};

/// A connection to a peer, or to a proxy.
type Direct = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Makes connections for the pool.
#[derive(Clone)]
pub(crate) struct Connector {
    direct: HttpsConnector<HttpConnector<JudgingResolver>>,
    to_proxy: HttpsConnector<HttpConnector<JudgingResolver>>,
    reach: Reach,
    tls: Arc<rustls::ClientConfig>,
    routes: Arc<Routes>,
    limit: Duration,
}

impl Connector {
    pub(crate) fn new(tls: rustls::ClientConfig, routes: Arc<Routes>, reach: Reach, limit: Duration) -> Self {
        let tls = Arc::new(tls);
        let connector = |reach| {
            let mut tcp = HttpConnector::new_with_resolver(JudgingResolver::new(reach));
            tcp.enforce_http(false);
            tcp.set_nodelay(true);
            tcp.set_connect_timeout(Some(limit));
            HttpsConnector::from((tcp, Arc::clone(&tls)))
        };
        let (direct, to_proxy) = (connector(reach.clone()), connector(Reach::default()));
        Self { direct, to_proxy, reach, tls, routes, limit }
    }

    /// The way to the peer, as far as it can be told without a time-out.
    async fn connect(mut self, to: Uri) -> Result<Link, ConnectFailure> {
        self.reach.judge_literal(&to).map_err(|refused| ConnectFailure::new(refused.into(), None))?;
        let Some(proxy) = self.routes.proxy(&to) else {
            let stream = self.direct.call(to).await.map_err(|error| ConnectFailure::new(error, None))?;
            return Ok(Link { stream: stream.into(), forwarded: false });
        };
        let failed = |error| ConnectFailure::new(error, Some(&proxy));
        if to.scheme_str() == Some("https") {
            let mut tunnel = Tunnel::new(proxy.uri().clone(), self.to_proxy);
            if let Some(authorization) = proxy.basic_auth() {
                tunnel = tunnel.with_auth(authorization.clone());
            }
            let stream = HttpsConnector::from((tunnel, self.tls)).call(to).await.map_err(failed)?;
            Ok(Link { stream, forwarded: false })
        } else {
            let stream = self.to_proxy.call(proxy.uri().clone()).await.map_err(failed)?;
            Ok(Link { stream: stream.into(), forwarded: true })
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Link;
    type Error = ConnectFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Link, ConnectFailure>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), ConnectFailure>> {
        // All of the connectors inside always are.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let limit = self.limit;
        let connecting = self.clone().connect(to);
        Box::pin(async move {
            tokio::time::timeout(limit, connecting).await.unwrap_or(Err(ConnectFailure::Timeout(limit)))
        })
    }
}

/// A connection as the pool has it: the inner TLS is that with a peer or with a proxy, the outer one that with a peer
/// behind a proxy.
pub(crate) struct Link {
    stream: MaybeHttpsStream<Direct>,
    /// It ends at a proxy that reads each request, and so has to learn from it which peer is meant (RFC 9112 section 3.2.2).
    forwarded: bool,
}

impl Connection for Link {
    fn connected(&self) -> Connected {
        self.stream.connected().proxy(self.forwarded)
    }
}

impl Read for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl Write for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Why there is no connection. Cloned out of the pool's own error, which only lends it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ConnectFailure {
    #[error("no connection in time")]
    Timeout(Duration),
    #[error("no connection")]
    Failed {
        /// The address of the proxy that was on the way.
        proxy: Option<String>,
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
}

impl ConnectFailure {
    fn new(error: BoxError, proxy: Option<&Intercept>) -> Self {
        let proxy = proxy.and_then(|proxy| proxy.uri().authority()).map(ToString::to_string);
        Self::Failed { proxy, source: Arc::from(error) }
    }

    /// The error for the caller, with the address that was tried.
    pub(crate) fn into_error(self, to: String) -> Error {
        match self {
            Self::Timeout(after) => Error::Timeout { stage: Stage::Connect, after },
            Self::Failed { proxy, source } => {
                let to = match proxy {
                    Some(proxy) => format!("{to} through the proxy {proxy}"),
                    None => to,
                };
                if let Some(refused) = find::<OutOfReach>(&*source) {
                    return Error::OutOfReach { to, address: refused.address };
                }
                let tls = find::<rustls::Error>(&*source).is_some();
                let source = Box::new(Shared(source));
                if tls { Error::Tls { to, source } } else { Error::Connect { to, source } }
            }
        }
    }
}

/// An error that has several owners, as an error.
#[derive(Debug)]
struct Shared(Arc<dyn std::error::Error + Send + Sync>);

impl std::fmt::Display for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
