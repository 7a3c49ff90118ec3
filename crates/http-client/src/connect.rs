//! Connections: TCP and TLS under one time-out, and errors that say which of the two failed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use crate::body::BoxError;
use crate::error::{Error, Stage, find};

/// Makes connections for the pool.
#[derive(Clone)]
pub(crate) struct Connector {
    inner: HttpsConnector<HttpConnector>,
    limit: Duration,
}

impl Connector {
    pub(crate) fn new(tls: rustls::ClientConfig, limit: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limit));
        Self { inner: HttpsConnector::from((tcp, tls)), limit }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = ConnectFailure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(ConnectFailure::from)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.inner.call(to);
        let limit = self.limit;
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected.map_err(ConnectFailure::from),
                Err(_) => Err(ConnectFailure::Timeout(limit)),
            }
        })
    }
}

/// Why there is no connection. Cloned out of the pool's own error, which only lends it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum ConnectFailure {
    #[error("no connection in time")]
    Timeout(Duration),
    #[error("no connection")]
    Failed(#[source] Arc<dyn std::error::Error + Send + Sync>),
}

impl From<BoxError> for ConnectFailure {
    fn from(error: BoxError) -> Self {
        Self::Failed(Arc::from(error))
    }
}

impl ConnectFailure {
    /// The error for the caller, with the address that was tried.
    pub(crate) fn into_error(self, to: String) -> Error {
        match self {
            Self::Timeout(after) => Error::Timeout { stage: Stage::Connect, after },
            Self::Failed(source) => {
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
