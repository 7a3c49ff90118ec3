//! What Swift says of an object in the headers of HEAD and GET.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HeaderName};

use super::answer::{Answer, entity_tag, modified, text};
use super::dynamic::DynamicManifest;
use crate::error::{Result, SwiftErrorKind};
use crate::etag;

/// What a POST drops unless it is said again, besides a user's metadata. Without its `X-Object-Manifest` a dynamic large
/// object would become an empty one. The content type is kept by itself.
const KEPT_BY_REPEATING: [HeaderName; 4] = [
    MANIFEST,
    HeaderName::from_static("x-delete-at"),
    HeaderName::from_static("content-disposition"),
    HeaderName::from_static("content-encoding"),
];
const MANIFEST: HeaderName = HeaderName::from_static("x-object-manifest");
const USER_PREFIX: &str = "x-object-meta-";
/// Ceph RGW shows a flag of its own as if a user had set it.
const RGW_FLAG: &str = "x-object-meta-static-large-object";

/// What is known of an object.
#[derive(Debug, Clone)]
pub struct ObjectMetadata {
    /// Bytes of content; of a dynamic large object as far as the container's listing knew its segments.
    pub size: u64,
    /// When it was written, or its metadata changed.
    pub modified: SystemTime,
    /// The entity tag without quotes: MD5 of a plain object, of a large one MD5 of its segments' tags.
    pub entity_tag: Option<String>,
    /// What it is made of.
    pub kind: ObjectKind,
    headers: HeaderMap,
}

/// What an object is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// Of its own bytes.
    Plain,
    /// Of segments that its manifest lists (SLO).
    Static,
    /// Of whatever objects have names that begin as its manifest says (DLO).
    Dynamic,
}

impl ObjectMetadata {
    /// By the headers, and by the size of the whole where the headers tell only that of a range.
    pub(super) fn of(answer: &Answer, whole: Option<u64>) -> Result<Self> {
        let headers = &answer.headers;
        let told = || text(headers, CONTENT_LENGTH.as_str())?.parse().ok();
        let is_static =
            text(headers, "x-static-large-object").is_some_and(|flag| flag.eq_ignore_ascii_case("true"));
        let kind = if is_static {
            ObjectKind::Static
        } else if headers.contains_key(MANIFEST) {
            ObjectKind::Dynamic
        } else {
            ObjectKind::Plain
        };
        let size = whole.or_else(told).or((kind == ObjectKind::Dynamic).then_some(0));
        let size = size
            .ok_or_else(|| answer.error(SwiftErrorKind::Unexpected, "answered without a Content-Length"))?;
        Ok(Self {
            size,
            modified: modified(headers),
            entity_tag: entity_tag(headers).map(str::to_owned),
            kind,
            headers: headers.clone(),
        })
    }

    /// What a dynamic large object consists of.
    #[must_use]
    pub fn manifest(&self) -> Option<DynamicManifest> {
        let value = self.headers.get(MANIFEST).filter(|_| self.kind == ObjectKind::Dynamic)?;
        DynamicManifest::parse(value.as_bytes())
    }

    /// Of a dynamic large object with more segments than one page of a listing has, Swift gives the size of the first page,
    /// or 0, and the entity tag of the manifest, which is empty.
    pub(super) fn size_is_certain(&self) -> bool {
        let tag = self.entity_tag.as_deref().filter(|tag| *tag != etag::OF_NOTHING);
        self.kind != ObjectKind::Dynamic || (self.size > 0 && tag.is_some())
    }

    /// How long ago it was written, or touched, by the cluster's own clock where that is told.
    #[must_use]
    pub fn age(&self) -> Duration {
        let date = text(&self.headers, "date").and_then(|date| httpdate::parse_http_date(date).ok());
        date.unwrap_or_else(SystemTime::now).duration_since(self.modified).unwrap_or_default()
    }

    /// Any header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        text(&self.headers, name)
    }

    /// A user's metadata: the value of `X-Object-Meta-` and `name`.
    #[must_use]
    pub fn user(&self, name: &str) -> Option<&str> {
        text(&self.headers, &format!("{USER_PREFIX}{}", name.to_ascii_lowercase()))
    }

    /// The headers by which a [`post`](super::Container::post) changes nothing but the time.
    #[must_use]
    pub fn to_repeat(&self) -> HeaderMap {
        let kept = |name: &HeaderName| {
            KEPT_BY_REPEATING.contains(name)
                || (name.as_str().starts_with(USER_PREFIX) && name.as_str() != RGW_FLAG)
        };
        let headers = self.headers.iter().filter(|(name, _)| kept(name));
        headers.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
