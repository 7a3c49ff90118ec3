//! An object of any length, written by one call: in one request where it is small, as a static large object otherwise.

use std::time::SystemTime;

use apus_storage::{BoxError, ByteStream};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::{Stream, TryStreamExt};
use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use super::Container;
use super::segments::{Source, Unused, free};
use super::slo::{Segment, SloManifest};
use super::upload::{Stored, Upload, Uploaded};
use crate::error::{Result, SwiftError, SwiftErrorKind};
use crate::etag;

/// Less than this is written in one request.
const SMALL: usize = 1 << 20;
/// Of so many segments each size is used, before the next ones are twice as large: a thousand that begin with 64 MiB hold
/// 240 GB.
const SEGMENTS_OF_ONE_SIZE: usize = 250;

/// What is to be written, however long it turns out to be.
pub struct LargeUpload {
    name: String,
    stream: ByteStream,
    segment_size: u64,
    segments_below: String,
    if_absent: bool,
    headers: HeaderMap,
}

impl LargeUpload {
    /// To be written under this name, in place of whatever is there. Its segments lie in the same container, under
    /// `segments/`; each has 64 MiB, and the later ones of very long objects more.
    pub fn new<E: Into<BoxError> + 'static>(
        name: impl Into<String>,
        stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            stream: Box::pin(stream.map_err(Into::into)),
            segment_size: 64 << 20,
            segments_below: "segments/".to_owned(),
            if_absent: false,
            headers: HeaderMap::new(),
        }
    }

    /// Bytes in each of the first segments; from 1 MiB on, below which Swift reads them slowly.
    #[must_use]
    pub fn segment_size(mut self, bytes: u64) -> Self {
        self.segment_size = bytes.max(SMALL as u64);
        self
    }

    /// What the names of the segments begin with. A random part follows, so that no two objects share any.
    #[must_use]
    pub fn segments_below(mut self, prefix: impl Into<String>) -> Self {
        self.segments_below = prefix.into();
        self
    }

    /// Only if nothing is there, as [`Upload::if_absent`].
    #[must_use]
    pub fn if_absent(mut self, if_absent: bool) -> Self {
        self.if_absent = if_absent;
        self
    }

    /// With these headers besides, as [`Upload::headers`].
    #[must_use]
    pub fn headers(mut self, headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>) -> Self {
        self.headers.extend(headers);
        self
    }
}

impl std::fmt::Debug for LargeUpload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LargeUpload")
            .field("name", &self.name)
            .field("segment_size", &self.segment_size)
            .finish_non_exhaustive()
    }
}

impl Container {
    /// Writes a stream of any length: up to 1 MiB in one request, more as segments and a manifest of them. It appears whole,
    /// at once, and no more of it than a piece is in memory.
    ///
    /// What was there before is replaced; if it was a large object, its segments stay. [`delete_whole`](Self::delete_whole)
    /// takes an object away with its segments.
    ///
    /// # Errors
    /// [`SwiftErrorKind::Body`] when the stream failed, [`SwiftErrorKind::TooLarge`] when it has more segments than the
    /// cluster allows. Nothing is left of it then. Only where it is not known whether the object is there
    /// ([`SwiftErrorKind::Unavailable`]), its segments stay.
    pub async fn put_large(&self, upload: LargeUpload) -> Result<Uploaded> {
        let LargeUpload { name, stream, segment_size, segments_below, if_absent, headers } = upload;
        let request = format!("PUT {}/{name}", self.name());
        let mut source = Source::new(Bytes::new(), stream);
        if let Some(whole) = source.rest_below(SMALL).await.map_err(|error| broken(&request, error))? {
            let mut upload = Upload::new(name, whole).if_absent(if_absent);
            upload.headers = headers;
            return self.put(upload).await;
        }
        let mut unused = Unused::new(self.clone());
        let below = format!("{segments_below}{}/", HEXLOWER.encode(&rand::random::<[u8; 16]>()));
        let segments = self.put_segments(&request, source, &below, segment_size, &mut unused).await?;
        // From here on the object may be there, whatever becomes of its answer.
        let names = unused.release();
        let mut manifest = SloManifest::new(&name, &segments).if_absent(if_absent);
        manifest.headers = headers;
        let put = self.put_manifest(manifest).await;
        match self.settled(&name, &segments, put).await {
            Ok(stored @ Uploaded::Stored(_)) => Ok(stored),
            Err(error) if matches!(error.kind(), SwiftErrorKind::Unavailable { .. }) => Err(error),
            other => {
                free(self, names).await;
                other
            }
        }
    }

    async fn put_segments(
        &self,
        request: &str,
        mut source: Source,
        below: &str,
        first: u64,
        unused: &mut Unused,
    ) -> Result<Vec<Segment>> {
        let capabilities = self.client.capabilities().await?;
        let unexpected = |finding: &str| SwiftError::new(SwiftErrorKind::Unexpected, request, finding);
        let mut segments = Vec::new();
        while source.rest_below(1).await.map_err(|error| broken(request, error))?.is_none() {
            if segments.len() >= capabilities.most_segments() {
                let finding = format!("it has more than {} segments", segments.len());
                let error = SwiftError::new(SwiftErrorKind::TooLarge, request, finding);
                return Err(error.with_advice("make the segments larger"));
            }
            let name = format!("{below}{:08}", segments.len());
            unused.add(&name);
            let length = segment_length(first, segments.len(), capabilities.largest_piece());
            let (content, rest) = source.segment(length);
            let Uploaded::Stored(stored) = self.put(Upload::new(&name, content)).await? else {
                return Err(unexpected("something else writes its segments"));
            };
            segments.push(Segment { name, etag: stored.entity_tag, size: stored.size });
            source = rest.take().ok_or_else(|| unexpected("a segment was not read to its end"))?;
        }
        Ok(segments)
    }

    /// What came of a manifest, looked up where its answer does not say it.
    async fn settled(&self, name: &str, segments: &[Segment], put: Result<Uploaded>) -> Result<Uploaded> {
        let is_unclear = match &put {
            Ok(Uploaded::Stored(_) | Uploaded::Exists { repeated: false, .. }) => false,
            Ok(Uploaded::Exists { repeated: true, .. } | Uploaded::Superseded) => true,
            Err(error) => matches!(error.kind(), SwiftErrorKind::Unavailable { .. }),
        };
        if is_unclear
            && let Some(found) = self.manifest(name).await?
            && found.iter().map(|segment| &segment.name).eq(segments.iter().map(|segment| &segment.name))
        {
            return Ok(Uploaded::Stored(Stored {
                size: segments.iter().map(|segment| segment.size).sum(),
                entity_tag: etag::of_segments(segments.iter().map(|segment| &*segment.etag)),
                modified: SystemTime::now(),
            }));
        }
        put
    }
}

fn broken(request: &str, error: BoxError) -> SwiftError {
    SwiftError::new(SwiftErrorKind::Body, request, "the content failed").with_source(error)
}

/// The length of the segment after so many.
pub(crate) fn segment_length(first: u64, segments: usize, largest: u64) -> u64 {
    let doublings = u32::try_from(segments / SEGMENTS_OF_ONE_SIZE).unwrap_or(u32::MAX);
    let times = 1_u64.checked_shl(doublings);
    times.and_then(|times| first.checked_mul(times)).map_or(largest, |length| length.min(largest))
}
