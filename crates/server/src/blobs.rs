//! Blobs: whether there is one, its bytes or parts of them or where a client finds them itself, and taking one away (OCI
//! distribution specification, "Pulling blobs", "Deleting Blobs").

use std::ops::Range;

use apus_registry::{BlobInfo, BlobUrl, Digest, Reference, RepositoryName};
use apus_storage::{BoxError, ByteRange, ByteStream, body};
use bytes::Bytes;
use futures_util::{TryStreamExt, stream};
use http::{HeaderValue, Response, StatusCode, header};

use crate::App;
use crate::answer::{Answer, AnswerBody, CONTENT_DIGEST, WithHeader, status};
use crate::errors::{ErrorCode, Failure};
use crate::parameters::none_match;
use crate::ranges::Wanted;
use crate::request::Head;

const OCTETS: &str = "application/octet-stream";

impl App {
    pub(crate) async fn head_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        head: &Head,
    ) -> Result<Answer, Failure> {
        let size = self.blob_size(name, digest).await?;
        self.blob_pulled(name, digest, size, head).await;
        if none_match(&head.headers, &digest.to_string()) {
            return Ok(described(status(StatusCode::NOT_MODIFIED), digest));
        }
        Ok(described(status(StatusCode::OK), digest)
            .with_header(header::CONTENT_TYPE, OCTETS)
            .with_header(header::CONTENT_LENGTH, size.to_string()))
    }

    pub(crate) async fn get_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        head: &Head,
    ) -> Result<Answer, Failure> {
        if none_match(&head.headers, &digest.to_string()) {
            let size = self.blob_size(name, digest).await?;
            self.blob_pulled(name, digest, size, head).await;
            return Ok(described(status(StatusCode::NOT_MODIFIED), digest));
        }
        let wanted = Wanted::of(&head.headers, &digest.to_string());
        if let Some(BlobUrl { url, size }) = self.blob_url(name, digest).await?
            && let Ok(url) = HeaderValue::try_from(url)
        {
            // Stores differ about ranges that select nothing.
            if wanted.selects_nothing_of(size) {
                return Ok(unsatisfiable(size));
            }
            self.blob_pulled(name, digest, size, head).await;
            return Ok(redirected(url, digest));
        }
        let answer = match wanted {
            Wanted::Whole => self.whole(name, digest, head).await?,
            Wanted::One(range) => {
                let blob = self.open_blob(name, digest, range).await?;
                if blob.range.is_empty() {
                    return Ok(unsatisfiable(blob.size));
                }
                self.blob_pulled(name, digest, blob.size, head).await;
                let content_range = content_range(&blob.range, blob.size);
                streamed(StatusCode::PARTIAL_CONTENT, blob.range.end - blob.range.start, blob.stream)
                    .with_header(header::CONTENT_TYPE, OCTETS)
                    .with_header(header::CONTENT_RANGE, content_range)
            }
            Wanted::Several(ranges) => match self.stored_blob(name, digest).await? {
                Some(info) => {
                    let ranges = ranges.into_iter().map(|range| range.of(info.size));
                    let ranges: Vec<Range<u64>> = ranges.filter(|range| !range.is_empty()).collect();
                    if ranges.is_empty() {
                        return Ok(unsatisfiable(info.size));
                    }
                    self.blob_pulled(name, digest, info.size, head).await;
                    self.parts(&info, ranges)
                }
                // It is yet to be fetched. Who asks for parts takes the whole, too (RFC 9110, section 14.2).
                None => self.whole(name, digest, head).await?,
            },
        };
        Ok(described(answer, digest))
    }

    async fn whole(&self, name: &RepositoryName, digest: &Digest, head: &Head) -> Result<Answer, Failure> {
        let blob = self.open_blob(name, digest, ByteRange::Full).await?;
        self.blob_pulled(name, digest, blob.size, head).await;
        Ok(streamed(StatusCode::OK, blob.size, blob.stream).with_header(header::CONTENT_TYPE, OCTETS))
    }

    /// Several parts in one answer, each opened when the one before it has been sent (RFC 9110, section 14.6).
    fn parts(&self, info: &BlobInfo, ranges: Vec<Range<u64>>) -> Answer {
        let boundary = data_encoding::HEXLOWER.encode(&rand::random::<[u8; 16]>());
        let end = Bytes::from(format!("\r\n--{boundary}--\r\n"));
        let parts: Vec<(Bytes, Range<u64>)> = ranges
            .into_iter()
            .map(|range| {
                let content_range = content_range(&range, info.size);
                let head = format!(
                    "\r\n--{boundary}\r\nContent-Type: {OCTETS}\r\nContent-Range: {content_range}\r\n\r\n"
                );
                (Bytes::from(head), range)
            })
            .collect();
        let length =
            parts.iter().map(|(head, range)| head.len() as u64 + range.end - range.start).sum::<u64>();
        let length = length + end.len() as u64;
        let (app, info) = (self.clone(), info.clone());
        let opened = stream::iter(parts.into_iter().map(Ok::<_, BoxError>)).and_then(move |(head, range)| {
            let (app, info) = (app.clone(), info.clone());
            async move {
                let wanted = ByteRange::FromTo { first: range.start, last: range.end - 1 };
                let blob = app.registry().read_blob(&info, wanted).await?;
                Ok(futures_util::StreamExt::chain(body::once(head), blob.stream))
            }
        });
        let whole = futures_util::StreamExt::chain(opened.try_flatten(), body::once(end));
        streamed(StatusCode::PARTIAL_CONTENT, length, Box::pin(whole))
            .with_header(header::CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}"))
    }

    pub(crate) async fn delete_blob(
        &self,
        name: &RepositoryName,
        digest: &Digest,
        head: &Head,
    ) -> Result<Answer, Failure> {
        self.registry().delete_blob(name, digest).await?;
        self.deleted(name, &Reference::Digest(digest.clone()), head).written().await;
        Ok(status(StatusCode::ACCEPTED))
    }
}

fn streamed(status: StatusCode, length: u64, stream: ByteStream) -> Answer {
    let mut answer = Response::new(AnswerBody::stream(length, stream));
    *answer.status_mut() = status;
    answer.with_header(header::CONTENT_LENGTH, length.to_string())
}

fn content_range(range: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1))
}

fn unsatisfiable(size: u64) -> Answer {
    let message = format!("the blob has {size} bytes; the range selects none of them");
    let failure = Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::SizeInvalid, message);
    failure.answer().with_header(header::CONTENT_RANGE, format!("bytes */{size}"))
}

/// Sends a client to storage itself, also for a range: it repeats the header there. Nobody may keep this answer, for the URL
/// ends; nor show it, for the URL is all that it takes to fetch the blob.
fn redirected(mut url: HeaderValue, digest: &Digest) -> Answer {
    url.set_sensitive(true);
    let mut answer = status(StatusCode::TEMPORARY_REDIRECT)
        .with_header(header::CACHE_CONTROL, "no-store")
        .with_header(header::CONTENT_TYPE, OCTETS)
        .with_header(CONTENT_DIGEST, digest.to_string());
    answer.headers_mut().insert(header::LOCATION, url);
    answer
}

fn described(answer: Answer, digest: &Digest) -> Answer {
    let digest = digest.to_string();
    answer
        .with_header(header::ACCEPT_RANGES, "bytes")
        .with_header(header::CACHE_CONTROL, "max-age=31536000")
        .with_header(header::ETAG, format!("\"{digest}\""))
        .with_header(CONTENT_DIGEST, digest)
}
