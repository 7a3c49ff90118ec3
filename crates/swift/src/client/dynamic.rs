//! Dynamic large objects, which registry:2 writes: a manifest says how the names of the segments begin (Swift, "Dynamic
//! Large Objects").
//!
//! What they consist of is what the container's listing shows of them, for Swift too. Two things Swift does poorly, and
//! they are done here in its place: of segments past the first page of the listing it does not know the size, and it reads
//! no more than one segment a second after the tenth.

use std::ops::Range;

use apus_storage::{BoxError, ByteRange, ByteStream, Freshness};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use percent_encoding::percent_decode;

use super::Container;
use super::listing::ListingEntry;
use super::metadata::ObjectMetadata;
use super::object::{Download, Reading};
use crate::error::{Result, SwiftError, SwiftErrorKind};

/// Larger ones are read segment by segment: ten of 5 MiB, the smallest that is usual, have as much.
const LARGEST_READ_BY_SWIFT: u64 = 50 << 20;

/// What a dynamic large object consists of: all objects of a container whose names begin so.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DynamicManifest {
    /// The container, which may be another than the manifest's.
    pub container: String,
    /// What the names begin with.
    pub prefix: String,
}

impl DynamicManifest {
    /// By the value of `X-Object-Manifest`, which Swift decodes once.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let text = percent_decode(value).decode_utf8().ok()?;
        let (container, prefix) = text.split_once('/')?;
        (!container.is_empty() && !prefix.is_empty())
            .then(|| Self { container: container.to_owned(), prefix: prefix.to_owned() })
    }

    /// Whether there are names that both speak of.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let nested = self.prefix.starts_with(&other.prefix) || other.prefix.starts_with(&self.prefix);
        self.container == other.container && nested
    }
}

/// A segment, as the listing has it.
#[derive(Debug)]
struct Listed {
    name: String,
    size: u64,
}

impl Container {
    /// The segments of a dynamic large object as the listing shows them, in their order.
    fn segments_of(&self, manifest: &DynamicManifest) -> impl Stream<Item = Result<Listed>> + use<> {
        let entries = self.sibling(&manifest.container).entries(&*manifest.prefix, false);
        entries.try_filter_map(|entry| async move {
            Ok(match entry {
                ListingEntry::Object { name, size, .. } => Some(Listed { name, size }),
                ListingEntry::Folder(_) => None,
            })
        })
    }

    async fn size_of(&self, manifest: &DynamicManifest) -> Result<u64> {
        self.segments_of(manifest).try_fold(0_u64, |sum, segment| async move { Ok(sum + segment.size) }).await
    }

    /// The same metadata with the size that the object has.
    pub(super) async fn with_true_size(&self, mut metadata: ObjectMetadata) -> Result<ObjectMetadata> {
        if let (Some(manifest), false) = (metadata.manifest(), metadata.size_is_certain()) {
            metadata.size = self.size_of(&manifest).await?;
            metadata.entity_tag = None;
        }
        Ok(metadata)
    }

    /// Whether an object is better read by its segments than by Swift.
    pub(crate) fn reads_by_segments(metadata: &ObjectMetadata) -> Option<DynamicManifest> {
        metadata.manifest().filter(|_| !metadata.size_is_certain() || metadata.size > LARGEST_READ_BY_SWIFT)
    }

    /// Reads a dynamic large object segment by segment.
    pub(super) async fn read_segments(
        &self,
        name: &str,
        metadata: ObjectMetadata,
        manifest: DynamicManifest,
        range: ByteRange,
    ) -> Result<Reading> {
        let told = metadata.size;
        let is_certain = metadata.size_is_certain();
        let size = self.size_of(&manifest).await?;
        if is_certain && size != told {
            let finding = format!("one listing of its segments has {told} bytes and another {size}");
            return Err(SwiftError::new(SwiftErrorKind::UNAVAILABLE, format!("GET {name}"), finding));
        }
        let mut metadata = metadata;
        if !is_certain {
            metadata.size = size;
            metadata.entity_tag = None;
        }
        let range_of_it = range.of(size);
        if range_of_it.is_empty() && range != ByteRange::Full {
            return Ok(Reading::Beyond(metadata));
        }
        let stream = self.clone().content_of(name.to_owned(), &manifest, range_of_it.clone());
        Ok(Reading::Content(Download { metadata, range: range_of_it, stream }))
    }

    /// The bytes of a range, from one segment after the other.
    fn content_of(self, name: String, manifest: &DynamicManifest, range: Range<u64>) -> ByteStream {
        let segments = self.segments_of(manifest).map_err(BoxError::from).boxed();
        let container = self.sibling(&manifest.container);
        let state = Joined { segments, container, name, offset: 0, range, current: None };
        Box::pin(stream::try_unfold(state, |mut state| async move {
            let piece = state.next_piece().await?;
            Ok(piece.map(|piece| (piece, state)))
        }))
    }
}

/// Segments read in a row.
struct Joined {
    segments: stream::BoxStream<'static, Result<Listed, BoxError>>,
    container: Container,
    name: String,
    /// Where the next segment begins.
    offset: u64,
    /// What is still to come.
    range: Range<u64>,
    current: Option<ByteStream>,
}

impl Joined {
    async fn next_piece(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            if let Some(current) = &mut self.current {
                if let Some(piece) = current.try_next().await? {
                    self.range.start += piece.len() as u64;
                    return Ok(Some(piece));
                }
                self.current = None;
            }
            if self.range.is_empty() {
                return Ok(None);
            }
            let Some(Listed { name, size }) = self.segments.try_next().await? else {
                return Err(self.broken(SwiftErrorKind::UNAVAILABLE, "its segments are no longer all listed"));
            };
            let begin = self.offset;
            self.offset += size;
            let first = self.range.start.saturating_sub(begin);
            let last = (self.range.end - begin).min(size);
            if first >= last {
                continue;
            }
            let part = ByteRange::FromTo { first, last: last - 1 };
            self.current = match self.container.get(&name, part, Freshness::Any).await? {
                Reading::Content(segment) if segment.metadata.size == size => Some(segment.stream),
                Reading::Absent => {
                    let finding = format!("its segment {name} is missing");
                    return Err(self.broken(SwiftErrorKind::Damaged, &finding));
                }
                _ => {
                    let finding = format!("its segment {name} has another size than is listed");
                    return Err(self.broken(SwiftErrorKind::UNAVAILABLE, &finding));
                }
            };
        }
    }

    fn broken(&self, kind: SwiftErrorKind, finding: &str) -> BoxError {
        SwiftError::new(kind, format!("GET {}", self.name), finding).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_a_container_and_how_names_begin() {
        let parsed = |value: &[u8]| {
            DynamicManifest::parse(value).map(|manifest| (manifest.container, manifest.prefix))
        };
        let pair = |container: &str, prefix: &str| Some((container.to_owned(), prefix.to_owned()));
        assert_eq!(parsed(b"c/segments/2f6/46"), pair("c", "segments/2f6/46"));
        assert_eq!(parsed("c/a ü".as_bytes()), pair("c", "a ü"));
        assert_eq!(parsed(b"c/a%20%C3%BC%25"), pair("c", "a ü%"));
        assert_eq!(parsed(b"c"), None);
        assert_eq!(parsed(b"c/"), None);
    }

    #[test]
    fn manifests_that_speak_of_the_same_names_overlap() {
        let manifest = |text: &str| DynamicManifest::parse(text.as_bytes()).unwrap();
        assert!(manifest("c/a").overlaps(&manifest("c/a")));
        assert!(manifest("c/a").overlaps(&manifest("c/ab/1")));
        assert!(manifest("c/ab/1").overlaps(&manifest("c/a")));
        assert!(!manifest("c/a/1").overlaps(&manifest("c/a/2")));
        assert!(!manifest("c/a").overlaps(&manifest("d/a")));
    }
}
