//! Answers in the form of version 1: JSON as the original wrote it, the headers about caching, and errors as one text each.

use std::time::{Duration, SystemTime};

use apus_legacy::{Error, Refusal, python_json};
use apus_storage::{BoxError, ErrorKind, ObjectReader, StorageError};
use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, EXPIRES, LAST_MODIFIED, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::{Content, Reply};

const JSON: &str = "application/json";
const YEAR: Duration = Duration::from_hours(365 * 24);

/// Seconds that a client is asked to wait when nobody knows better, and where an operator must act first.
const RETRY: u64 = 5;
const RETRY_OPERATOR: u64 = 60;

/// An answer, or a failure on its way to one.
pub(crate) type Outcome = Result<Reply, Failure>;

/// A header in a row of them. A value that cannot stand in a header is left out.
pub(crate) fn with(mut reply: Reply, name: HeaderName, value: impl AsRef<str>) -> Reply {
    if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
        reply.headers_mut().append(name, value);
    }
    reply
}

fn content(status: StatusCode, content: Content) -> Reply {
    let mut reply = Response::new(content);
    *reply.status_mut() = status;
    reply
}

/// An answer without content.
pub(crate) fn empty(status: StatusCode, headers: &[(HeaderName, &str)]) -> Reply {
    headers
        .iter()
        .fold(content(status, Content::Empty), |reply, (name, value)| with(reply, name.clone(), value))
}

/// An answer in JSON that nobody keeps.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
    uncached(raw_json(status, python_json(value)))
}

/// The same of JSON that is there already.
pub(crate) fn raw_json(status: StatusCode, bytes: impl Into<Bytes>) -> Reply {
    with(content(status, Content::Bytes(bytes.into())), CONTENT_TYPE, JSON)
}

/// What went wrong.
pub(crate) fn error(status: StatusCode, text: &str) -> Reply {
    json(status, &json!({ "error": text }))
}

/// What nobody is to keep.
pub(crate) fn uncached(reply: Reply) -> Reply {
    let reply = with(reply, EXPIRES, "-1");
    with(with(reply, CACHE_CONTROL, "no-cache"), PRAGMA, "no-cache")
}

/// What is done and has nothing to say.
pub(crate) fn done() -> Reply {
    json(StatusCode::OK, &true)
}

pub(crate) fn no_content() -> Reply {
    let reply = with(content(StatusCode::NO_CONTENT, Content::Empty), CONTENT_TYPE, JSON);
    uncached(reply)
}

/// A part of storage on its way to a client.
pub(crate) fn streamed(status: StatusCode, media_type: &str, reader: ObjectReader) -> Reply {
    let length = reader.range.end - reader.range.start;
    with(content(status, Content::Stream(length, reader.stream)), CONTENT_TYPE, media_type)
}

pub(crate) fn streamed_json(reader: ObjectReader) -> Reply {
    streamed(StatusCode::OK, JSON, reader)
}

/// What never changes once it is there. Where sign-in is asked for, only the client itself may keep it.
pub(crate) fn cacheable(reply: Reply, for_all: bool) -> Reply {
    let whose = if for_all { "public" } else { "private" };
    let reply = with(reply, CACHE_CONTROL, format!("{whose}, max-age={}", YEAR.as_secs()));
    let reply = with(reply, EXPIRES, httpdate::fmt_http_date(SystemTime::now() + YEAR));
    with(reply, LAST_MODIFIED, httpdate::fmt_http_date(SystemTime::UNIX_EPOCH))
}

/// A request that goes wrong.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    text: String,
    retry_after: Option<u64>,
    /// What was asked for is not here, and may be elsewhere.
    absent: bool,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), retry_after: None, absent: false }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// Not here; a mirror may have it.
    pub(crate) fn absent(text: impl Into<String>) -> Self {
        Self { absent: true, ..Self::not_found(text) }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Requires authorization")
    }

    pub(crate) fn denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, "requested access to the resource is denied")
    }

    pub(crate) fn busy() -> Self {
        Self::unavailable("too many large requests at once; try again", RETRY)
    }

    pub(crate) fn unavailable(text: impl Into<String>, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, text) }
    }

    /// The index could not be asked: it is not known who may do what.
    pub(crate) fn no_index() -> Self {
        Self::unavailable("the index could not be asked; try again", RETRY)
    }

    pub(crate) fn is_absence(&self) -> bool {
        self.absent
    }

    pub(crate) fn reply(self) -> Reply {
        let mut reply = error(self.status, &self.text);
        if self.status == StatusCode::UNAUTHORIZED {
            reply = with(reply, WWW_AUTHENTICATE, "Token");
        }
        match self.retry_after {
            Some(seconds) => with(reply, RETRY_AFTER, seconds.to_string()),
            None => reply,
        }
    }

    pub(crate) fn reply_allowing(self, allow: &str) -> Reply {
        with(self.reply(), ALLOW, allow)
    }
}

/// No token can be made or proven now.
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
pub(crate) fn no_key(error: BoxError) -> Failure {
    tracing::warn!(error = &*error as &dyn std::error::Error, "the key of tokens cannot be read");
    Failure::unavailable("the key of tokens cannot be read; try again", RETRY)
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::ImageUnknown | Refusal::TagUnknown | Refusal::RepositoryUnknown => Self::absent(text),
            Refusal::ImageExists | Refusal::NotUploading => Self::new(StatusCode::CONFLICT, text),
            Refusal::Failed(Error::Storage(error)) => of_storage(&error),
            Refusal::Failed(error) => {
                tracing::error!(%error, "what is stored makes no sense");
                let text = "what the registry has stored is damaged; its log tells more";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
            }
            Refusal::Incomplete(error) => {
                tracing::debug!(%error, "an upload was cut");
                Self::bad(text)
            }
            _ => Self::bad(text),
        }
    }
}

/// What a client may know of a failure of storage. The log gets all of it.
fn of_storage(error: &StorageError) -> Failure {
    let report = error.report();
    match error.kind() {
        ErrorKind::Unavailable { retry_after } => {
            tracing::warn!(error = %report, "storage is unavailable");
            let seconds = retry_after.map_or(RETRY, |wait| wait.as_secs().max(1));
            Failure::unavailable("the registry's storage is unavailable; try again", seconds)
        }
        ErrorKind::Denied => {
            tracing::error!(error = %report, "storage refuses access");
            let text = "the registry's storage refuses the registry's credentials; its operator must act";
            Failure::unavailable(text, RETRY_OPERATOR)
        }
        ErrorKind::Full => {
            tracing::error!(error = %report, "storage is full");
            let text = "the registry's storage is full; nothing was stored";
            let full = Failure::new(StatusCode::INSUFFICIENT_STORAGE, text);
            Failure { retry_after: Some(RETRY_OPERATOR), ..full }
        }
        ErrorKind::TooLarge => {
            tracing::warn!(error = %report, "too large for storage");
            let text = "it is larger than the registry's storage can hold";
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, text)
        }
        ErrorKind::InvalidName => Failure::bad("the name is longer than storage can hold"),
        _ => {
            tracing::error!(error = %report, "storage failed");
            let text = "the registry's storage failed; its log tells more";
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, text)
        }
    }
}
