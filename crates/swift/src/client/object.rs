//! Objects of any kind: look, read, touch, delete.
//!
//! That one is absent is not believed of one replica, which may not have heard of it yet: whoever would take any replica's
//! answer then gets that of all.

use std::ops::Range;

use apus_storage::{BoxError, ByteRange, ByteStream, Freshness};
use futures_util::{TryStreamExt, stream};
use http::header::RANGE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::Container;
use super::answer::{Answer, text};
use super::metadata::ObjectMetadata;
use super::send::Call;
use crate::error::{Result, SwiftErrorKind};

/// What came of reading an object.
#[derive(Debug)]
pub enum Reading {
    /// There is none.
    Absent,
    /// There is one, and the range selects nothing of it.
    Beyond(ObjectMetadata),
    /// What was asked for.
    Content(Download),
}

/// The content of an object, or a part of it.
pub struct Download {
    /// Of the whole object.
    pub metadata: ObjectMetadata,
    /// The bytes that come.
    pub range: Range<u64>,
    /// The bytes. They are exactly those of `range`, or end in a [`SwiftError`](crate::SwiftError).
    pub stream: ByteStream,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Download")
            .field("metadata", &self.metadata)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// What came of deleting an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone. That also counts as done which was gone when it was tried again, after an answer that was lost.
    Done,
    /// There was none.
    Absent,
}

impl Container {
    /// What is known of an object; `None` when there is none. Of a dynamic large object whose size Swift does not know, the
    /// segments are listed.
    pub async fn head(&self, name: &str, freshness: Freshness) -> Result<Option<ObjectMetadata>> {
        match self.look(name, freshness).await? {
            Some(metadata) => self.with_true_size(metadata).await.map(Some),
            None => Ok(None),
        }
    }

    /// What is known of an object, by its headers alone.
    pub(crate) async fn look(&self, name: &str, freshness: Freshness) -> Result<Option<ObjectMetadata>> {
        match self.looked(self.look_call(name, freshness)).await? {
            None if freshness == Freshness::Any => self.looked(self.look_call(name, Freshness::Newest)).await,
            found => Ok(found),
        }
    }

    pub(super) fn look_call(&self, name: &str, freshness: Freshness) -> Call {
        fresh(self.call(Method::HEAD, Some(name)), freshness)
    }

    pub(super) async fn looked(&self, call: Call) -> Result<Option<ObjectMetadata>> {
        let answer = self.client.send(call).await?;
        match answer.status {
            status if status.is_success() => ObjectMetadata::of(&answer, None).map(Some),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(answer.refused().await),
        }
    }

    /// Opens an object of any kind for reading.
    ///
    /// A connection that breaks while the content is read is replaced by another, as long as the object is the same.
    pub async fn get(&self, name: &str, range: ByteRange, freshness: Freshness) -> Result<Reading> {
        Ok(match self.open(name, range, freshness).await? {
            Reading::Absent => Reading::Absent,
            Reading::Beyond(metadata) => match Self::reads_by_segments(&metadata) {
                Some(manifest) => self.read_segments(name, metadata, manifest, range).await?,
                None => Reading::Beyond(metadata),
            },
            Reading::Content(download) => match Self::reads_by_segments(&download.metadata) {
                Some(manifest) => self.read_segments(name, download.metadata, manifest, range).await?,
                None => Reading::Content(self.resuming(name, freshness, download)),
            },
        })
    }

    /// As [`get`](Self::get), over one connection, and with the size that Swift gives.
    pub(super) async fn open(&self, name: &str, range: ByteRange, freshness: Freshness) -> Result<Reading> {
        match self.open_once(name, range, freshness).await? {
            Reading::Absent if freshness == Freshness::Any => {
                self.open_once(name, range, Freshness::Newest).await
            }
            reading => Ok(reading),
        }
    }

    async fn open_once(&self, name: &str, range: ByteRange, freshness: Freshness) -> Result<Reading> {
        let mut call = fresh(self.call(Method::GET, Some(name)), freshness);
        match range_header(range) {
            Wanted::All => {}
            Wanted::Some(range) => call = call.header(RANGE.as_str(), range),
            Wanted::Nothing => return self.beyond(name, freshness).await,
        }
        let answer = self.client.send(call).await?;
        match answer.status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => download(answer, range).map(Reading::Content),
            StatusCode::NOT_FOUND => {
                answer.discard().await;
                Ok(Reading::Absent)
            }
            StatusCode::RANGE_NOT_SATISFIABLE => {
                answer.discard().await;
                self.beyond(name, freshness).await
            }
            StatusCode::CONFLICT => {
                let error = answer.error(SwiftErrorKind::Damaged, "answered 409: a segment is missing");
                answer.discard().await;
                Err(error.with_advice("write the object again"))
            }
            _ => Err(answer.refused().await),
        }
    }

    async fn beyond(&self, name: &str, freshness: Freshness) -> Result<Reading> {
        Ok(self.look(name, freshness).await?.map_or(Reading::Absent, Reading::Beyond))
    }

    /// Makes an object count as written now. Two requests: what a POST does not say again would be lost.
    pub async fn touch(&self, name: &str) -> Result<Deletion> {
        let Some(metadata) = self.look(name, Freshness::Newest).await? else { return Ok(Deletion::Absent) };
        self.post(name, metadata.to_repeat()).await
    }

    /// Replaces an object's metadata: what these headers do not say is lost, but for the content's type. The object then
    /// counts as written now. Begin with [`ObjectMetadata::to_repeat`] to change only some.
    pub async fn post(&self, name: &str, headers: HeaderMap) -> Result<Deletion> {
        let call = self.call(Method::POST, Some(name)).headers(headers);
        gone_or_done(self.client.send(call).await?, Deletion::Absent).await
    }

    /// Deletes an object itself: of a large object the manifest only.
    pub async fn delete(&self, name: &str) -> Result<Deletion> {
        let answer = self.client.send(self.call(Method::DELETE, Some(name))).await?;
        // A try before this one did it, as far as can be known.
        let missing = if answer.repeated { Deletion::Done } else { Deletion::Absent };
        gone_or_done(answer, missing).await
    }

    /// Deletions under way at once for one caller.
    pub const DELETES_AT_ONCE: usize = 8;
}

fn fresh(call: Call, freshness: Freshness) -> Call {
    match freshness {
        Freshness::Any => call,
        Freshness::Newest => call.header("x-newest", HeaderValue::from_static("true")),
    }
}

/// `missing` is what it means that there is no such object.
async fn gone_or_done(answer: Answer, missing: Deletion) -> Result<Deletion> {
    match answer.status {
        status if status.is_success() => {
            answer.discard().await;
            Ok(Deletion::Done)
        }
        StatusCode::NOT_FOUND => {
            answer.discard().await;
            Ok(missing)
        }
        _ => Err(answer.refused().await),
    }
}

enum Wanted {
    All,
    Some(HeaderValue),
    /// What no `Range` can say.
    Nothing,
}

fn range_header(range: ByteRange) -> Wanted {
    let text = match range {
        ByteRange::Full => return Wanted::All,
        ByteRange::From(first) => format!("bytes={first}-"),
        ByteRange::FromTo { first, last } if first <= last => format!("bytes={first}-{last}"),
        ByteRange::Last(count) if count > 0 => format!("bytes=-{count}"),
        ByteRange::FromTo { .. } | ByteRange::Last(_) => return Wanted::Nothing,
    };
    HeaderValue::from_str(&text).map_or(Wanted::Nothing, Wanted::Some)
}

/// The range, and the size of the whole, of `bytes 0-9/20` or `bytes */20`.
fn content_range(headers: &HeaderMap) -> Option<(Option<Range<u64>>, Option<u64>)> {
    let (range, size) = text(headers, "content-range")?.trim().strip_prefix("bytes ")?.split_once('/')?;
    let range = range.split_once('-').and_then(|(first, last)| {
        Some(first.trim().parse().ok()?..last.trim().parse::<u64>().ok()?.checked_add(1)?)
    });
    Some((range, size.trim().parse().ok()))
}

fn download(answer: Answer, wanted: ByteRange) -> Result<Download> {
    let unexpected = |finding: &str| answer.error(SwiftErrorKind::Unexpected, finding);
    let (metadata, range) = if answer.status == StatusCode::PARTIAL_CONTENT {
        let Some((Some(range), Some(size))) = content_range(&answer.headers) else {
            return Err(unexpected("answered 206 without a usable Content-Range"));
        };
        (ObjectMetadata::of(&answer, Some(size))?, range)
    } else {
        let metadata = ObjectMetadata::of(&answer, None)?;
        let range = 0..metadata.size;
        (metadata, range)
    };
    // Of a dynamic large object Swift may not know the size, and so not the range.
    if range != wanted.of(metadata.size) && metadata.size_is_certain() {
        return Err(unexpected("answered another range than was asked for"));
    }
    let stream = whole(answer, range.end.saturating_sub(range.start));
    Ok(Download { metadata, range, stream })
}

/// The body, which is to be `length` bytes long. An answer in chunks could end early without an error of its own.
fn whole(answer: Answer, length: u64) -> ByteStream {
    let broken = answer.error(SwiftErrorKind::UNAVAILABLE, "the content broke off");
    let wrong = answer.error(SwiftErrorKind::UNAVAILABLE, "the content has not the length that was said");
    let state = (answer.body, length, Some((broken, wrong)));
    Box::pin(stream::try_unfold(state, |(mut body, left, mut errors)| async move {
        let piece = body.try_next().await;
        match piece {
            Ok(Some(piece)) if piece.len() as u64 <= left => {
                let left = left - piece.len() as u64;
                Ok(Some((piece, (body, left, errors))))
            }
            Ok(None) if left == 0 => Ok(None),
            Ok(_) => {
                Err(errors.take().map_or_else(|| BoxError::from("wrong length"), |(_, wrong)| wrong.into()))
            }
            Err(error) => Err(match errors.take() {
                Some((broken, _)) => broken.with_source(error).into(),
                None => error.into(),
            }),
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_said_and_read() {
        let said = |range| match range_header(range) {
            Wanted::Some(value) => Some(value.to_str().unwrap().to_owned()),
            _ => None,
        };
        assert_eq!(said(ByteRange::From(3)).unwrap(), "bytes=3-");
        assert_eq!(said(ByteRange::FromTo { first: 3, last: 3 }).unwrap(), "bytes=3-3");
        assert_eq!(said(ByteRange::Last(3)).unwrap(), "bytes=-3");
        assert!(matches!(range_header(ByteRange::Full), Wanted::All));
        assert!(matches!(range_header(ByteRange::Last(0)), Wanted::Nothing));
        assert!(matches!(range_header(ByteRange::FromTo { first: 3, last: 2 }), Wanted::Nothing));

        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("content-range", value.parse().unwrap());
            content_range(&headers)
        };
        assert_eq!(read("bytes 0-9/20"), Some((Some(0..10), Some(20))));
        assert_eq!(read("bytes */20"), Some((None, Some(20))));
        assert_eq!(read("bytes 0-9/*"), Some((Some(0..10), None)));
        assert_eq!(read("pages 1-2/3"), None);
    }
}
