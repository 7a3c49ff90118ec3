//! What can go wrong between this registry and another one. What is shared by many who wait can be cloned, and so holds its
//! causes as text: names of hosts and statuses, never a URL's query, for that may be signed.

use std::time::Duration;

/// The result of an operation of the cache.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the cache cannot do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The registry itself has something to say.
    #[error(transparent)]
    Registry(#[from] std::sync::Arc<apus_registry::Error>),
    /// The other registry.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// `?ns=` names a registry that is not configured.
    #[error("this cache does not serve the registry {ns:?}")]
    NotServed {
        /// What was given, cut short.
        ns: String,
    },
}

impl From<apus_registry::Error> for Error {
    fn from(error: apus_registry::Error) -> Self {
        Self::Registry(std::sync::Arc::new(error))
    }
}

/// Another registry did not give what it was asked for.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{upstream}: {message}")]
pub struct UpstreamError {
    /// Host and port of the registry.
    pub upstream: String,
    /// What sort of failure it is.
    pub kind: UpstreamErrorKind,
    /// What happened, and what to do about it.
    pub message: String,
}

/// What sort of failure it is: what a caller can decide upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpstreamErrorKind {
    /// It says that it does not have it.
    NotFound,
    /// It says that we may not, or wants credentials that it is not given.
    Denied,
    /// It wants us to come less often.
    TooManyRequests {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// It cannot be reached, or cannot answer now: the truth is unknown.
    Unavailable,
    /// It sent what cannot be right: another content than its digest says, or no registry's answer.
    Wrong,
}

impl UpstreamErrorKind {
    /// Whether nobody knows what the answer would be: what is here may be served instead.
    #[must_use]
    pub fn leaves_it_open(self) -> bool {
        matches!(self, Self::TooManyRequests { .. } | Self::Unavailable)
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
