//! What is said of an object, and how it is asked for.

use std::ops::Range;
use std::time::SystemTime;

use crate::ByteStream;

/// What a backend knows of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Bytes of content.
    pub size: u64,
    /// When the object was written or touched last, by the backend's clock. At least one second of resolution.
    pub modified: SystemTime,
    /// The backend's entity tag, without quotes, where it keeps one. Two contents under one name have different tags.
    pub entity_tag: Option<String>,
}

/// An object that is being read.
pub struct ObjectReader {
    /// Of the whole object, whatever the range.
    pub info: ObjectInfo,
    /// The bytes that `stream` gives: first byte to one past the last. Empty when the range began at or past the end.
    pub range: Range<u64>,
    /// The content. It ends after exactly the bytes of `range`, or with an error: a short end is never silent.
    pub stream: ByteStream,
}

impl std::fmt::Debug for ObjectReader {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ObjectReader")
            .field("info", &self.info)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

/// The part of an object that is wanted, as RFC 9110 section 14.1.2 counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ByteRange {
    /// All of it.
    #[default]
    Full,
    /// From this offset to the end.
    From(u64),
    /// From `first` to `last`, both included; `last` may lie past the end.
    FromTo {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte. A `last` before `first` selects nothing.
        last: u64,
    },
    /// The last so many bytes; more than there are means all of them.
    Last(u64),
}

impl ByteRange {
    /// The bytes that this range selects of an object of `size` bytes; empty when it selects none.
    #[must_use]
    pub fn of(self, size: u64) -> Range<u64> {
        let range = match self {
            Self::Full => 0..size,
            Self::From(first) => first..size,
            Self::FromTo { first, last } => first..size.min(last.saturating_add(1)),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() { size..size } else { range }
    }
}

/// How fresh an answer must be. Backends with one copy of the truth answer the same either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Any replica's answer will do: for what never changes once written, such as bytes named by their digest.
    Any,
    /// The newest of all replicas (Swift's `X-Newest`): for what is overwritten or deleted.
    Newest,
}

/// What a write does to an object that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Leave it, and answer [`Publication::Existing`].
    ///
    /// A backend without compare-and-set (Swift checks `If-None-Match` before it reads the body) may let two writers that
    /// run at once both publish; one of them wins whole. So this guards names that are derived from their content.
    IfAbsent,
    /// Replace it at once, and free what only the old content used.
    Replace,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    /// The new content is there.
    Published(ObjectInfo),
    /// Another content was there already and stays ([`WriteMode::IfAbsent`]).
    Existing(ObjectInfo),
}

impl Publication {
    /// What is there now.
    #[must_use]
    pub fn info(&self) -> &ObjectInfo {
        match self {
            Self::Published(info) | Self::Existing(info) => info,
        }
    }
}

/// Whether there was something to do it to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was there, and it is done.
    Done,
    /// There was nothing of that name.
    Absent,
}

/// The requests that a temporary URL can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlMethod {
    /// `GET`
    Get,
    /// `HEAD`
    Head,
}
