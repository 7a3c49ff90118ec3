//! What can go wrong in storage. "Not found" is not here: it is an answer, and comes as `None` or [`Outcome::Absent`].
//!
//! [`Outcome::Absent`]: crate::Outcome::Absent

use std::fmt;
use std::time::Duration;

use crate::BoxError;

/// The result of a storage operation.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// An operation on storage that failed: what was tried, on what, why, and what to do.
///
/// Its `Display` is one line without the cause; [`StorageError::report`] adds the causes, for a log.
pub struct StorageError(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    object: String,
    request_id: Option<String>,
    advice: Option<String>,
    source: Option<BoxError>,
}

/// What sort of failure it is: what a caller can decide upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The body that the caller gave ended in an error, or with other than the length it had promised. Nothing changed.
    /// The source is the body's own error.
    Body,
    /// The stage does not stand where the caller believed: another append came first, or it is gone. Nothing changed.
    StageMoved,
    /// This backend cannot hold an object of that name.
    InvalidName,
    /// Larger than this backend can hold.
    TooLarge,
    /// No room left: a quota or a full disk. Nothing was published.
    Full,
    /// The backend refuses the credentials or the rights that Apus has. An operator must act.
    Denied,
    /// The backend could not be reached or could not answer now: the truth is unknown. Trying again may help.
    Unavailable {
        /// How long the backend asks to wait.
        retry_after: Option<Duration>,
    },
    /// What is stored cannot be read back whole: a part is missing, or a record is not what Apus writes.
    Damaged,
    /// A record was written by a newer Apus, in a version that this one does not know.
    UnknownVersion,
    /// Anything else: most likely a defect of Apus or an answer that no documentation foresees.
    Unexpected,
}

impl ErrorKind {
    /// [`ErrorKind::Unavailable`] without a hint when to come back.
    pub const UNAVAILABLE: Self = Self::Unavailable { retry_after: None };

    fn text(self) -> &'static str {
        match self {
            Self::Body => "the content could not be taken to its end",
            Self::StageMoved => "the upload does not stand where the caller believed",
            Self::InvalidName => "this backend cannot hold an object of that name",
            Self::TooLarge => "it is too large for this backend",
            Self::Full => "there is no room left",
            Self::Denied => "the storage backend refuses access",
            Self::Unavailable { .. } => "the storage backend is unavailable",
            Self::Damaged => "what is stored is damaged",
            Self::UnknownVersion => "it was written by a newer version of Apus",
            Self::Unexpected => "the storage backend answered in an unexpected way",
        }
    }
}

impl StorageError {
    /// A failure of `operation` (one of the contract's, such as `write`) on `object` (a name, a stage, a container).
    #[must_use]
    pub fn new(kind: ErrorKind, operation: &'static str, object: impl fmt::Display) -> Self {
        Self(Box::new(Inner {
            kind,
            operation,
            object: object.to_string(),
            request_id: None,
            advice: None,
            source: None,
        }))
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds the identifier under which the backend knows the request (Swift's `X-Trans-Id`).
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.0.request_id = Some(request_id.into());
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.0.advice = Some(advice.into());
        self
    }

    /// The error of a body that failed, as it is.
    #[must_use]
    pub fn body(operation: &'static str, object: impl fmt::Display, source: BoxError) -> Self {
        Self::new(ErrorKind::Body, operation, object).with_source(source)
    }

    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The object, stage or container that it was about.
    #[must_use]
    pub fn object(&self) -> &str {
        &self.0.object
    }

    /// The backend's identifier of the request, where there is one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// What the reader can do about it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.advice.as_deref()
    }

    /// The cause, taken out: the body's own error for [`ErrorKind::Body`].
    #[must_use]
    pub fn into_source(self) -> Option<BoxError> {
        self.0.source
    }

    /// The error and all its causes on one line, for a log.
    #[must_use]
    pub fn report(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, operation, object, request_id, advice, .. } = &*self.0;
        write!(formatter, "{operation} {object}: {}", kind.text())?;
        if let Some(request_id) = request_id {
            write!(formatter, " (request {request_id})")?;
        }
        if let Some(advice) = advice {
            write!(formatter, "; {advice}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for StorageError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.report())
    }
}

impl std::error::Error for StorageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}
