//! What can go wrong between us and a Swift: which request, what it was answered, under which transaction, what to do.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use apus_http_client as http_client;
use apus_storage::{BoxError, ErrorKind, StorageError};

use crate::auth::AuthError;

/// The result of a request.
pub(crate) type Result<T, E = SwiftError> = std::result::Result<T, E>;

/// What helps where there is no TLS: most often the certificate is one that nobody here has vouched for.
pub(crate) const NO_TLS: &str = "give the file with the cloud's certificate authority (cacert, OS_CACERT), which is \
     believed in place of the machine's, or install the authority on this machine; and check that the URL is for https";

/// A request to a Swift that failed.
///
/// Its `Display` is one line without the causes.
pub struct SwiftError(Box<Inner>);

struct Inner {
    kind: SwiftErrorKind,
    request: String,
    finding: String,
    transaction: Option<String>,
    advice: Option<&'static str>,
    source: Option<BoxError>,
}

/// What sort of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SwiftErrorKind {
    /// The body that the caller gave ended in an error, which is the source. Nothing was stored.
    Body,
    /// Signing in failed for good, or the user may not do this. An operator must act.
    Denied,
    /// No answer, or one that says to come back later. Whether the request was done is unknown.
    Unavailable {
        /// How long the Swift asks to wait.
        retry_after: Option<Duration>,
    },
    /// Larger than the cluster takes.
    TooLarge,
    /// A quota or a disk is full.
    Full,
    /// A large object misses a segment, or what was stored is not what was sent.
    Damaged,
    /// An answer that no documentation foresees.
    Unexpected,
}

impl SwiftErrorKind {
    /// Unavailable without a hint when to come back.
    pub const UNAVAILABLE: Self = Self::Unavailable { retry_after: None };
}

impl SwiftError {
    /// A failure of `request`, such as `PUT container/object`, with what was found: one clause.
    pub(crate) fn new(kind: SwiftErrorKind, request: impl Into<String>, finding: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            request: request.into(),
            finding: finding.into(),
            transaction: None,
            advice: None,
            source: None,
        }))
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_transaction(mut self, transaction: Option<String>) -> Self {
        self.0.transaction = transaction;
        self
    }

    pub(crate) fn with_advice(mut self, advice: &'static str) -> Self {
        self.0.advice = Some(advice);
        self
    }

    /// The same failure, with what it means put before what was found.
    pub(crate) fn with_finding(mut self, meaning: &str) -> Self {
        self.0.finding = format!("{}; {meaning}", self.0.finding);
        self
    }

    /// The same failure for another who waits for the same, without the cause.
    pub(crate) fn for_another(&self) -> Self {
        let Inner { kind, request, finding, transaction, advice, .. } = &*self.0;
        let (kind, advice) = (*kind, *advice);
        let (request, finding, transaction) = (request.clone(), finding.clone(), transaction.clone());
        Self(Box::new(Inner { kind, request, finding, transaction, advice, source: None }))
    }

    /// A request that got no answer.
    pub(crate) fn unanswered(request: &str, error: http_client::Error) -> Self {
        use http_client::{Error, Stage};
        match error {
            Error::Body { source } => {
                Self::new(SwiftErrorKind::Body, request, "the content failed").with_source(source)
            }
            Error::Timeout { stage: Stage::CallerBody, .. } => {
                Self::new(SwiftErrorKind::Body, request, "the content stood still").with_source(error)
            }
            Error::Tls { .. } => Self::new(SwiftErrorKind::UNAVAILABLE, request, "no TLS")
                .with_source(error)
                .with_advice(NO_TLS),
            Error::Request { .. } => {
                Self::new(SwiftErrorKind::Unexpected, request, "it cannot be sent").with_source(error)
            }
            _ => Self::new(SwiftErrorKind::UNAVAILABLE, request, "no answer").with_source(error),
        }
    }

    /// A request that was not sent because signing in failed.
    pub(crate) fn not_signed_in(request: &str, error: Arc<AuthError>) -> Self {
        let advice = error.advice();
        Self::new(error.kind(), request, "not signed in").with_advice(advice).with_source(error)
    }

    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> SwiftErrorKind {
        self.0.kind
    }

    /// Swift's identifier of the transaction (`X-Trans-Id`), by which its operator finds it in the logs.
    #[must_use]
    pub fn transaction(&self) -> Option<&str> {
        self.0.transaction.as_deref()
    }

    /// What the reader can do about it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.advice
    }

    /// The same failure in the terms of the storage contract: of `operation` on `object`.
    #[must_use]
    pub fn into_storage(mut self, operation: &'static str, object: impl fmt::Display) -> StorageError {
        let kind = match self.0.kind {
            SwiftErrorKind::Body => {
                let source = self.0.source.take().unwrap_or_else(|| self.into());
                return StorageError::body(operation, object, source);
            }
            SwiftErrorKind::Denied => ErrorKind::Denied,
            SwiftErrorKind::Unavailable { retry_after } => ErrorKind::Unavailable { retry_after },
            SwiftErrorKind::TooLarge => ErrorKind::TooLarge,
            SwiftErrorKind::Full => ErrorKind::Full,
            SwiftErrorKind::Damaged => ErrorKind::Damaged,
            SwiftErrorKind::Unexpected => ErrorKind::Unexpected,
        };
        let mut error = StorageError::new(kind, operation, object);
        if let Some(transaction) = &self.0.transaction {
            error = error.with_request_id(transaction);
        }
        if let Some(advice) = self.0.advice {
            error = error.with_advice(advice);
        }
        error.with_source(self)
    }
}

impl fmt::Display for SwiftError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.0.request, self.0.finding)?;
        match &self.0.transaction {
            Some(transaction) => write!(formatter, " (transaction {transaction})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for SwiftError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SwiftError")
            .field("kind", &self.0.kind)
            .field("request", &self.0.request)
            .field("finding", &self.0.finding)
            .field("transaction", &self.0.transaction)
            .field("advice", &self.0.advice)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for SwiftError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}
