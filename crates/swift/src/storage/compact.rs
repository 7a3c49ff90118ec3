//! An upload in very many small chunks: before there are more segments than a large object may have, small ones that stand
//! in a row are read and written again as one.
//!
//! It is begun when half of the segments are used up. The segments that became one stay until the upload is published or
//! dropped: another process may go on from where they were the stage's. Of that many small chunks each byte is stored twice
//! until then, and is written twice and read once.

use std::ops::Range;

use apus_storage::{BoxError, ByteRange, ByteStream, ErrorKind, Freshness, Result, StageId, StorageError};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::Backend;
use super::parts::Parts;
use crate::client::{Content, Reading, Segment, free};
use crate::etag::checked;
use crate::{SwiftError, SwiftErrorKind};

impl Parts<'_> {
    /// Makes one segment of several if there are many. Answers whether it did.
    pub(super) async fn compact(&mut self) -> Result<bool> {
        if self.segments.len() < self.limits.segments / 2 {
            return Ok(false);
        }
        let largest = self.limits.segment_after(self.segments.len());
        let Some(row) = longest_row(&self.segments, largest) else { return Ok(false) };
        let segments: Vec<Segment> = self.segments.get(row.clone()).unwrap_or_default().to_vec();
        let size = segments.iter().map(|segment| segment.size).sum();
        tracing::debug!(stage = %self.stage, number = segments.len(), size, "making one segment of several");
        let name = self.backend.names.new_segment(self.stage, row.start);
        let content = Content::stream(Some(size), self.backend.joined(segments));
        let whole = self.store(name, content).await.map_err(|error| match error.kind() {
            // The body is not the caller's here.
            ErrorKind::Body => {
                let error = error.into_source().unwrap_or_else(|| BoxError::from("it broke off"));
                StorageError::new(ErrorKind::UNAVAILABLE, self.operation, self.stage).with_source(error)
            }
            _ => error,
        })?;
        self.segments.splice(row, [whole]);
        Ok(true)
    }
}

/// The most segments in a row that are together no larger than `largest`; `None` when there are no two such.
fn longest_row(segments: &[Segment], largest: u64) -> Option<Range<usize>> {
    let (mut best, mut first, mut sum) = (0..0, 0, 0_u64);
    for (last, segment) in segments.iter().enumerate() {
        sum = sum.saturating_add(segment.size);
        while let Some(segment) = segments.get(first).filter(|_| sum > largest) {
            sum -= segment.size;
            first += 1;
        }
        if last + 1 - first > best.len() {
            best = first..last + 1;
        }
    }
    (best.len() > 1).then_some(best)
}

impl Backend {
    /// The bytes of segments in a row, each compared with its entity tag: the digest of the upload was taken of them when they
    /// came, and of nothing that is read again.
    fn joined(&self, segments: Vec<Segment>) -> ByteStream {
        let container = self.container.clone();
        let contents = stream::iter(segments).map(Ok::<_, BoxError>).and_then(move |segment| {
            let container = container.clone();
            async move {
                let reading = container.get(&segment.name, ByteRange::Full, Freshness::Any).await?;
                match reading {
                    Reading::Content(download) if download.metadata.size == segment.size => {
                        let Segment { name, size, etag } = segment;
                        Ok(checked(download.stream, size, etag, move || differs(&name)))
                    }
                    _ => Err(differs(&segment.name)),
                }
            }
        });
        Box::pin(contents.try_flatten())
    }

    /// Frees whatever lies among the segments of a stage but is none of these.
    pub(super) async fn free_all_but(&self, stage: &StageId, segments: &[Segment]) {
        let found = self.container.entries(self.names.segments_of(stage), false);
        let names = found.try_filter_map(|entry| async move {
            let name = entry.name();
            let is_used = segments.iter().any(|segment| segment.name == name);
            Ok((!is_used).then(|| name.to_owned()))
        });
        match names.try_collect().await {
            Ok(names) => free(&self.container, names).await,
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(%stage, error, "segments that became one are left to upkeep");
            }
        }
    }
}

fn differs(segment: &str) -> BoxError {
    let finding = "it is missing, or not as it was written";
    SwiftError::new(SwiftErrorKind::Damaged, format!("GET {segment}"), finding).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(sizes: &[u64]) -> Vec<Segment> {
        let segment = |size: &u64| Segment { name: String::new(), etag: String::new(), size: *size };
        sizes.iter().map(segment).collect()
    }

    #[test]
    fn the_most_segments_that_fit_into_one_are_found() {
        let row = |sizes: &[u64], largest| longest_row(&segments(sizes), largest);
        assert_eq!(row(&[1, 1, 1, 1], 3), Some(0..3));
        assert_eq!(row(&[9, 1, 1, 9, 1, 1, 1], 4), Some(4..7));
        assert_eq!(row(&[5, 1, 1, 1, 5], 8), Some(0..4));
        assert_eq!(row(&[5, 5], 9), None);
        assert_eq!(row(&[9, 1, 9], 3), None);
        assert_eq!(row(&[], 3), None);
    }

    /// Chunks of 1 MiB, and the limits of a stock Swift.
    #[test]
    fn an_upload_in_small_chunks_may_be_as_large_as_any() {
        let limits = super::super::Limits::new(&crate::Capabilities::default(), 64 << 20);
        let mut sizes = Vec::new();
        let mut moved = 0_u64;
        for _ in 0..100_000 {
            if sizes.len() >= limits.segments / 2
                && let Some(row) = longest_row(&segments(&sizes), limits.segment_after(sizes.len()))
            {
                let size: u64 = sizes[row.clone()].iter().sum();
                moved += size;
                sizes.splice(row, [size]);
            }
            sizes.push(1 << 20);
            assert!(sizes.len() < limits.segments);
        }
        let whole: u64 = sizes.iter().sum();
        assert_eq!(whole, 100_000 << 20);
        // Each byte is moved about once.
        assert!(moved <= whole * 2, "{moved} of {whole}");
    }
}
