//! Errors as the OCI distribution specification tells them ("Error codes"), and which of them belongs to what went wrong.
//! What an answer says is for the client; causes, object names and request identifiers of storage are for the log.

use std::time::Duration;

use apus_registry::Error;
use apus_storage::{ErrorKind, StorageError};
use apus_v1::V1;
use bytes::Bytes;
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::{Answer, WithHeader, chain, content};
use crate::limits::TooMuch;
use crate::version_1;

/// Seconds that a client is asked to wait when nobody knows better.
const RETRY_AFTER: u64 = 5;
/// The same where an operator must act first.
pub(crate) const RETRY_AFTER_OPERATOR: u64 = 60;

/// A code of the specification, or of registry:2 where the specification has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "their meaning is in the specification's table of error codes")]
pub enum ErrorCode {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    PaginationNumberInvalid,
    SizeInvalid,
    TagInvalid,
    #[serde(rename = "TOOMANYREQUESTS")]
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unknown,
    Unsupported,
}

/// An error on its way to a client.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    errors: Vec<(ErrorCode, String, Value)>,
    retry_after: Option<u64>,
    challenge: Option<String>,
}

impl Failure {
    /// One error. Statuses that end by themselves ask the client to come again after a while.
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let retry_after = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_AFTER),
            StatusCode::INSUFFICIENT_STORAGE => Some(RETRY_AFTER_OPERATOR),
            _ => None,
        };
        Self { status, errors: vec![(code, message.into(), Value::Null)], retry_after, challenge: None }
    }

    pub(crate) fn detail(mut self, detail: Value) -> Self {
        if let Some(error) = self.errors.first_mut() {
            error.2 = detail;
        }
        self
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Tells the client how to sign in: what belongs to every 401 (RFC 9110, section 15.5.2).
    pub(crate) fn challenge(mut self, challenge: String) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// The answer that tells it.
    pub(crate) fn answer(self) -> Answer {
        let object = |(code, message, detail): &(ErrorCode, String, Value)| json!({ "code": code, "message": message, "detail": detail });
        let errors: Vec<Value> = self.errors.iter().map(object).collect();
        let body = Bytes::from(json!({ "errors": errors }).to_string() + "\n");
        let answer = content(self.status, "application/json", body);
        self.complete(answer)
    }

    /// The same in the form of version 1, which has one text for each error.
    pub(crate) fn answer_in_version_1(self) -> Answer {
        let text = self.errors.first().map(|(_, message, _)| message.as_str()).unwrap_or_default();
        let answer = version_1::answer(V1::refusal(self.status, text));
        self.complete(answer)
    }

    /// Adds what is the same in whichever form.
    fn complete(self, mut answer: Answer) -> Answer {
        if let Some(told) = self.errors.first().map(Told::of) {
            answer.extensions_mut().insert(told);
        }
        let answer = match self.retry_after {
            Some(seconds) => answer.with_header(header::RETRY_AFTER, seconds.to_string()),
            None => answer,
        };
        match self.challenge {
            Some(challenge) => answer.with_header(header::WWW_AUTHENTICATE, challenge),
            None => answer,
        }
    }
}

/// What a client was told, for the log; it stays with the answer. The first, where there were several errors.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    /// In registry:2's spelling, such as `manifest unknown`.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) detail: Option<String>,
}

impl Told {
    fn of((code, message, detail): &(ErrorCode, String, Value)) -> Self {
        let code = json!(code).as_str().unwrap_or_default().to_lowercase().replace('_', " ");
        let detail = match detail {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        Self { code, message: message.clone(), detail }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        use ErrorCode as Code;
        let message = error.to_string();
        let of = |status, code| Self::new(status, code, message.clone());
        match error {
            Error::NameInvalid { .. } => of(StatusCode::BAD_REQUEST, Code::NameInvalid),
            Error::TagInvalid { .. } => of(StatusCode::BAD_REQUEST, Code::TagInvalid),
            Error::DigestInvalid { .. } => of(StatusCode::BAD_REQUEST, Code::DigestInvalid),
            Error::DigestMismatch { expected, actual } => of(StatusCode::BAD_REQUEST, Code::DigestInvalid)
                .detail(json!({ "expected": expected.to_string(), "actual": actual.to_string() })),
            Error::ContentBroken(cause) => {
                of(StatusCode::BAD_REQUEST, Code::SizeInvalid).detail(json!(chain(&**cause)))
            }
            Error::BlobUnknown { digest, .. } => {
                of(StatusCode::NOT_FOUND, Code::BlobUnknown).detail(json!({ "digest": digest.to_string() }))
            }
            Error::UploadUnknown { .. } => of(StatusCode::NOT_FOUND, Code::BlobUploadUnknown),
            Error::ChunkOutOfOrder { position } => {
                of(StatusCode::RANGE_NOT_SATISFIABLE, Code::BlobUploadInvalid)
                    .detail(json!({ "offset": position.offset() }))
            }
            Error::ManifestUnknown { reference, .. } => of(StatusCode::NOT_FOUND, Code::ManifestUnknown)
                .detail(json!({ "reference": reference.to_string() })),
            Error::ManifestInvalid { .. } => of(StatusCode::BAD_REQUEST, Code::ManifestInvalid),
            Error::ManifestTooLarge { limit } => {
                of(StatusCode::PAYLOAD_TOO_LARGE, Code::ManifestInvalid).detail(json!({ "limit": limit }))
            }
            Error::ManifestReferencesUnknown { missing } => Self {
                status: StatusCode::BAD_REQUEST,
                errors: missing.iter().map(missing_reference).collect(),
                retry_after: None,
                challenge: None,
            },
            Error::TagKept { tag, .. } => {
                of(StatusCode::FORBIDDEN, Code::Denied).detail(json!({ "tag": tag.as_str() }))
            }
            Error::DeletesDisabled | Error::ReadOnly => of(StatusCode::METHOD_NOT_ALLOWED, Code::Unsupported),
            Error::RepositoryUnknown { repository } => {
                of(StatusCode::NOT_FOUND, Code::NameUnknown).detail(json!({ "name": repository.to_string() }))
            }
            Error::Storage(error) => of_storage(error),
            other => {
                tracing::error!(error = %chain(other), "an error that has no place in the protocol");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, "unknown error")
            }
        }
    }
}

impl From<TooMuch> for Failure {
    fn from(too_much: TooMuch) -> Self {
        let (message, wait) = match too_much {
            TooMuch::Requests { wait } => ("you ask more often than this registry allows one client", wait),
            TooMuch::Uploads => {
                ("you upload more at once than this registry allows one client", Duration::ZERO)
            }
            TooMuch::AllUploads => ("this registry takes no more uploads at once", Duration::ZERO),
        };
        let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, message);
        if wait.is_zero() { refused } else { refused.retry_after(wait.as_secs() + 1) }
    }
}

fn missing_reference(digest: &apus_registry::Digest) -> (ErrorCode, String, Value) {
    let message = "the manifest names a blob or manifest that the repository does not have".to_owned();
    (ErrorCode::ManifestBlobUnknown, message, json!({ "digest": digest.to_string() }))
}

/// What a client may know of a failure of storage. The log gets all of it.
fn of_storage(error: &StorageError) -> Failure {
    use ErrorCode as Code;
    let report = error.report();
    let unavailable =
        |message: &str| Failure::new(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message);
    match error.kind() {
        ErrorKind::Unavailable { retry_after } => {
            tracing::warn!(error = %report, "storage is unavailable");
            let failure = unavailable("the registry's storage is unavailable; try again");
            match retry_after {
                Some(wait) => failure.retry_after(wait.as_secs().max(1)),
                None => failure,
            }
        }
        ErrorKind::Denied => {
            tracing::error!(error = %report, "storage refuses access");
            unavailable("the registry's storage refuses the registry's credentials; its operator must act")
                .retry_after(RETRY_AFTER_OPERATOR)
        }
        ErrorKind::Full => {
            tracing::error!(error = %report, "storage is full");
            let message = "the registry's storage is full; nothing was stored";
            Failure::new(StatusCode::INSUFFICIENT_STORAGE, Code::Unavailable, message)
        }
        ErrorKind::TooLarge => {
            tracing::warn!(error = %report, "too large for storage");
            let message = "it is larger than the registry's storage can hold";
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, Code::SizeInvalid, message)
        }
        ErrorKind::InvalidName => {
            tracing::warn!(error = %report, "a name that storage cannot hold");
            Failure::new(
                StatusCode::BAD_REQUEST,
                Code::NameInvalid,
                "the name is longer than storage can hold",
            )
        }
        ErrorKind::StageMoved => {
            let message = "another request changed the upload at the same time; ask for its status";
            Failure::new(StatusCode::CONFLICT, Code::BlobUploadInvalid, message)
        }
        _ => {
            tracing::error!(error = %report, "storage failed");
            let message =
                "the registry's storage failed; its log tells more under this request's X-Request-Id";
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, message)
        }
    }
}

#[cfg(test)]
mod tests;
