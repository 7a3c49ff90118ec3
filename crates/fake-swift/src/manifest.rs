//! The manifest of a static large object, as it is once it has been checked: its entries, its size, its ETag.

use std::ops::Range;

use bytes::Bytes;
use serde::{Serialize, Serializer};

use crate::answer::md5_hex;
use crate::json::dumps;

#[derive(Debug, Clone)]
pub(crate) struct Manifest(pub(crate) Vec<Entry>);

/// A part of the object.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Entry {
    Segment(Segment),
    /// Bytes that the manifest itself holds, in base64.
    Inline {
        data: String,
        #[serde(skip)]
        bytes: Bytes,
    },
}

/// Another object, or a range of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Segment {
    /// `/container/object`.
    pub(crate) name: String,
    /// Size of the whole object.
    pub(crate) bytes: u64,
    /// Its ETag, without quotes.
    pub(crate) hash: String,
    pub(crate) content_type: String,
    pub(crate) last_modified: String,
    /// The part of it that counts; absent when that is all of it.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "inclusive")]
    pub(crate) range: Option<Range<u64>>,
    /// Whether it is a static large object itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) sub_slo: bool,
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn inclusive<S: Serializer>(range: &Option<Range<u64>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&range.as_ref().map(as_inclusive).unwrap_or_default())
}

fn as_inclusive(range: &Range<u64>) -> String {
    format!("{}-{}", range.start, range.end.saturating_sub(1))
}

impl Segment {
    /// Container and object.
    pub(crate) fn address(&self) -> (&str, &str) {
        self.name.trim_start_matches('/').split_once('/').unwrap_or_default()
    }
}

impl Entry {
    fn size(&self) -> u64 {
        match self {
            Self::Segment(Segment { range: Some(range), .. }) => range.end - range.start,
            Self::Segment(segment) => segment.bytes,
            Self::Inline { bytes, .. } => bytes.len() as u64,
        }
    }

    /// What the entry adds to the text whose MD5 is the ETag.
    fn hash(&self) -> String {
        match self {
            Self::Segment(Segment { hash, range: Some(range), .. }) => {
                format!("{hash}:{};", as_inclusive(range))
            }
            Self::Segment(segment) => segment.hash.clone(),
            Self::Inline { bytes, .. } => md5_hex(bytes),
        }
    }
}

impl Manifest {
    /// Size of the object.
    pub(crate) fn size(&self) -> u64 {
        self.0.iter().map(Entry::size).sum()
    }

    /// ETag of the object, without quotes.
    pub(crate) fn etag(&self) -> String {
        md5_hex(self.0.iter().map(Entry::hash).collect::<String>().as_bytes())
    }

    /// The names of the segments, `/container/object`.
    pub(crate) fn names(&self) -> Vec<String> {
        let name = |entry: &Entry| match entry {
            Entry::Segment(segment) => Some(segment.name.clone()),
            Entry::Inline { .. } => None,
        };
        self.0.iter().filter_map(name).collect()
    }

    /// The manifest as it is stored, and as `?multipart-manifest=get` gives it back.
    pub(crate) fn as_json(&self) -> Vec<u8> {
        dumps(&self.0)
    }
}
