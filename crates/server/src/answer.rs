//! Answers: the one body type of all of them, the headers that all of them carry, and what `HEAD` gets.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use apus_auth::Identity;
use apus_storage::{BoxError, ByteStream};
use bytes::Bytes;
use futures_util::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use tracing::Span;

use crate::request_id::RequestId;

/// The answer to a request.
pub(crate) type Answer = Response<AnswerBody>;

/// `Docker-Content-Digest`
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
/// `Docker-Upload-UUID`
pub(crate) const UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
/// `Docker-Distribution-API-Version`, on all answers: old clients ask for nothing else.
pub(crate) const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
/// `X-Request-Id`: by which an answer is found in the log.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The body of an answer: nothing, bytes at hand, or a stream of known length.
pub struct AnswerBody {
    inner: Inner,
    sent: Sent,
    /// The request that it answers: what happens while it is sent belongs to that.
    on_behalf_of: Option<(RequestId, Span)>,
}

/// What was sent of a body, and who wants to know it once it is over.
#[derive(Default)]
struct Sent {
    bytes: u64,
    ended: Vec<Box<dyn FnOnce(u64) + Send>>,
}

impl Drop for Sent {
    fn drop(&mut self) {
        for told in self.ended.drain(..) {
            told(self.bytes);
        }
    }
}

enum Inner {
    Empty,
    /// For `HEAD`: no content, of this length.
    Omitted,
    Full(Bytes),
    Stream {
        remaining: u64,
        stream: ByteStream,
    },
}

impl AnswerBody {
    /// No content.
    #[must_use]
    pub fn empty() -> Self {
        Inner::Empty.into()
    }

    /// What `HEAD` gets: the `Content-Length` that the answer states is kept.
    fn omitted() -> Self {
        Inner::Omitted.into()
    }

    /// Exactly `length` bytes of a stream.
    pub(crate) fn stream(length: u64, stream: ByteStream) -> Self {
        Inner::Stream { remaining: length, stream }.into()
    }

    /// Calls this when the body is over: it was sent, or the connection broke. It is told how many bytes were taken.
    pub(crate) fn when_ended(&mut self, told: impl FnOnce(u64) + Send + 'static) {
        self.sent.ended.push(Box::new(told));
    }

    /// Says which request it answers.
    pub(crate) fn on_behalf_of(&mut self, id: RequestId, span: Span) {
        self.on_behalf_of = Some((id, span));
    }
}

impl Inner {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        match self {
            Self::Empty | Self::Omitted => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready(Some(Ok(bytes)))
            }
            Self::Stream { remaining, stream } => {
                let piece = ready!(Pin::new(stream).poll_next(context));
                if let Some(Ok(piece)) = &piece {
                    *remaining = remaining.saturating_sub(piece.len() as u64);
                }
                if let Some(Err(error)) = &piece {
                    // The head has gone out: all that is left is to break the connection, and to say so here.
                    tracing::warn!(error = %chain(&**error), "an answer broke off");
                }
                Poll::Ready(piece)
            }
        }
    }
}

impl From<Inner> for AnswerBody {
    fn from(inner: Inner) -> Self {
        Self { inner, sent: Sent::default(), on_behalf_of: None }
    }
}

impl From<Bytes> for AnswerBody {
    fn from(bytes: Bytes) -> Self {
        if bytes.is_empty() { Inner::Empty.into() } else { Inner::Full(bytes).into() }
    }
}

impl std::fmt::Debug for AnswerBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match &self.inner {
            Inner::Empty => "Empty",
            Inner::Omitted => "Omitted",
            Inner::Full(_) => "Full",
            Inner::Stream { .. } => "Stream",
        })
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Self { inner, sent, on_behalf_of } = self.get_mut();
        let piece = match on_behalf_of {
            Some((id, span)) => ready!(id.sync_scope(|| span.in_scope(|| inner.poll(context)))),
            None => ready!(inner.poll(context)),
        };
        if let Some(Ok(piece)) = &piece {
            sent.bytes += piece.len() as u64;
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.inner {
            Inner::Empty | Inner::Omitted => true,
            Inner::Full(_) => false,
            Inner::Stream { remaining, .. } => *remaining == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Inner::Empty => SizeHint::with_exact(0),
            Inner::Omitted => SizeHint::default(),
            Inner::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Stream { remaining, .. } => SizeHint::with_exact(*remaining),
        }
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

/// An answer without content.
pub(crate) fn status(status: StatusCode) -> Answer {
    let mut answer = Response::new(AnswerBody::empty());
    *answer.status_mut() = status;
    answer
}

/// An answer with content of a media type.
pub(crate) fn content(status: StatusCode, media_type: &str, bytes: Bytes) -> Answer {
    let mut answer = Response::new(AnswerBody::from(bytes));
    *answer.status_mut() = status;
    answer.with_header(header::CONTENT_TYPE, media_type)
}

/// The answer as it goes out: with its length where that is known, and for `HEAD` without its content.
pub(crate) fn finished(mut answer: Answer, is_head: bool) -> Answer {
    // These two have no content that could have a length (RFC 9110, section 8.6).
    let may_have_content = !matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if let Some(length) = answer.body().size_hint().exact().filter(|_| may_have_content) {
        answer.headers_mut().entry(header::CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    if is_head {
        *answer.body_mut() = AnswerBody::omitted();
    }
    answer
}

/// Who asked, told along with the answer.
pub(crate) trait AskedBy {
    /// Leaves the [`Identity`] among the answer's extensions, for whoever tells of the request when it is answered: an access
    /// log. It is there once it was found out who asks, also where they are refused; of somebody anonymous too. Handlers have
    /// it earlier, in the permit of the [`Head`](crate::request::Head). Who has left it first knew best.
    fn asked_by(self, identity: Option<Identity>) -> Self;
}

impl AskedBy for Answer {
    fn asked_by(mut self, identity: Option<Identity>) -> Self {
        if let Some(identity) = identity {
            self.extensions_mut().get_or_insert_with(|| identity);
        }
        self
    }
}

/// Adding headers in a row.
pub(crate) trait WithHeader {
    /// Sets a header. A value that cannot stand in a header is left out: everything that comes here was checked before.
    fn with_header(self, name: HeaderName, value: impl AsRef<str>) -> Self;

    /// The same, beside values that the header has already.
    fn with_another(self, name: HeaderName, value: impl AsRef<str>) -> Self;

    /// Adds those of which the answer says nothing yet.
    fn with_absent(self, headers: &HeaderMap) -> Self;
}

impl WithHeader for Answer {
    fn with_header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers_mut().insert(name, value);
        }
        self
    }

    fn with_another(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.headers_mut().append(name, value);
        }
        self
    }

    fn with_absent(mut self, headers: &HeaderMap) -> Self {
        for name in headers.keys() {
            if !self.headers().contains_key(name) {
                for value in headers.get_all(name) {
                    self.headers_mut().append(name, value.clone());
                }
            }
        }
        self
    }
}
