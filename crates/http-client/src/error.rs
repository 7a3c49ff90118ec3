//! What can go wrong between a request and the last byte of its answer. An answer of any status is no error.

use std::time::Duration;

use crate::body::{BoxError, RequestBody};

/// A request that got no answer.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Failure {
    /// Why.
    #[source]
    pub error: Error,
    /// The body, when nothing of it was read: the request can be sent again.
    pub unsent: Option<RequestBody>,
}

/// Why a request or the reading of its answer failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be made: a file is missing, a proxy's URL is none.
    #[error("cannot use {what}")]
    Settings {
        /// Which of its options.
        what: String,
        /// Why.
        source: BoxError,
    },
    /// No connection could be made: the name does not resolve, nobody listens, or a proxy on the way refused.
    #[error("cannot connect to {to}")]
    Connect {
        /// Host and port, and the proxy on the way.
        to: String,
        /// Why.
        source: BoxError,
    },
    /// All addresses of the host are such as the client may not connect to ([`Reach`](crate::Reach)).
    #[error("{to} lies at {address}, where this client may not go")]
    OutOfReach {
        /// Host and port.
        to: String,
        /// One of the addresses.
        address: std::net::IpAddr,
    },
    /// There is a connection, but no TLS over it: an unknown certificate, no common version.
    #[error("no TLS with {to}")]
    Tls {
        /// Host and port, and the proxy on the way.
        to: String,
        /// Why.
        source: BoxError,
    },
    /// The peer, or the body that was given, kept us waiting for too long.
    #[error("gave up after {} s of {stage}", after.as_secs_f32())]
    Timeout {
        /// What was waited for.
        stage: Stage,
        /// The limit that was passed.
        after: Duration,
    },
    /// The connection broke, or the peer spoke no HTTP.
    #[error("the connection broke")]
    Broken {
        /// Why.
        source: BoxError,
    },
    /// The request body that the caller gave ended in this error. The connection was closed in mid-request.
    #[error("the body of the request failed")]
    Body {
        /// The body's own error.
        source: BoxError,
    },
    /// The body of the answer is longer than the caller wanted.
    #[error("the answer is longer than {limit} bytes")]
    TooLong {
        /// Bytes that were wanted at most.
        limit: usize,
    },
    /// The request cannot be sent by anyone: its URL has no host, for instance.
    #[error("not a request that can be sent")]
    Request {
        /// Why.
        source: BoxError,
    },
}

/// What was waited for when a time-out struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// One of the requests under way to end, so that this one may begin ([`Options::max_requests`](crate::Options)).
    Permit,
    /// A connection, TLS included.
    Connect,
    /// The peer to take more of the request's body.
    SendBody,
    /// The caller's stream to give more of the request's body.
    CallerBody,
    /// The head of the answer, with the request sent.
    Answer,
    /// More of the answer's body.
    ReadBody,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Permit => "waiting for other requests to end",
            Self::Connect => "connecting",
            Self::SendBody => "waiting for the peer to take the request",
            Self::CallerBody => "waiting for the content to send",
            Self::Answer => "waiting for the answer",
            Self::ReadBody => "waiting for more of the answer",
        })
    }
}

/// The first error of type `E` on the way from an error to its root, also through the layers that
/// [`std::io::Error`] hides from [`source`](std::error::Error::source).
pub(crate) fn find<'a, E: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}
