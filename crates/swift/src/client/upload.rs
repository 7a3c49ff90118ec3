//! Writing an object in one PUT, and being sure of what was stored.

use std::time::SystemTime;

use apus_http_client::RequestBody;
use apus_storage::{BoxError, Freshness};
use bytes::Bytes;
use futures_util::{Stream, TryStreamExt};
use http::header::{CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::Container;
use super::answer::{Answer, entity_tag, modified};
use crate::error::{Result, SwiftErrorKind};
use crate::etag::{self, Tally, tallied};

/// What is to be written.
#[derive(Debug)]
pub struct Upload {
    pub(super) name: String,
    pub(super) if_absent: bool,
    pub(super) headers: HeaderMap,
    content: Content,
}

/// The bytes of an object on their way in.
pub struct Content {
    body: RequestBody,
    /// Of a stream, what has passed of it.
    tally: Option<Tally>,
}

/// What came of writing.
#[derive(Debug)]
pub enum Uploaded {
    /// It is there.
    Stored(Stored),
    /// Nothing was written, because something is there ([`Upload::if_absent`]).
    Exists {
        /// The content, unless some of it was read.
        again: Option<Content>,
        /// Swift saw the request more than once: what is there may be what was to be written.
        repeated: bool,
    },
    /// It was written, and so was something newer at the same time. Look again.
    Superseded,
}

/// An object that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its bytes.
    pub size: u64,
    /// Its entity tag without quotes: as computed here, and not contradicted by Swift. As Swift says it where it was not
    /// computed ([`SwiftConfig::verify_checksums`](crate::SwiftConfig)).
    pub entity_tag: String,
    /// When.
    pub modified: SystemTime,
}

impl Content {
    /// Content as a stream of `length` bytes, or of any length when that is `None`. Up to 5 GiB as a rule; for more, and
    /// where that is not known, there is [`Container::put_large`].
    #[must_use]
    pub fn stream<E: Into<BoxError> + 'static>(
        length: Option<u64>,
        stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Self {
        let (stream, tally) = tallied(Box::pin(stream.map_err(Into::into)));
        Self { body: RequestBody::stream(length, stream), tally: Some(tally) }
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self { body: bytes.into(), tally: None }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.body.fmt(formatter)
    }
}

impl Upload {
    /// To be written under this name, in place of whatever is there.
    #[must_use]
    pub fn new(name: impl Into<String>, content: impl Into<Content>) -> Self {
        Self { name: name.into(), if_absent: false, headers: HeaderMap::new(), content: content.into() }
    }

    /// Only if nothing is there. Swift looks before it reads the content, so two writers at once may both write. Where the
    /// cluster does not look (Ceph RGW), the client does.
    #[must_use]
    pub fn if_absent(mut self, if_absent: bool) -> Self {
        self.if_absent = if_absent;
        self
    }

    /// With these headers besides, such as `Content-Type`, `X-Object-Meta-Color` or `X-Delete-After`. Without a type it is
    /// `application/octet-stream`.
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

impl Container {
    /// Writes an object in one request.
    ///
    /// What Swift says it stored is compared with what was sent; if it differs, it is deleted. Bytes in memory are checked
    /// by Swift itself before they are stored.
    pub async fn put(&self, upload: Upload) -> Result<Uploaded> {
        let Upload { name, if_absent, headers, content: Content { body, tally } } = upload;
        if if_absent && self.is_known_to_exist(&name).await? {
            return Ok(Uploaded::Exists { again: Some(Content { body, tally }), repeated: false });
        }
        let bytes = body.as_bytes().map(|bytes| (bytes.len() as u64, etag::of_bytes(bytes)));
        let mut headers = put_headers(headers, if_absent);
        if let Some((_, tag)) = &bytes
            && let Ok(tag) = HeaderValue::from_str(tag)
        {
            headers.insert(ETAG, tag);
        }
        if let Some(tally) = &tally
            && !self.client.verifies_checksums().await
        {
            tally.leave_out_tag();
        }
        let call = self.call(Method::PUT, Some(&name)).headers(headers).body(body);
        let answer = self.client.send(call).await?;
        if !is_created(answer.status) {
            return self.not_created(answer, tally).await;
        }
        let (size, sent) = match (bytes, tally) {
            (Some((size, tag)), _) => (size, Some(tag)),
            (None, Some(tally)) => (tally.length(), tally.tag().await),
            (None, None) => (0, None),
        };
        let stored = entity_tag(&answer.headers).map(str::to_owned);
        let modified = modified(&answer.headers);
        let differs = |(sent, stored): (&String, &String)| !sent.eq_ignore_ascii_case(stored);
        if sent.as_ref().zip(stored.as_ref()).is_some_and(differs) {
            let error = answer
                .error(SwiftErrorKind::Damaged, "the bytes that were stored are not those that were sent");
            answer.discard().await;
            let _ = self.delete(&name).await;
            return Err(error.with_advice("try again; if it stays so, look for a faulty machine in between"));
        }
        answer.discard().await;
        let entity_tag = match sent.or(stored) {
            Some(tag) => tag,
            None => self
                .head(&name, Freshness::Newest)
                .await?
                .and_then(|found| found.entity_tag)
                .unwrap_or_default(),
        };
        Ok(Uploaded::Stored(Stored { size, entity_tag, modified }))
    }

    /// Whether something is there that a PUT would overwrite, as far as the cluster does not see to that itself.
    pub(super) async fn is_known_to_exist(&self, name: &str) -> Result<bool> {
        let sees_to_it = self.client.capabilities().await?.conditional_writes;
        Ok(!sees_to_it && self.look(name, Freshness::Newest).await?.is_some())
    }

    /// All answers to a PUT of an object but that it was made.
    pub(super) async fn not_created(&self, mut answer: Answer, tally: Option<Tally>) -> Result<Uploaded> {
        match answer.status {
            StatusCode::PRECONDITION_FAILED => {
                let again = answer.again.take().map(|body| Content { body, tally });
                let repeated = answer.repeated;
                answer.discard().await;
                Ok(Uploaded::Exists { again, repeated })
            }
            StatusCode::ACCEPTED => {
                answer.discard().await;
                Ok(Uploaded::Superseded)
            }
            StatusCode::NOT_FOUND => Err(self.vanished(answer).await),
            _ => Err(answer.refused().await),
        }
    }
}

/// Swift answers 201; 202 says something else.
pub(super) fn is_created(status: StatusCode) -> bool {
    status.is_success() && status != StatusCode::ACCEPTED
}

/// The headers that every PUT of an object has.
pub(super) fn put_headers(mut headers: HeaderMap, if_absent: bool) -> HeaderMap {
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/octet-stream"));
    if if_absent {
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
    }
    headers
}
